import { basename, resolve } from 'node:path'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import { hubName, isHub, parseHub } from '../../hub/hub-address.js'
import type { ShardResult, ShardTask } from '../../shards/shard-task.js'
import type { OpenOptions } from '../../teacher/open-teacher.js'
import { type VerifyConfig, verifyConfig, verifyNotHashed } from '../../verify/config.js'
import type { Judge } from '../../verify/judge/judge.js'
import { judgeOf } from '../../verify/judges.js'
import type { AskedStages } from '../../verify/verify-shard.js'
import { tellOfChangedModel } from './changed-model.js'
import { datasetShards } from './dataset-shards.js'
import { hashOfFile } from './hash-inputs.js'
import { looksAtModel } from './open-model.js'
import {
  type Dataset,
  type Model,
  modelOf,
  needed,
  outputOf,
  type StageContext,
  type StageOf,
  type StageOutput,
} from './stage-context.js'
import { type Look, shardsKind, typically } from './stage-kind.js'

/** Asks a judge about the boxes of a grounding, of proposals, or of both. */
export const verify = shardsKind({
  name: 'verify',
  schema: verifyConfig,
  optional: false,
  makes: 'shards',
  family: 'verdicts',
  // Nobody need have looked at any of it yet.
  mayBeEmpty: true,
  resource: 'gpu',
  notHashed: verifyNotHashed,
  modelKeys: ['model'],
  edge: () => 'shard',
  looks(stage, context) {
    sourceOf(stage, context)
    return looksAtJudge(stage, context)
  },
  estimate: typically(1500),
  async offers(stage, context) {
    const { dataset, asked, missing } = sourceOf(stage, context)
    return { dataset, verdicts: stage.name, judged: asked.phrases, missing }
  },
  async open(stage, configHash, context) {
    const { dataset, asked } = sourceOf(stage, context)
    const { storage } = dataset
    const { notice, signal } = context
    const kind = judgeOf(stage.with)
    const model = await judgeModelOf(stage, context)
    if (model) await tellOfChangedModel(stage as ModelStage, 'verdicts', dataset, model, context)
    let opened: Judge | undefined
    const open = memoize(async () => {
      opened = await kind.open(stage.with, {
        ...{ storage, notice },
        ...(model && { model }),
        ...(signal && { signal }),
      })
      return opened
    })
    const answers = countAnswers()
    const { phrases, grounding, proposals } = asked
    const prepare = async (shard: string) => ({
      inputs: {
        images: await hashOfFile(storage, 'images', null, shard),
        phrases: await hashOfFile(storage, 'phrases', phrases, shard),
        ...(grounding !== undefined && {
          grounding: await hashOfFile(storage, 'grounding', grounding, shard),
        }),
        ...(proposals !== undefined && {
          proposals: await hashOfFile(storage, 'proposals', proposals, shard),
        }),
        ...(model && { model: model.hash, teacher: model.name }),
        ...(await kind.inputs(stage.with, { storage, shard })),
      },
      work: async (task: ShardTask) => {
        const { verifyShard } = await import('../../verify/verify-shard.js')
        return answers.add(await verifyShard(task, { ...stage.with, ...asked }, open))
      },
    })
    return datasetShards(stage, configHash, dataset, prepare, async () => {
      const warning = kind.needsBoxes ? answers.warning(stage.name) : undefined
      if (warning !== undefined) context.warn(warning)
      await opened?.close()
    })
  },
})

/** What a judge is asked about, and the dataset that it is of. */
function sourceOf(
  stage: StageOf<VerifyConfig>,
  context: StageContext,
): {
  readonly dataset: Dataset
  readonly asked: AskedStages
  readonly missing: readonly string[]
} {
  const outputs = stage.needs.map((name) => outputOf(context, name))
  const grounding = onlyOne(stage, outputs, 'grounding')
  const proposals = onlyOne(stage, outputs, 'proposals')
  const isAsked = judgeOf(stage.with).needsBoxes
  const words = isAsked || grounding || proposals ? undefined : onlyOne(stage, outputs, 'phrases')
  const sources = [grounding, proposals, words].filter((output) => output !== undefined)
  const [source] = sources
  if (!source?.dataset || source.phrases === undefined)
    throw new UserError(
      `Stage "${stage.name}" (verify) needs a stage that gives ${isAsked ? 'a grounding or proposals' : 'a grounding, proposals or phrases'}.`,
    )
  for (const other of sources)
    if (other.phrases !== source.phrases || other.dataset?.storage.url !== source.dataset.storage.url)
      throw new UserError(
        `Stage "${stage.name}" (verify): "${source.name}" and "${other.name}" are of other phrases: name those of one dataset and one chunk stage.`,
      )
  return {
    dataset: source.dataset,
    asked: {
      phrases: source.phrases,
      ...(grounding?.grounding !== undefined && { grounding: grounding.grounding }),
      ...(proposals?.proposals !== undefined && { proposals: proposals.proposals }),
    },
    missing: [...new Set(sources.flatMap(({ missing }) => missing))],
  }
}

/** The one stage among those needed that gives something; undefined where none does. */
function onlyOne(
  { name }: StageOf,
  outputs: readonly StageOutput[],
  what: 'grounding' | 'proposals' | 'phrases',
): StageOutput | undefined {
  const giving = outputs.filter((output) => output[what] !== undefined)
  if (giving.length > 1)
    throw new UserError(
      `Stage "${name}" (verify) takes ${what} from one stage, and needs several that give it: ${giving.map((one) => one.name).join(', ')}.`,
    )
  return giving[0]
}

/** A stage whose judge asks a model; one that asks a teacher has the keys of a session too. */
type ModelStage = StageOf<OpenOptions & { readonly model?: string }>

/**
 * The model that a judge asks: of a stage, or a folder; undefined where it asks none.
 *
 * @throws UserError where there is none, or its folder is not whole
 */
async function judgeModelOf(stage: StageOf<VerifyConfig>, context: StageContext): Promise<Model | undefined> {
  const asked = judgeOf(stage.with).model
  if (asked === null) return undefined
  if (asked === 'teacher') return modelOf(stage as ModelStage, context)
  const { model } = stage.with as { readonly model?: string }
  const offered = offeredTo(asked)
  const made = model === undefined ? needed(stage, context, [offered], `a ${offered}`)[offered] : undefined
  const found = made ?? context.outputs.get(model as string)?.[offered]
  if (found && !found.isForeign) return found
  const folder = found?.folder ?? (model as string)
  const name = isHub(folder) ? hubName(parseHub(folder)) : basename(resolve(folder))
  return { folder, name, hash: await hashOf(asked, folder), isForeign: true }
}

async function hashOf(asked: 'clip' | 'judge', folder: string): Promise<string> {
  if (asked === 'clip') return (await import('../../teacher/region-scorer.js')).hashRegionScorer(folder)
  return (await import('../../verify/network/judge-folder.js')).hashJudge(folder)
}

/**
 * Looks at what a judge will ask: its model, its files, its server. A model that a stage makes is promised.
 *
 * @throws UserError where it names none and needs no stage that makes one
 */
function looksAtJudge(stage: StageOf<VerifyConfig>, context: StageContext): readonly Look[] {
  const judge = judgeOf(stage.with)
  const look = { key: `judge (${judge.name})`, atWork: true, look: () => judge.check(stage.with) }
  if (judge.model === null) return [look]
  if (judge.model === 'teacher') return [...looksAtModel(stage as ModelStage, context), look]
  const { model } = stage.with as { readonly model?: string }
  const offered = offeredTo(judge.model)
  if (model === undefined) needed(stage, context, [offered], `a ${offered}`)
  return model === undefined || context.outputs.get(model)?.[offered] ? [] : [look]
}

/** What of a stage a judge takes for its model. */
const offeredTo = (asked: 'judge' | 'clip' | 'teacher') => (asked === 'judge' ? 'judge' : 'model')

/** Counts what a judge was asked and answered, over the shards that were made now. */
function countAnswers() {
  let asked = 0
  let answered = 0
  return {
    /** Gives back the result. */
    add(result: ShardResult): ShardResult {
      if (!result.skipped) {
        asked += result.record.in
        answered += result.record.out
      }
      return result
    },
    /** Where something was asked, and nothing answered. */
    warning: (stage: string): string | undefined =>
      asked > 0 && answered === 0
        ? `stage "${stage}": the judge answered nothing: no verdict for any of ${asked} boxes. The reasons are in its rejects.`
        : undefined,
  }
}
