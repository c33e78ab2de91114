import { familyPath } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { type CommitRecord, readCommit } from './commit.js'
import {
  checkOutput,
  isSame,
  type ShardOutput,
  type ShardResult,
  type ShardTask,
  writeRecord,
  writeRecords,
} from './shard-task.js'

/**
 * Replaces a shard that is there by one of the same configuration and inputs, in which more has succeeded.
 * The shard stays as it is until `work` has the first of its new files whole and calls `withdraw`, which
 * takes back the records; with the new ones the shard exists again. A program killed between the two leaves a
 * shard that is made anew.
 *
 * @param work gives undefined where nothing is to be changed
 * @returns undefined where the shard is not there or was made of something else
 */
export async function amendShardTask(
  task: ShardTask,
  family: Family,
  work: (made: CommitRecord, withdraw: () => Promise<void>) => Promise<ShardOutput | undefined>,
): Promise<ShardResult | undefined> {
  const { storage, stage, shard } = task
  const made = await readCommit(storage, family, stage, shard)
  if (!made || !isSame(made, task)) return undefined
  const start = performance.now()
  const withdraw = async () => {
    task.signal?.throwIfAborted()
    // The main record first: without it the others are of no shard.
    const others = (Object.keys(made.files) as Family[]).filter((other) => other !== family)
    for (const one of [family, ...others]) await storage.remove(familyPath(one, stage, shard, 'json'))
  }
  const output = await work(made, withdraw)
  if (!output) return { record: made, skipped: true }
  checkOutput(output, task, family)
  const seconds = made.seconds + (performance.now() - start) / 1000
  return { record: await writeRecords(output, task, family, seconds), skipped: false }
}

/** Has a shard's record say something else of its configuration that its rows do not hang on. */
export async function amendConfig(
  { storage }: Pick<ShardTask, 'storage'>,
  made: CommitRecord,
  config: CommitRecord['config'],
): Promise<CommitRecord> {
  const record = { ...made, config }
  await writeRecord(storage, record)
  return record
}
