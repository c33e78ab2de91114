import { hashJson } from '../../base/hash.js'
import { readCommit } from '../../shards/commit.js'
import type { ShardResult, ShardTask } from '../../shards/shard-task.js'
import type { Dataset, StageOf } from './stage-context.js'
import type { OpenStage } from './stage-kind.js'

/** Of what a shard is made, and how. */
export interface ShardWork {
  readonly inputs: Readonly<Record<string, string>>
  readonly work: (task: ShardTask) => Promise<ShardResult>
}

/**
 * An open stage over the shards of a dataset that the stage before has made.
 *
 * @param prepare says what the shard is made of; asked again when it is made
 */
export function datasetShards(
  stage: StageOf,
  configHash: string,
  { storage }: Dataset,
  prepare: (shard: string) => Promise<ShardWork>,
  close: () => Promise<void> = async () => {},
): OpenStage {
  return {
    rows: async (shard) => (await readCommit(storage, 'images', null, shard))?.files.images?.rows,
    async make(shard, options) {
      const { inputs, work } = await prepare(shard)
      const hash = hashJson(inputs)
      const isCurrent = async () => hashJson((await prepare(shard)).inputs) === hash
      return work({ storage, stage: stage.name, shard, configHash, inputs, isCurrent, ...options })
    },
    close,
  }
}
