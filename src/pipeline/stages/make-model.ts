import { DamagedModelError } from '../../model/hash-model-files.js'
import { requireOwnFolder } from '../../model/require-own-folder.js'
import { modelLock, modelStore } from '../records/model-store.js'
import { findRunRecord, type RunOnceOptions, type RunRecord, runOnce } from '../records/run-record.js'
import { type Model, runOf, type StageContext, type StageOf } from './stage-context.js'
import type { Look, Offers, StageResult } from './stage-kind.js'

/** The record of a model that a stage of a run makes. */
export const modelRecord = (name: string): string => `models/${name}/record.json`

type Task = Pick<RunRecord<unknown>, 'configHash' | 'inputs'>

/** What a stage makes a folder of: under which name it is offered, and the hash of its answers. */
export interface ModelSort {
  readonly offered: 'model' | 'judge'
  /** Throws a UserError where the folder is not whole. */
  hash(folder: string): Promise<string>
}

const teacherModel: ModelSort = {
  offered: 'model',
  hash: async (folder) => (await import('../../model/model-folder.js')).hashModel(folder),
}

/** The model of a stage that was made of the same; undefined where there is none, or not all of it. */
export async function findModel(
  stage: StageOf,
  task: Task,
  context: StageContext,
  sort: ModelSort = teacherModel,
): Promise<Offers | undefined> {
  const { run, place, open } = placeOf(stage, context, sort)
  if (!(await findRunRecord(run, `${place}/record.json`, task))) return undefined
  const model = await open()
  return model && { [sort.offered]: model, missing: [] }
}

/**
 * Makes the model of a stage, or finds it made of the same.
 *
 * @param work writes the model into a folder; its signal is aborted where another process has taken it over
 */
export async function makeModel<Result>(
  stage: StageOf,
  task: Task & Pick<RunOnceOptions<Result>, 'inputsNow'>,
  context: StageContext,
  work: (folder: string, signal: AbortSignal) => Promise<Result>,
  sort: ModelSort = teacherModel,
): Promise<StageResult<Result>> {
  const { run, place, store, open } = placeOf(stage, context, sort)
  const { signal } = context
  const { inputsNow, ...made } = task
  let model: Model | undefined
  const { record, skipped } = await runOnce<Result>(
    run,
    `${place}/record.json`,
    { stage: stage.name, ...made },
    async ({ lost, note }) => {
      const stop = signal ? AbortSignal.any([signal, lost]) : lost
      const result = await work(store.work, stop)
      stop.throwIfAborted()
      note(await store.place())
      return result
    },
    {
      inputsNow,
      lock: modelLock(place),
      // A folder that has lost a file is no model, whatever its record says.
      isThere: async () => {
        model = await open()
        return model !== undefined
      },
    },
  )
  if (!skipped) model = await open()
  if (!model) throw new Error(`${run.path(place)} was replaced or removed while "${stage.name}" was made.`)
  return { offers: { [sort.offered]: model, missing: [] }, result: record.result, skipped }
}

/** Whether the model of a stage may be written where it is to be; in a bucket its record says whose it is. */
export function lookAtModelPlace({ name }: StageOf, { run, models }: StageContext): Look[] {
  if (!run?.isLocal) return []
  return [{ key: 'model', look: () => requireOwnFolder(run.path(`${models}${name}`)) }]
}

function placeOf({ name }: StageOf, context: StageContext, sort: ModelSort) {
  const run = runOf(context)
  const place = `${context.models}${name}`
  const store = modelStore(run, place)
  async function open(): Promise<Model | undefined> {
    const folder = await store.open()
    const hash = folder && (await sort.hash(folder).catch(unlessDamaged))
    return folder && hash ? { folder, name, hash } : undefined
  }
  return { run, place, store, open }
}

/** A folder that is not whole is no model, and is made again; what is damaged nobody makes again without a word. */
function unlessDamaged(error: unknown): undefined {
  if (error instanceof DamagedModelError) throw error
  return undefined
}
