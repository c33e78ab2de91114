import { filterConfig, filterNotHashed } from '../../filter/config.js'
import { asksFrequency, looksAtTools } from '../../filter/open-tools.js'
import { synonymWarnings } from '../../filter/synonym-warnings.js'
import { amendConfig } from '../../shards/amend-shard.js'
import type { ShardResult, ShardTask } from '../../shards/shard-task.js'
import { datasetShards } from './dataset-shards.js'
import { openFilterStage, toolSources } from './filter-stage.js'
import { needed, type StageContext, type StageOf } from './stage-context.js'
import { shardsKind, typically } from './stage-kind.js'

/** Keeps the proposals of a teacher that pass the rules. */
export const filter = shardsKind({
  name: 'filter',
  schema: filterConfig,
  optional: true,
  makes: 'shards',
  family: 'grounding',
  resource: 'cpu',
  // The path of a rule's file or folder stays in the hash. The record holds it too, so that the page can
  // apply the rules again.
  notHashed: filterNotHashed,
  edge: ({ rules }) => (asksFrequency(rules) ? 'all' : 'shard'),
  looks: ({ with: { rules } }) =>
    looksAtTools(rules, toolSources).map(({ rule, look }) => ({
      key: `rules (${rule})`,
      atWork: true,
      look,
    })),
  estimate: typically(500),
  async offers(stage, context) {
    const { dataset, selection, phrases, missing } = sourceOf(stage, context)
    const { box_loss: boxLoss } = stage.with
    return { dataset, selection, phrases, grounding: stage.name, boxLoss, missing }
  },
  async open(stage, configHash, context) {
    const { dataset, phrases, proposals } = sourceOf(stage, context)
    const { box_loss: boxLoss } = stage.with
    const opened = await openFilterStage(dataset, stage.with, { phrases, proposals })
    let isTold = false
    const prepare = async (shard: string) => {
      const inputs = await opened.inputsOf(shard)
      if (!isTold) {
        isTold = true
        const { recordedLabels } = await import('../../filter/filter-shard.js')
        const labels = await recordedLabels({ storage: dataset.storage, shard }, proposals)
        for (const text of await synonymWarnings(stage.with.rules, labels)) context.warn(text)
      }
      const work = async (task: ShardTask) => recordBoxLoss(task, await opened.work(task), boxLoss)
      return { inputs, work }
    }
    return datasetShards(stage, configHash, dataset, prepare, opened.close)
  },
})

const sourceOf = (stage: StageOf, context: StageContext) =>
  needed(stage, context, ['proposals', 'phrases', 'dataset'], 'proposals')

/** Writes `box_loss: false` into the record, or removes it: the train command reads it there. */
async function recordBoxLoss(task: ShardTask, result: ShardResult, boxLoss: boolean): Promise<ShardResult> {
  const recorded = result.record.config?.box_loss
  if (boxLoss ? recorded === undefined : recorded === false) return result
  const record = await amendConfig(task, 'grounding', ({ box_loss: _, ...config }) =>
    boxLoss ? config : { ...config, box_loss: false },
  )
  return { ...result, record: record ?? result.record }
}
