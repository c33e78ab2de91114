import { findFirst } from '../../base/find-first.js'
import { UserError } from '../../base/user-error.js'
import { type FilterConfig, filterConfig, filterNotHashed } from '../../filter/config.js'
import { asksFrequency, looksAtTools } from '../../filter/open-tools.js'
import { type OfferedStages, ruleStages } from '../../filter/rule-stages.js'
import { someRead } from '../../filter/rules.js'
import { synonymWarnings } from '../../filter/synonym-warnings.js'
import { amendConfig } from '../../shards/amend-shard.js'
import { recordedLabels } from '../../shards/recorded-labels.js'
import type { ShardResult, ShardTask } from '../../shards/shard-task.js'
import { datasetShards } from './dataset-shards.js'
import { openFilterStage, toolSources } from './filter-stage.js'
import { outputOf, type StageContext, type StageOf } from './stage-context.js'
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
  looks: (stage, context) => [
    { key: 'rules', look: () => lookAtLabels(stage, context) },
    ...looksAtTools(stage.with.rules, toolSources).map(({ rule, look }) => ({
      key: `rules (${rule})`,
      atWork: true,
      look,
    })),
  ],
  estimate: typically(500),
  async offers(stage, context) {
    const { dataset, selection, missing, stages } = sourcesOf(stage, context)
    const { phrases } = stages
    const { box_loss: boxLoss } = stage.with
    return { dataset, selection, phrases, grounding: stage.name, boxLoss, missing }
  },
  async open(stage, configHash, context) {
    const { dataset, stages } = sourcesOf(stage, context)
    const { proposals } = stages
    const { box_loss: boxLoss } = stage.with
    const opened = await openFilterStage(dataset, stage.with, stages)
    let isTold = false
    const prepare = async (shard: string) => {
      const inputs = await opened.inputsOf(shard)
      if (!isTold && proposals !== undefined) {
        isTold = true
        const labels = await recordedLabels({ storage: dataset.storage, shard }, proposals)
        for (const text of await synonymWarnings(stage.with.rules, labels)) context.warn(text)
      }
      const work = async (task: ShardTask) => recordBoxLoss(task, await opened.work(task), boxLoss)
      return { inputs, work }
    }
    return datasetShards(stage, configHash, dataset, prepare, opened.close)
  },
})

/** The dataset that a stage filters, and the stages of it that its rules read. */
function sourcesOf(stage: StageOf<FilterConfig>, context: StageContext) {
  const who = `Stage "${stage.name}" (${stage.uses})`
  const outputs = stage.needs.map((name) => outputOf(context, name))
  const offered = {
    boxes: outputs.flatMap(({ proposals, grounding, phrases }): OfferedStages['boxes'] => {
      if (phrases === undefined) return []
      if (proposals !== undefined) return [{ family: 'proposals', stage: proposals, phrases }]
      return grounding === undefined ? [] : [{ family: 'grounding', stage: grounding, phrases }]
    }),
    verdicts: outputs.flatMap(({ verdicts, judged }) =>
      verdicts === undefined ? [] : [{ stage: verdicts, phrases: judged }],
    ),
  }
  const stages = ruleStages(stage.with.rules, offered, who)
  const read = new Set([
    ...(stages.proposals === undefined ? [] : [stages.proposals]),
    ...(stages.others ?? []).map(({ stage }) => stage),
    ...(stages.verdicts ?? []),
  ])
  const sources = outputs.filter(({ name, dataset }) => dataset && read.has(name))
  const [first] = sources
  if (!first?.dataset) throw new UserError(`${who} needs a stage that gives proposals.`)
  const { url } = first.dataset.storage
  const stray = sources.find(({ dataset }) => dataset?.storage.url !== url)
  if (stray)
    throw new UserError(
      `${who}: "${first.name}" and "${stray.name}" are of different datasets: what a filter reads is of one.`,
    )
  const missing = [...new Set(sources.flatMap(({ missing }) => missing))]
  return { dataset: first.dataset, selection: first.selection, missing, stages }
}

/** Throws a UserError where proposals have labels that no rule reads, as far as the model or their records say. */
async function lookAtLabels(stage: StageOf<FilterConfig>, context: StageContext): Promise<void> {
  const { rules } = stage.with
  const comparing = rules.find((config) => config.rule === 'consensus')
  const [proposals, ...others] = stage.needs.flatMap((name) => {
    const output = context.outputs.get(name)
    const isRead = output?.proposals !== undefined && (comparing?.of?.includes(output.proposals) ?? true)
    return isRead ? [output] : []
  })
  // What is missing is told of where it is needed.
  if (!proposals?.proposals || others.length > 0 || someRead(rules, 'labels')) return
  const { labelsUnread } = await import('../../filter/filter-shard.js')
  const { modelFacts } = await import('../../teacher/model-facts.js')
  const { model } = Object(proposals.config) as { readonly model?: unknown }
  const isFolder = typeof model === 'string' && !context.outputs.get(model)?.model
  const facts = isFolder ? await modelFacts(model).catch(() => undefined) : undefined
  const { storage, shards = [] } = proposals.dataset ?? {}
  const recorded = async (shard: string) =>
    storage && recordedLabels({ storage, shard }, proposals.proposals as string)
  const hasLabels = facts ? facts.labels !== null : model === undefined && (await findFirst(shards, recorded))
  if (hasLabels) throw labelsUnread(proposals.proposals)
}

/** Writes `box_loss: false` into the record, or removes it: the train command reads it there. */
async function recordBoxLoss(task: ShardTask, result: ShardResult, boxLoss: boolean): Promise<ShardResult> {
  const recorded = result.record.config?.box_loss
  if (boxLoss ? recorded === undefined : recorded === false) return result
  const record = await amendConfig(task, 'grounding', ({ box_loss: _, ...config }) =>
    boxLoss ? config : { ...config, box_loss: false },
  )
  return { ...result, record: record ?? result.record }
}
