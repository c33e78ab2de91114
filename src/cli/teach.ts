import { counted } from '../base/counted.js'
import { parseConfig } from '../base/files/parse-config.js'
import { UserError } from '../base/user-error.js'
import { chooseStage, describeChosen } from '../catalog/choose-stage.js'
import { openDataset } from '../catalog/open-dataset.js'
import { datasetOutput } from '../pipeline/dataset-output.js'
import { checkStage } from '../pipeline/plan/check-stages.js'
import { teach as teachKind } from '../pipeline/stages/teach.js'
import { runStage } from '../pipeline/tasks/run-stage.js'
import { teachConfig } from '../teacher/config.js'
import { setOptions } from './options/set-options.js'
import { note, printJson } from './terminal/print.js'
import { createProgress, duration } from './terminal/progress.js'
import { failureOfStage, tellFailure } from './terminal/run-end.js'

export interface TeachOptions {
  readonly model: string
  readonly phrases?: string
  readonly as: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill teach`: proposals for the phrases of a dataset. */
export async function teach(url: string, options: TeachOptions, signal: AbortSignal): Promise<void> {
  const config = parseConfig(teachConfig.omit({ model: true }), setOptions(options.set), '--set')
  const dataset = await openDataset(url)
  const asked = chooseStage(dataset, 'phrases', { requested: options.phrases, option: '--phrases STAGE' })
  note(`asking ${options.model} for ${describeChosen(dataset, 'phrases', asked)}`)
  const phrases = await datasetOutput(dataset, 'phrases', asked)
  const [absent] = phrases.missing
  if (absent !== undefined) {
    throw new UserError(
      `${url}: shard ${absent} has no pictures or no phrases "${asked}": run those stages first.`,
    )
  }
  const progress = createProgress()
  progress.update(options.as, 0, 0)
  const stage = { name: options.as, needs: [phrases.name], with: { ...config, model: options.model } }
  const place = { outputs: new Map([[phrases.name, phrases]]) }
  await checkStage(teachKind, stage, place)
  const { outcome, result } = await runStage(teachKind, stage, place, {
    signal,
    stopAtFailure: true,
    alone: true,
    onProgress: ({ name }, done, total) => progress.update(name, done, total),
    onNotice: (_, text) => progress.note(`  ${text}`),
  })
  const { seconds, ran } = outcome
  const failure = failureOfStage(outcome)
  const sums = { phrases: result.in, found: result.out, proposals: result.counts.proposals ?? 0 }
  progress.finish(
    `${failure ? '✗' : '✓'} ${options.as}  ${counted(sums.proposals, 'proposal')} for ${sums.found} of ${sums.phrases} phrases, ${ran === 0 ? 'already done' : duration(seconds)}`,
  )
  const end = tellFailure(failure)
  if (options.json)
    printJson({
      dataset: url,
      model: options.model,
      asked_for: asked,
      stage: options.as,
      ...sums,
      seconds,
      ...end,
    })
}
