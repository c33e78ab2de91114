import { counted } from '../base/counted.js'
import { parseConfig } from '../base/files/parse-config.js'
import { UserError } from '../base/user-error.js'
import { describeChosen } from '../catalog/choose-stage.js'
import { type OpenDataset, openDataset } from '../catalog/open-dataset.js'
import { toldScores } from '../evaluate/compare/told-scores.js'
import { evaluateConfig } from '../evaluate/config.js'
import { addOutput } from '../pipeline/add-output.js'
import { datasetOutput, runOfDataset } from '../pipeline/dataset-output.js'
import { checkStage } from '../pipeline/plan/check-stages.js'
import { evaluate as evaluateKind } from '../pipeline/stages/evaluate.js'
import type { StageOutput } from '../pipeline/stages/stage-context.js'
import { runStage } from '../pipeline/tasks/run-stage.js'
import { stageName } from '../rows/stage-name.js'
import { setOptions } from './options/set-options.js'
import { note, print, printJson } from './terminal/print.js'
import { attributesTable } from './terminal/print-report.js'
import { scoreTable } from './terminal/print-scores.js'
import { createProgress } from './terminal/progress.js'

export interface EvaluateOptions {
  readonly model: string
  readonly as?: string
  readonly attributes?: boolean
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill evaluate`: COCO's twelve numbers, phrase recall@1, 5 and 10, and whether attributes are read. */
export async function evaluate(url: string, options: EvaluateOptions, signal: AbortSignal): Promise<void> {
  const { unseen_in: unseenIn, ...config } = parseConfig(
    evaluateConfig.omit({ model: true }),
    { ...(options.attributes && { attributes: true }), ...setOptions(options.set) },
    '--set',
  )
  const name = parseConfig(stageName.optional(), options.as, '--as')
  const outputs = new Map<string, StageOutput>()
  const add = async (gold: OpenDataset) => addOutput(outputs, await datasetOutput(gold, 'images', gold.name))
  const dataset = await openGold(url)
  const set = await add(dataset)
  note(`evaluating ${options.model} on ${describeChosen(dataset, 'grounding', dataset.name)}`)
  const unseen = unseenIn === undefined ? {} : { unseen_in: await add(await openGold(unseenIn)) }
  const progress = createProgress()
  progress.update('pictures', 0, 0)
  const stage = {
    name: name ?? 'evaluate',
    needs: [set],
    with: { ...config, ...unseen, model: options.model },
  }
  // Without a name there is nothing that a later run could look for.
  const place = { outputs, run: name === undefined ? undefined : runOfDataset(dataset) }
  await checkStage(evaluateKind, stage, place)
  const { outcome, result: scores } = await runStage(evaluateKind, stage, place, {
    signal,
    onProgress: (_, images, of) => progress.update('pictures', images, of),
    onNotice: (_, text) => progress.note(`  ${text}`),
  })
  const done = outcome.ran === 0 ? ', already done' : ''
  progress.finish(
    `✓ ${counted(scores.images, 'picture')}, ${counted(scores.phrases, 'phrase')}, ${counted(scores.categories, 'category')}${done}`,
  )
  if (options.json) {
    printJson({ dataset: url, gold: dataset.name, model: options.model, ...toldScores(scores) })
    return
  }
  const { attributes, images: _, phrases: __, categories: ___, ...numbers } = scores
  const tables = [scoreTable(numbers), ...(attributes ? [attributesTable(attributes)] : [])]
  print(tables.join('\n\n'))
}

async function openGold(url: string): Promise<OpenDataset> {
  const dataset = await openDataset(url)
  if (!dataset.isGold) {
    throw new UserError(
      `${url} has no gold boxes: name a dataset that was ingested with them (\`instances\`).`,
    )
  }
  return dataset
}
