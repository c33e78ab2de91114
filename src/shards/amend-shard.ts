import { recordPath } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { type CommitRecord, textOf } from './commit.js'
import { commitShard, readMain } from './commit-shard.js'
import { ShardFiles, type WriteFamily } from './shard-files.js'
import {
  checkOutput,
  isSame,
  recordOf,
  type ShardOutput,
  type ShardResult,
  type ShardTask,
} from './shard-task.js'

/**
 * Replaces a shard that is there by one of the same configuration and inputs, in which more has succeeded.
 * The shard stays as it is until the new one is whole. Where another process has replaced it in the meantime,
 * what is there now is amended.
 *
 * @param work makes those of the shard's files anew that change; gives undefined where nothing is to be
 *   changed
 * @returns undefined where the shard is not there or was made of something else
 */
export async function amendShardTask(
  task: ShardTask,
  family: Family,
  work: (made: CommitRecord, write: WriteFamily) => Promise<ShardOutput | undefined>,
): Promise<ShardResult | undefined> {
  for (;;) {
    const made = await readMain(task, family)
    if (!made || !isSame(made.record, task)) return undefined
    const isThere = async () => (await readMain(task, family))?.version === made.version
    const start = performance.now()
    const files = new ShardFiles(task)
    try {
      const output = await work(made.record, files.write)
      if (!output) return { record: made.record, skipped: true }
      task.signal?.throwIfAborted()
      checkOutput(output, task, family)
      const seconds = made.record.seconds + (performance.now() - start) / 1000
      const { order } = made.record
      const own = { ...recordOf(output, task, family, seconds), ...(order !== undefined && { order }) }
      const { isOwn } = await commitShard(task, own, files, (now) => now?.version === made.version)
      if (isOwn) return { record: own, skipped: false }
    } catch (error) {
      // Where the shard was replaced while it was read, its rows were of the one and the other.
      if (task.signal?.aborted || (await isThere())) throw error
    } finally {
      await files.discard()
    }
  }
}

/**
 * Has a shard's record say something else of its configuration that its rows do not hang on. Where another
 * process has made the shard anew in the meantime, that one's record is amended if it is of the task.
 */
export async function amendConfig(
  task: ShardTask,
  family: Family,
  change: (config: NonNullable<CommitRecord['config']>) => CommitRecord['config'],
): Promise<CommitRecord | undefined> {
  for (;;) {
    const made = await readMain(task, family)
    if (!made || !isSame(made.record, task)) return made?.record
    const record = { ...made.record, config: change(made.record.config ?? {}) }
    const name = recordPath(family, task.stage, task.shard)
    if (await task.storage.swap(name, textOf(record), made.version)) return record
  }
}

/**
 * Has the record of a shard that was made of one of `known` say that it was made of the task's configuration and inputs:
 * both are the same, told in another way. Its rows stay as they are.
 */
export async function restateShard(
  task: ShardTask,
  family: Family,
  known: readonly Pick<ShardTask, 'configHash' | 'inputs'>[],
): Promise<void> {
  const made = await readMain(task, family)
  if (!made || !known.some((one) => isSame(made.record, { ...task, ...one }))) return
  const record = { ...made.record, configHash: task.configHash, inputs: task.inputs }
  // Where another process has changed it meanwhile, that one knew as much.
  await task.storage.swap(recordPath(family, task.stage, task.shard), textOf(record), made.version)
}
