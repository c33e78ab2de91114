import { basename, dirname, resolve } from 'node:path'
import { counted } from '../base/counted.js'
import { parseConfig } from '../base/files/parse-config.js'
import { UserError } from '../base/user-error.js'
import { describeChosen, stagesWith } from '../catalog/choose-stage.js'
import { openDataset } from '../catalog/open-dataset.js'
import { hashModel } from '../model/model-folder.js'
import { addOutput } from '../pipeline/add-output.js'
import { datasetOutput } from '../pipeline/dataset-output.js'
import { checkStage } from '../pipeline/plan/check-stages.js'
import type { StageOutput } from '../pipeline/stages/stage-context.js'
import { train as trainKind } from '../pipeline/stages/train.js'
import { runStage } from '../pipeline/tasks/run-stage.js'
import { stageName } from '../rows/stage-name.js'
import { openStorage } from '../storage/open-storage.js'
import type { Storage } from '../storage/storage.js'
import { trainConfig } from '../train/config.js'
import { openNamed } from './options/named-grounding.js'
import { setOptions } from './options/set-options.js'
import { note, printJson } from './terminal/print.js'
import { createProgress, duration } from './terminal/progress.js'

export interface TrainOptions {
  readonly out: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill train DATASET[:STAGE]…`: a model of the grounding of some datasets. */
export async function train(
  datasets: readonly string[],
  options: TrainOptions,
  signal: AbortSignal,
): Promise<void> {
  const config = parseConfig(trainConfig, setOptions(options.set), '--set')
  const out = resolve(options.out)
  // The models of a run lie beside each other, each with its record.
  const run = openStorage(dirname(out))
  const outputs = new Map<string, StageOutput>()
  const needs: string[] = []
  const trained: string[] = []
  for (const source of datasets) {
    const { dataset, grounding } = await openNamed(source)
    note(`training on ${describeChosen(dataset, 'grounding', grounding)}`)
    trained.push(`${dataset.url}:${grounding}`)
    // Missing shards are reported by name when they are read.
    const output = { ...(await datasetOutput(dataset, 'grounding', grounding)), missing: [] }
    needs.push(addOutput(outputs, output))
    // Verdicts weigh the boxes of the dataset that has them.
    const { weigh_by: verdicts } = config
    if (verdicts !== undefined && stagesWith(dataset, 'verdicts').includes(verdicts)) {
      addOutput(outputs, await datasetOutput(dataset, 'verdicts', verdicts))
      needs.push(verdicts)
    }
  }
  if (config.weigh_by !== undefined && !needs.includes(config.weigh_by))
    throw new UserError(
      `weigh_by: none of ${trained.join(', ')} has verdicts "${config.weigh_by}": make them with \`groundmill doubt\` or \`groundmill verify\`, \`--as ${config.weigh_by}\`.`,
    )
  const vocabulary: string[] = []
  for (const name of config.vocabulary)
    vocabulary.push(outputs.has(name) ? name : addOutput(outputs, await imagesOf(name)))
  const { validate } = config
  const held = validate && addOutput(outputs, await imagesOf(validate.set))
  if (held !== undefined) needs.push(held)
  if (config.init !== undefined) {
    const beside = await trainedBeside(run, config.init)
    if (beside) outputs.set(config.init, beside)
  }
  const progress = createProgress()
  progress.update(options.out, 0, 0)
  const named = {
    ...config,
    vocabulary,
    ...(validate && held !== undefined && { validate: { ...validate, set: held } }),
  }
  const stage = { name: basename(out), needs, with: named }
  const place = { run, models: '', outputs }
  await checkStage(trainKind, stage, place)
  const { outcome, result } = await runStage(trainKind, stage, place, {
    signal,
    onTrainStart: (_, { folder, taken, fresh }) =>
      progress.note(`✓ ${folder}  ${counted(taken.length, 'parameter')} taken, ${freshText(fresh)}`),
    onNotice: (_, text) => progress.note(`  ${text}`),
    onProgress: (_, done, total, note) => progress.update(options.out, done, total, note),
  })
  const { steps, seconds, last, best } = result
  const done = outcome.ran === 0 ? 'already done' : duration(seconds)
  const kept = best
    ? `, best at step ${best.step} (${validate?.metric ?? 'ap'} ${best.value.toFixed(3)})`
    : ''
  progress.finish(`✓ ${options.out}  ${counted(steps, 'step')}, loss ${last.loss.toFixed(3)}${kept}, ${done}`)
  if (options.json)
    printJson({ model: options.out, trained_on: trained, steps, seconds, last, ...(best && { best }) })
}

/** How many parameters start fresh, and in which parts of the network. */
function freshText(fresh: readonly string[]): string {
  if (fresh.length === 0) return 'none fresh'
  const counts = new Map<string, number>()
  for (const name of fresh) {
    const part = name.split('.').slice(0, 2).join('.')
    counts.set(part, (counts.get(part) ?? 0) + 1)
  }
  return `${fresh.length} start fresh: ${[...counts].map(([part, count]) => `${part} ${count}`).join(', ')}`
}

/** A dataset by itself: its captions are for the vocabulary, or its boxes to validate on. */
async function imagesOf(url: string): Promise<StageOutput> {
  const dataset = await openDataset(url)
  return datasetOutput(dataset, 'images', dataset.name)
}

/** The model that a stage of that name has left in the same run. */
async function trainedBeside(run: Storage, name: string): Promise<StageOutput | undefined> {
  if (!stageName.safeParse(name).success || !(await run.exists(`${name}/record.json`))) return undefined
  const folder = run.path(name)
  return { name, model: { folder, name, hash: await hashModel(folder) }, missing: [] }
}
