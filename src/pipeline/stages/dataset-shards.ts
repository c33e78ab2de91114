import { hashJson } from '../../base/hash.js'
import { readCommit } from '../../shards/commit.js'
import type { ShardResult, ShardTask } from '../../shards/shard-task.js'
import { stageOrder } from '../../shards/stage-order.js'
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
  let order: Promise<number> | undefined
  return {
    rows: async (shard) => (await readCommit(storage, 'images', null, shard))?.files.images?.rows,
    async make(shard, options) {
      const { inputs, work } = await prepare(shard)
      const hash = hashJson(inputs)
      const isCurrent = async () => hashJson((await prepare(shard)).inputs) === hash
      const place = { storage, stage: stage.name, shard }
      const placed = () => {
        order ??= stageOrder(place, configHash)
        return order
      }
      return work({ ...place, configHash, inputs, isCurrent, order: placed, ...options })
    },
    inputs: async (shard) => (await prepare(shard)).inputs,
    close,
  }
}
