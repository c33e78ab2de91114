import { filterConfig, filterNotHashed } from '../../filter/config.js'
import { amendConfig } from '../../shards/amend-shard.js'
import type { ShardResult, ShardTask } from '../../shards/shard-task.js'
import { eachShard } from './each-shard.js'
import { openFilterStage } from './filter-stage.js'
import { needed } from './stage-context.js'
import { stageKind } from './stage-kind.js'

/** Keeps the proposals of a teacher that pass the rules. */
export const filter = stageKind({
  name: 'filter',
  schema: filterConfig,
  optional: true,
  makes: 'shards',
  // The path of a rule's file or folder stays in the hash. The record holds it too, so that the page can
  // apply the rules again.
  notHashed: filterNotHashed,
  async run(stage, configHash, context) {
    const source = needed(stage, context, ['proposals', 'phrases', 'dataset'], 'proposals')
    const { dataset, selection, phrases, proposals } = source
    const { box_loss: boxLoss } = stage.with
    const opened = await openFilterStage(dataset, stage.with, { phrases, proposals })
    try {
      const { sums, missing } = await eachShard(stage, configHash, context, source, async (shard) => ({
        inputs: await opened.inputsOf(shard),
        work: async (task) => recordBoxLoss(task, await opened.work(task), boxLoss),
      }))
      return {
        offers: { dataset, selection, phrases, grounding: stage.name, boxLoss, missing },
        result: sums,
      }
    } finally {
      await opened.close()
    }
  },
})

/** Writes `box_loss: false` into the record, or removes it: the train command reads it there. */
async function recordBoxLoss(task: ShardTask, result: ShardResult, boxLoss: boolean): Promise<ShardResult> {
  const recorded = result.record.config?.box_loss
  if (boxLoss ? recorded === undefined : recorded === false) return result
  const record = await amendConfig(task, 'grounding', ({ box_loss: _, ...config }) =>
    boxLoss ? config : { ...config, box_loss: false },
  )
  return { ...result, record: record ?? result.record }
}
