import { nameList } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { type JudgeConfig, judgeConfig, judgeNotHashed } from '../../verify/network/config.js'
import type { JudgeSource } from '../../verify/network/judge-pictures.js'
import type { JudgeResult } from '../../verify/network/judge-task.js'
import { hashOfFile, hashSource } from './hash-inputs.js'
import { findModel, lookAtModelPlace, type ModelSort, makeModel, modelRecord } from './make-model.js'
import { outputOf, type StageContext, type StageOf } from './stage-context.js'
import { oneKind } from './stage-kind.js'

const judgeModel: ModelSort = {
  offered: 'judge',
  hash: async (folder) => (await import('../../verify/network/judge-folder.js')).hashJudge(folder),
}

/** Trains a network on gold that tells right boxes from wrong ones. */
export const judge = oneKind({
  name: 'judge',
  schema: judgeConfig,
  optional: true,
  makes: 'one',
  record: ({ name }) => modelRecord(name),
  resource: 'gpu',
  offersModel: 'judge',
  notHashed: judgeNotHashed,
  looks(stage, context) {
    sourcesOf(stage, context)
    return lookAtModelPlace(stage, context)
  },
  // A few hundred thousand weights, and two moments of each while it is trained.
  estimate: async () => ({ bytes: 10_000_000, from: 'typical' }),
  async find(stage, configHash, context) {
    const inputs = await inputsOf(sourcesOf(stage, context))
    return findModel(stage, { configHash, inputs }, context, judgeModel)
  },
  async run(stage, configHash, context) {
    const sources = sourcesOf(stage, context)
    const inputs = await inputsOf(sources)
    const task = { configHash, inputs, inputsNow: () => inputsOf(sources) }
    const work = async (folder: string, signal: AbortSignal) => {
      const { trainJudge } = await import('../../verify/network/train-judge.js')
      return trainJudge({
        ...{ name: stage.name, folder, config: stage.with, sources, signal },
        onWarning: context.warn,
        onProgress: ({ step, loss }, steps) => context.progress(step, steps, `loss ${loss.toFixed(3)}`),
      })
    }
    return makeModel<JudgeResult>(stage, task, context, work, judgeModel)
  },
})

/** Gold, each with the proposals of a teacher for its phrases where a stage that it needs has some. */
function sourcesOf(stage: StageOf<JudgeConfig>, context: StageContext): JudgeSource[] {
  const outputs = stage.needs.map((name) => outputOf(context, name))
  const proposed = outputs.filter(({ proposals }) => proposals !== undefined)
  const used = new Set<string>()
  const sources = outputs.flatMap(({ name, dataset, grounding, phrases, missing }): JudgeSource[] => {
    if (!dataset || grounding === undefined || phrases === undefined) return []
    if (missing.length > 0)
      throw new Error(
        `Stage "${stage.name}" would be trained without ${missing.length} shards of "${name}" that failed: run again to retry them.`,
      )
    const own = proposed.filter(
      (one) => one.phrases === phrases && one.dataset?.storage.url === dataset.storage.url,
    )
    if (own.length > 1)
      throw new UserError(
        `Stage "${stage.name}" (judge) takes proposals for "${name}" from one stage, and needs several that give them: ${nameList(own.map((one) => one.name))}.`,
      )
    for (const one of own) used.add(one.name)
    const { storage, shards } = dataset
    const proposals = own[0]?.proposals
    return [{ name, storage, shards, phrases, grounding, ...(proposals !== undefined && { proposals }) }]
  })
  if (sources.length === 0)
    throw new UserError(
      `Stage "${stage.name}" (judge) needs gold to be trained on: an ingest stage with boxes, or a filter stage.`,
    )
  const stray = proposed.find(({ name }) => !used.has(name))
  if (stray)
    throw new UserError(
      `Stage "${stage.name}" (judge): the proposals "${stray.name}" are for phrases of none of ${nameList(sources.map(({ name }) => name))}: let a teach stage ask for the phrases of gold itself.`,
    )
  return sources
}

async function inputsOf(sources: readonly JudgeSource[]): Promise<Record<string, string>> {
  const inputs: Record<string, string> = {}
  for (const source of sources) {
    const { name, storage, shards, proposals } = source
    inputs[name] = await hashSource(source)
    if (proposals === undefined) continue
    for (const shard of shards)
      inputs[`${name} ${proposals} ${shard}`] = await hashOfFile(storage, 'proposals', proposals, shard)
  }
  return inputs
}
