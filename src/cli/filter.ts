import { counted } from '../base/counted.js'
import { UserError } from '../base/user-error.js'
import { chooseStage, describeChosen } from '../catalog/choose-stage.js'
import { openDataset } from '../catalog/open-dataset.js'
import { filterConfig } from '../filter/config.js'
import { datasetStages } from '../filter/dataset-stages.js'
import { datasetOutput, isForBoxLoss } from '../pipeline/dataset-output.js'
import { checkStage } from '../pipeline/plan/check-stages.js'
import { filter as filterKind } from '../pipeline/stages/filter.js'
import { runStage } from '../pipeline/tasks/run-stage.js'
import { chooseRules } from './filter-rules.js'
import { formatTable } from './terminal/format-table.js'
import { note, print, printJson } from './terminal/print.js'
import { createProgress, duration } from './terminal/progress.js'
import { failureOfStage, tellFailure } from './terminal/run-end.js'

export interface FilterOptions {
  readonly as: string
  readonly proposals?: string
  readonly rules?: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill filter`: another grounding of the same proposals; the teacher is not asked again. */
export async function filter(url: string, options: FilterOptions, signal: AbortSignal): Promise<void> {
  const dataset = await openDataset(url)
  const proposals = chooseStage(dataset, 'proposals', {
    requested: options.proposals,
    option: '--proposals STAGE',
  })
  const source = await datasetOutput(dataset, 'proposals', proposals)
  const { missing } = source
  if (missing.length === dataset.shards.length)
    throw new UserError(`${url}: no shard of proposals "${proposals}" is there: run its teach stage first.`)
  note(`filtering ${describeChosen(dataset, 'proposals', proposals)}`)
  const chosen = await chooseRules(dataset, proposals, options)
  const { rules } = chosen
  // What a pipeline has set for the same stage stays, unless the file of rules sets it.
  const recordedBoxLoss = await isForBoxLoss(dataset, options.as)
  const config = filterConfig.parse({ rules, box_loss: chosen.boxLoss ?? recordedBoxLoss })
  const progress = createProgress()
  progress.update(options.as, 0, 0)
  const { others = [], verdicts = [] } = await datasetStages(dataset, rules, proposals)
  const outputs = new Map([[proposals, source]])
  for (const { family, stage } of others) outputs.set(stage, await datasetOutput(dataset, family, stage))
  for (const name of verdicts) outputs.set(name, await datasetOutput(dataset, 'verdicts', name))
  const stage = { name: options.as, needs: [...outputs.keys()], with: config }
  const place = { outputs }
  await checkStage(filterKind, stage, place)
  const { outcome, result } = await runStage(filterKind, stage, place, {
    signal,
    stopAtFailure: true,
    alone: true,
    onProgress: ({ name }, done, total) => progress.update(name, done, total),
  })
  const { seconds } = outcome
  const failure = failureOfStage(outcome)
  const { in: asked, out, rejected, relabelled } = result
  const images = result.counts.grounded_images ?? 0
  const done = outcome.ran === 0 ? 'already done' : duration(seconds)
  progress.finish(
    `${failure ? '✗' : '✓'} ${options.as}  ${out} of ${asked} proposals in ${counted(images, 'picture')} kept by ${counted(rules.length, 'rule')}, ${done}`,
  )
  for (const warning of outcome.warnings) progress.finish(`  warning: ${warning}`)
  if (missing.length > 0) {
    progress.finish(
      `  without ${counted(missing.length, 'shard')}: proposals "${proposals}" are not made there yet`,
    )
  }
  if (options.json) {
    printJson({
      dataset: url,
      grounding: options.as,
      proposals,
      rules,
      rules_from: chosen.from,
      in: asked,
      out,
      images,
      rejected,
      relabelled,
      missing,
      seconds,
      ...tellFailure(failure),
    })
    return
  }
  const byCount = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).sort((a, b) => b[1] - a[1])
  const dropped = byCount(rejected)
  if (dropped.length > 0) print(formatTable(['dropped by', 'proposals'], dropped))
  const renamed = byCount(relabelled)
  if (renamed.length > 0) print(formatTable(['kept, and relabelled by', 'regions'], renamed))
  tellFailure(failure)
}
