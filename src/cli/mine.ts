import { parseConfig } from '../base/files/parse-config.js'
import { describeChosen } from '../catalog/choose-stage.js'
import { openDataset } from '../catalog/open-dataset.js'
import { mineConfig } from '../mine/config.js'
import { datasetOutput } from '../pipeline/dataset-output.js'
import { checkStage } from '../pipeline/plan/check-stages.js'
import { mine as mineKind } from '../pipeline/stages/mine.js'
import { runStage } from '../pipeline/tasks/run-stage.js'
import { goldOf } from './filter-rules.js'
import { setOptions } from './options/set-options.js'
import { note, printJson } from './terminal/print.js'
import { createProgress, duration } from './terminal/progress.js'
import { failureOfStage, tellFailure } from './terminal/run-end.js'

export interface MineOptions {
  readonly model?: string
  readonly gold?: string
  readonly as: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill mine`: hard negatives of the pictures of a dataset with gold. */
export async function mine(url: string, options: MineOptions, signal: AbortSignal): Promise<void> {
  const config = parseConfig(mineConfig.omit({ model: true }), setOptions(options.set), '--set')
  const dataset = await openDataset(url)
  const grounding = goldOf(dataset, options.gold)
  note(
    `mining in ${describeChosen(dataset, 'grounding', grounding)}, ${options.model === undefined ? 'without a model: what is kept is drawn' : `asking ${options.model}`}`,
  )
  const gold = await datasetOutput(dataset, 'grounding', grounding)
  const progress = createProgress()
  progress.update(options.as, 0, 0)
  const stage = { name: options.as, needs: [gold.name], with: { ...config, model: options.model ?? 'none' } }
  const place = { outputs: new Map([[gold.name, gold]]) }
  await checkStage(mineKind, stage, place)
  const { outcome, result } = await runStage(mineKind, stage, place, {
    signal,
    stopAtFailure: true,
    alone: true,
    onProgress: ({ name }, done, total) => progress.update(name, done, total),
    onNotice: (_, text) => progress.note(`  ${text}`),
  })
  const { seconds, ran } = outcome
  const failure = failureOfStage(outcome)
  const sums = { proposed: result.in, kept: result.out, rejected: result.rejected }
  const why = Object.entries(result.rejected).map(([reason, count]) => `${reason} ${count}`)
  progress.finish(
    `${failure ? '✗' : '✓'} ${options.as}  ${sums.kept} negatives of ${sums.proposed} proposed${why.length > 0 ? ` (${why.join(', ')})` : ''}, ${ran === 0 ? 'already done' : duration(seconds)}`,
  )
  const end = tellFailure(failure)
  if (options.json)
    printJson({
      dataset: url,
      gold: grounding,
      model: options.model ?? null,
      stage: options.as,
      ...sums,
      seconds,
      ...end,
    })
}
