import { UserError } from '../base/user-error.js'
import type { Storage } from '../storage/storage.js'
import { hashTeacher, type OpenOptions } from '../teacher/open-teacher.js'
import type { Stage, StageOf } from './config.js'

/** What a finished stage offers to those that need it. */
export interface StageOutput {
  readonly stage: Stage
  /** The dataset that its shards belong to. */
  readonly dataset?: { readonly name: string; readonly storage: Storage; readonly shards: readonly string[] }
  /** The stage that says which pictures are dropped. */
  readonly selection?: string
  /** The stage that chunked the phrases which this stage's rows point to. */
  readonly phrases?: string
  /** The stage whose grounding can be trained on. */
  readonly grounding?: string
  /** False where boxes of that grounding are not to train box regression. */
  readonly boxLoss?: boolean
  /** A model folder, and the stage that trained it. */
  readonly model?: { readonly folder: string; readonly name: string; readonly hash: string }
  /** Shards that are not there. */
  readonly missing: readonly string[]
}

/** What a stage is run with. */
export interface StageContext {
  readonly run: Storage
  readonly outputs: ReadonlyMap<string, StageOutput>
  readonly signal: AbortSignal | undefined
  readonly progress: (done: number, total: number, note?: string) => void
  readonly notice: (text: string) => void
  /** Runs a shard's work, again after a pause where it fails; false where it was set aside. */
  readonly attempt: (shard: string, work: () => Promise<{ readonly skipped: boolean }>) => Promise<boolean>
  /** Rejected rows that an ingest stage tries again; none by default. */
  readonly retryFailed: ((reason: string) => boolean) | undefined
  /** Tells of what the user should know though the work goes on. */
  readonly warn: (message: string) => void
  /** Counts a task that makes no shard. */
  readonly count: (skipped: boolean) => void
}

export type Dataset = NonNullable<StageOutput['dataset']>
export type Model = NonNullable<StageOutput['model']>

/** The one stage among those needed that offers something. */
export function needed(
  stage: Stage,
  context: StageContext,
  what: string,
  has: (output: StageOutput) => boolean,
): StageOutput {
  const offers = stage.needs.map((name) => outputOf(context, name)).filter(has)
  if (offers.length === 0)
    throw new UserError(`Stage "${stage.name}" (${stage.uses}) needs a stage that gives ${what}.`)
  if (offers.length > 1) {
    const names = offers.map((offer) => offer.stage.name).join(', ')
    throw new UserError(
      `Stage "${stage.name}" (${stage.uses}) takes ${what} from one stage, and needs several that give it: ${names}.`,
    )
  }
  return offers[0]
}

/** What a stage that has run offers. */
export function outputOf(context: StageContext, name: string): StageOutput {
  const output = context.outputs.get(name)
  if (!output) throw new UserError(`Stage "${name}" has not run: name it in \`needs\`.`)
  return output
}

/** The model that a stage's configuration names, or that a stage it needs has trained or promoted. */
export async function modelOf(
  stage: StageOf<'teach'> | StageOf<'evaluate'>,
  context: StageContext,
): Promise<Model> {
  if (stage.with.model) return namedModel(stage.with.model, context, stage.with)
  return needed(stage, context, 'a model', ({ model }) => model !== undefined).model as Model
}

/** The model of a stage that has run, or of a folder. */
export async function namedModel(
  name: string,
  { outputs }: StageContext,
  options?: OpenOptions,
): Promise<Model> {
  const trained = outputs.get(name)?.model
  return (
    trained ?? { folder: name, name: name.split('/').at(-1) ?? name, hash: await hashTeacher(name, options) }
  )
}
