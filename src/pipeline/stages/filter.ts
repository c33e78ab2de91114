import { filterConfig, filterNotHashed } from '../../filter/config.js'
import { amendConfig } from '../../shards/amend-shard.js'
import type { ShardResult, ShardTask } from '../../shards/shard-task.js'
import { eachShard } from './each-shard.js'
import { openFilterStage } from './filter-stage.js'
import { needed } from './stage-context.js'
import { stageKind } from './stage-kind.js'

/** Keeps of a teacher's proposals what the rules let through. */
export const filter = stageKind({
  name: 'filter',
  schema: filterConfig,
  optional: true,
  makes: 'shards',
  // A rule's file or folder stays in the hash: the record names it, for who applies the rules again.
  notHashed: filterNotHashed,
  async run(stage, configHash, context) {
    const source = needed(stage, context, ['proposals', 'phrases', 'dataset'], 'proposals')
    const { dataset, selection, phrases, proposals } = source
    const { box_loss: boxLoss } = stage.with
    const opened = await openFilterStage(dataset, stage.with, { phrases, proposals })
    try {
      const { sums, missing } = await eachShard(stage, configHash, context, source, async (shard) => ({
        inputs: await opened.inputsOf(shard),
        work: async (task) => noteBoxLoss(task, await opened.work(task), boxLoss),
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

/** Has the record say `box_loss: false`, or no longer: the train command reads it there. */
async function noteBoxLoss(task: ShardTask, made: ShardResult, boxLoss: boolean): Promise<ShardResult> {
  const { box_loss: noted, ...config } = made.record.config ?? {}
  if (boxLoss ? noted === undefined : noted === false) return made
  const record = await amendConfig(task, made.record, boxLoss ? config : { ...config, box_loss: false })
  return { ...made, record }
}
