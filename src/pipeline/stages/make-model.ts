import { hashModel } from '../../model/model-folder.js'
import { modelStore } from './model-store.js'
import { findRunRecord, type RunRecord, runOnce } from './run-record.js'
import { runOf, type StageContext, type StageOf } from './stage-context.js'
import type { Offers, StageResult } from './stage-kind.js'

/** The record of a model that a stage of a run makes. */
export const modelRecord = (name: string): string => `models/${name}/record.json`

type Task = Pick<RunRecord<unknown>, 'configHash' | 'inputs'>

/** The model of a stage that was made of the same; undefined where there is none, or not all of it. */
export async function findModel(
  { name }: StageOf,
  task: Task,
  context: StageContext,
): Promise<Offers | undefined> {
  const run = runOf(context)
  const place = `${context.models}${name}`
  if (!(await findRunRecord(run, `${place}/record.json`, task))) return undefined
  const store = modelStore(run, place)
  await store.pull()
  const hash = await hashModel(store.folder).catch(() => undefined)
  return hash === undefined ? undefined : { model: { folder: store.folder, name, hash }, missing: [] }
}

/**
 * Makes the model of a stage in its folder, or finds it made of the same.
 *
 * @param work writes the model folder
 */
export async function makeModel<Result>(
  { name }: StageOf,
  task: Task,
  context: StageContext,
  work: (folder: string) => Promise<Result>,
): Promise<StageResult<Result>> {
  const run = runOf(context)
  const place = `${context.models}${name}`
  const store = modelStore(run, place)
  const { folder } = store
  await store.pull()
  const recordName = `${place}/record.json`
  const before = await hashModel(folder).catch(() => undefined)
  // A folder that has lost a file is no model, whatever its record says.
  if (before === undefined) await run.remove(recordName)
  const { record, skipped } = await runOnce<Result>(run, recordName, { stage: name, ...task }, async () => {
    const result = await work(folder)
    await store.push()
    return result
  })
  if (!skipped) await store.settle()
  const hash = skipped && before !== undefined ? before : await hashModel(folder)
  return { offers: { model: { folder, name, hash }, missing: [] }, result: record.result, skipped }
}
