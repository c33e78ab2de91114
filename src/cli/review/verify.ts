import { counted } from '../../base/counted.js'
import { parseConfig } from '../../base/files/parse-config.js'
import { mapLimited } from '../../base/map-limited.js'
import { nameList } from '../../base/name-list.js'
import { didYouMean } from '../../base/nearest-name.js'
import { UserError } from '../../base/user-error.js'
import { chooseStage, describeChosen, stagesWith } from '../../catalog/choose-stage.js'
import { type OpenDataset, openDataset } from '../../catalog/open-dataset.js'
import { datasetOutput } from '../../pipeline/dataset-output.js'
import { checkStage } from '../../pipeline/plan/check-stages.js'
import { verify as verifyKind } from '../../pipeline/stages/verify.js'
import { runStage } from '../../pipeline/tasks/run-stage.js'
import { readCommit } from '../../shards/commit.js'
import { recordedOf } from '../../statistics/recorded.js'
import { addCounts } from '../../statistics/stats.js'
import { verdictsText } from '../../statistics/verdicts-text.js'
import { verifyConfig } from '../../verify/config.js'
import { judgeOf } from '../../verify/judges.js'
import { namedStage } from '../options/named-grounding.js'
import { setOptions } from '../options/set-options.js'
import { formatTable } from '../terminal/format-table.js'
import { note, print, printJson } from '../terminal/print.js'
import { createProgress, duration } from '../terminal/progress.js'
import { failureOfStage, tellFailure } from '../terminal/run-end.js'

export interface VerifyOptions {
  readonly judge: string
  readonly model?: string
  readonly as: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill verify`: what a judge says of the boxes of a dataset. */
export async function verify(named: string, options: VerifyOptions, signal: AbortSignal): Promise<void> {
  const given = { ...setOptions(options.set), judge: options.judge }
  const model = options.model === undefined ? {} : { model: options.model }
  const config = parseConfig(verifyConfig, { ...given, ...model }, `--judge ${options.judge}`)
  const kind = judgeOf(config)
  if (kind.model !== null && options.model === undefined)
    throw new UserError(
      `--judge ${options.judge} asks a model: name its folder, --model FOLDER${kind.model === 'judge' ? ' (a `judge` stage trains one: models/NAME of its run)' : ''}.`,
    )
  const { url, requested } = namedStage(named)
  const dataset = await openDataset(url)
  const { what, asked } = askedOf(dataset, requested, kind.needsBoxes)
  note(`asking ${options.model ?? options.judge} about ${describeChosen(dataset, what, asked)}`)
  const source = await datasetOutput(dataset, what, asked)
  if (source.missing.length === dataset.shards.length)
    throw new UserError(`${url}: no shard of ${what} "${asked}" is there: run its stage first.`)
  const progress = createProgress()
  progress.update(options.as, 0, 0)
  const stage = { name: options.as, needs: [asked], with: config }
  const place = { outputs: new Map([[asked, source]]) }
  await checkStage(verifyKind, stage, place)
  const { outcome, result } = await runStage(verifyKind, stage, place, {
    signal,
    stopAtFailure: true,
    alone: true,
    onProgress: ({ name }, done, total) => progress.update(name, done, total),
    onNotice: (_, text) => progress.note(`  ${text}`),
  })
  const { seconds, ran, warnings } = outcome
  const failure = failureOfStage(outcome)
  const kinds = await kindsOf(dataset, options.as)
  progress.finish(
    `${failure ? '✗' : '✓'} ${options.as}  ${result.out} of ${counted(result.in, 'box')} judged: ${verdictsText(kinds) || 'nothing'}, ${ran === 0 ? 'already done' : duration(seconds)}`,
  )
  for (const warning of warnings) progress.finish(`  warning: ${warning}`)
  const spent = spentOf(result.counts)
  if (Object.keys(spent).length > 0)
    progress.finish(
      `  ${Object.entries(spent)
        .map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`)
        .join(', ')}`,
    )
  if (options.json) {
    printJson({
      ...{ dataset: url, asked_about: asked, judge: options.judge, model: options.model ?? null },
      ...{ stage: options.as, in: result.in, out: result.out, verdicts: kinds, rejected: result.rejected },
      ...{ spent, seconds },
      ...tellFailure(failure),
    })
    return
  }
  const without = Object.entries(result.rejected).sort((a, b) => b[1] - a[1])
  if (without.length > 0) print(formatTable(['not judged', 'boxes'], without))
  tellFailure(failure)
}

type Asked = 'grounding' | 'proposals' | 'phrases'

/**
 * What a judge is asked about: the stage that is named, else the only grounding, else the only proposals.
 *
 * @throws UserError that lists those there are
 */
function askedOf(
  dataset: OpenDataset,
  requested: string | undefined,
  needsBoxes: boolean,
): { readonly what: Asked; readonly asked: string } {
  const { url } = dataset
  const families: readonly Asked[] = needsBoxes
    ? ['grounding', 'proposals']
    : ['grounding', 'proposals', 'phrases']
  if (requested === undefined) {
    const what = families.find((family) => stagesWith(dataset, family).length > 0) ?? 'grounding'
    return { what, asked: chooseStage(dataset, what, { option: `${url}:STAGE` }) }
  }
  const what = families.find((family) => stagesWith(dataset, family).includes(requested))
  if (what) return { what, asked: requested }
  const all = families.flatMap((family) => stagesWith(dataset, family))
  throw new UserError(
    `${url} has no grounding and no proposals ${JSON.stringify(requested)}; it has: ${nameList(all) || 'none'}.${didYouMean(requested, all)}`,
  )
}

/** How many verdicts of each kind there are, over all shards. */
async function kindsOf({ storage, shards }: OpenDataset, stage: string): Promise<Record<string, number>> {
  const records = await mapLimited(shards, (shard) => readCommit(storage, 'verdicts', stage, shard))
  return records.reduce<Record<string, number>>(
    (sum, record) => addCounts(sum, record?.stats.tallies.verdict_kinds ?? {}),
    {},
  )
}

/** What a judge took, such as tokens: counts that are of no rows. */
function spentOf(counts: Readonly<Record<string, number>>): Record<string, number> {
  const ofRows: readonly string[] = recordedOf.verdicts.counts
  return Object.fromEntries(Object.entries(counts).filter(([name]) => !ofRows.includes(name)))
}
