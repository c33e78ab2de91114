import type { AuditSummary } from '../../audit/audit-labels.js'
import { UserError } from '../../base/user-error.js'
import type { HostLimiter } from '../../ingest/fetch/host-limiter.js'
import type { Storage } from '../../storage/storage.js'
import type { OpenOptions } from '../../teacher/open-teacher.js'
import type { TrainStart } from '../../train/train-task.js'
import { isMadeModel, pinModel } from '../records/pinned-model.js'

/** A stage as it stands in a pipeline. */
export interface StageOf<Config = unknown> {
  readonly name: string
  /** The name of its kind. */
  readonly uses: string
  readonly needs: readonly string[]
  readonly with: Config
}

/** A dataset that a stage's shards belong to. */
export interface Dataset {
  readonly name: string
  readonly storage: Storage
  readonly shards: readonly string[]
}

/** A model folder, and the stage that trained it. */
export interface Model {
  readonly folder: string
  readonly name: string
  readonly hash: string
  /** Whether it is of no stage: its hash then depends on which of its files is opened. */
  readonly isForeign?: true
}

/** What a finished stage offers to those that need it. Families are named by the stage that made them. */
export interface StageOutput {
  readonly name: string
  /** What it was run with, where that is known. */
  readonly config?: unknown
  readonly dataset?: Dataset
  /** Its pictures, of an ingest stage alone. */
  readonly images?: string
  /** The stage that says which pictures are dropped. */
  readonly selection?: string
  /** The stage that chunked the phrases which this stage's rows point to. */
  readonly phrases?: string
  readonly proposals?: string
  /** The stage that says what judges think of boxes and phrases. */
  readonly verdicts?: string
  /** The stage whose phrases they are of. */
  readonly judged?: string
  /** A network that judges boxes. */
  readonly judge?: Model
  /** The stage whose grounding can be trained on. */
  readonly grounding?: string
  /** The stage that says what is not in the pictures. */
  readonly negatives?: string
  /** False where boxes of that grounding are not to train box regression. */
  readonly boxLoss?: boolean
  readonly model?: Model
  /** How right the labels of a grounding are. */
  readonly labels?: AuditSummary
  /** Shards that are not there. */
  readonly missing: readonly string[]
}

/** What a stage is run with. */
export interface StageContext {
  /** The run's folder; undefined where a command asks for a stage that is of no run. */
  readonly run: Storage | undefined
  /** Where models lie in it: `models/`. */
  readonly models: string
  readonly outputs: ReadonlyMap<string, StageOutput>
  readonly signal: AbortSignal | undefined
  readonly progress: (done: number, total: number, note?: string) => void
  readonly notice: (text: string) => void
  /** Told before the first step of a training that starts from something. */
  readonly trainStart: (start: TrainStart) => void
  /** Says who else works on the run with another pipeline, if anybody does. */
  readonly others: (() => Promise<string | undefined>) | undefined
  /** Rejected rows that an ingest stage tries again; those whose reasons may pass by default. */
  readonly retryFailed: string | undefined
  /** Whether shards and pictures may go that the source no longer gives, or gives no longer. */
  readonly drop: boolean
  /** Shared with the other processes of the run, where there are any. */
  readonly hostLimiter: HostLimiter | undefined
  /** Which existing export may be replaced: one of other data, any, or none. */
  readonly replace: 'other' | 'any' | 'none'
  /** Adds a warning for the user; the work goes on. */
  readonly warn: (message: string) => void
}

type Offered<Key extends keyof StageOutput> = StageOutput & Required<Pick<StageOutput, Key>>

/**
 * The one stage among those needed that offers all of `keys`.
 *
 * @param what it is in words
 * @param except stages that are needed for something else
 */
export function needed<Key extends keyof StageOutput>(
  stage: StageOf,
  context: StageContext,
  keys: readonly Key[],
  what: string,
  except: readonly string[] = [],
): Offered<Key> {
  const has = (output: StageOutput): output is Offered<Key> => keys.every((key) => output[key] !== undefined)
  const names = stage.needs.filter((name) => !except.includes(name))
  const offers = names.map((name) => outputOf(context, name)).filter(has)
  const [offer] = offers
  if (!offer) throw new UserError(`Stage "${stage.name}" (${stage.uses}) needs a stage that gives ${what}.`)
  if (offers.length > 1) {
    const names = offers.map(({ name }) => name).join(', ')
    throw new UserError(
      `Stage "${stage.name}" (${stage.uses}) takes ${what} from one stage, and needs several that give it: ${names}.`,
    )
  }
  return offer
}

/** What a stage that has run offers. */
export function outputOf(context: StageContext, name: string): StageOutput {
  const output = context.outputs.get(name)
  if (!output) throw new UserError(`Stage "${name}" has not run: name it in \`needs\`.`)
  return output
}

/** The run's folder, for a stage that must leave something there. */
export function runOf({ run }: StageContext): Storage {
  if (!run) throw new Error('this stage is of a run, and was asked for without one')
  return run
}

/** The model that a stage's configuration names, or that a stage it needs has trained or promoted. */
export async function modelOf(
  stage: StageOf<OpenOptions & { readonly model?: string }>,
  context: StageContext,
): Promise<Model> {
  const { model } = stage.with
  const made = model ? context.outputs.get(model)?.model : needed(stage, context, ['model'], 'a model').model
  if (made && !made.isForeign) return made
  const { hashTeacher, teacherName } = await import('../../teacher/open-teacher.js')
  const folder = made?.folder ?? (model as string)
  const files: Record<string, string> = {}
  const hash = await hashTeacher(folder, stage.with, (name, sha256) => {
    files[name] = sha256
  })
  if (context.run && !(await isMadeModel(folder))) await pinModel(context.run, hash, folder, files)
  return { folder, name: await teacherName(folder), hash, isForeign: true }
}
