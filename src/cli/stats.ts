import { counted } from '../base/counted.js'
import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { type DatasetStatistics, datasetStatistics } from '../catalog/dataset-statistics.js'
import { datasetFunnel, type FunnelStage } from '../catalog/funnel.js'
import { datasetsAt } from '../catalog/read-stats.js'
import type { Told } from '../evaluate/compare/told-scores.js'
import type { Evaluation } from '../evaluate/evaluate-model.js'
import { runOfDataset } from '../pipeline/dataset-output.js'
import { evaluationFolder, isEvaluationRecord } from '../pipeline/promotion/evaluation-record.js'
import type { Dataset } from '../pipeline/stages/stage-context.js'
import { readPresences } from '../pipeline/tasks/read-presences.js'
import type { RunState } from '../pipeline/tasks/run-state.js'
import { type StoredMend, storedMends } from '../pipeline/tasks/stored-mends.js'
import { readDataset } from '../shards/dataset.js'
import { listSelections } from '../shards/selections.js'
import { byOrder } from '../shards/stage-order.js'
import { openStorage } from '../storage/open-storage.js'
import { formatTable } from './terminal/format-table.js'
import { print, printJson } from './terminal/print.js'
import { funnelTable } from './terminal/print-funnel.js'
import { overviewText } from './terminal/print-overview.js'
import { roundTable, sourceTable, stageText } from './terminal/print-statistics.js'
import { createProgress } from './terminal/progress.js'

export interface StatsOptions {
  readonly exact?: boolean
  readonly top: number
  readonly vocabulary?: string
  readonly all?: boolean
  readonly json?: boolean
}

/**
 * `groundmill stats`: sums of commit records, so it answers at once at any size; or, exact, what the rows
 * say. Of a run also what its models scored.
 */
export async function stats(url: string, options: StatsOptions, signal: AbortSignal): Promise<void> {
  const vocabulary =
    options.vocabulary === undefined
      ? undefined
      : await (await import('../catalog/read-vocabulary.js')).readVocabulary(options.vocabulary)
  const statisticsOptions = { top: options.top, vocabulary }
  const progress = createProgress()
  const datasets: DatasetStatistics[] = []
  const selections: { readonly dataset: string; readonly name: string; readonly pictures: number }[] = []
  const mends: (StoredMend & { readonly dataset: string })[] = []
  const funnel: (FunnelStage & { readonly dataset: string })[] = []
  for (const path of await datasetsAt(url)) {
    const storage = openStorage(path)
    const { name, shards } = await readDataset(storage)
    const stages = await datasetFunnel(storage)
    for (const { name: selection, keys } of await listSelections(storage))
      selections.push({ dataset: name, name: selection, pictures: keys.length })
    funnel.push(...stages.map((stage) => ({ dataset: name, ...stage })))
    const found = await mendsOf(path, { name, storage, shards }, stages)
    mends.push(...found.map((mend) => ({ dataset: name, ...mend })))
    if (!options.exact) datasets.push(datasetStatistics(name, stages, statisticsOptions))
    else {
      const { exactStatistics } = await import('../query/exact-statistics.js')
      const onStage = (stage: string, done: number, total: number) =>
        progress.update(`${name} / ${stage}`, done, total)
      datasets.push(await exactStatistics(storage, { ...statisticsOptions, signal, onStage }))
    }
  }
  const evaluations = await evaluationsOf(url)
  const run = await runOf(url)
  if (options.exact) progress.finish(`✓ rows read of ${counted(datasets.length, 'dataset')}`)
  if (options.json) {
    // What the records have recorded is in the statistics, in one shape with what the rows say.
    const rows = funnel.map(({ stats: _, recorded: __, ...stage }) => stage)
    printJson({ dataset: url, funnel: rows, datasets, selections, mends, evaluations, ...(run && { run }) })
    return
  }
  const chosen =
    selections.length > 0
      ? [
          formatTable(
            ['dataset', 'selection', 'pictures'],
            selections.map(({ dataset, name, pictures }) => [dataset, name, pictures]),
          ),
        ]
      : []
  const told =
    mends.length > 0
      ? [
          [
            'what to do about rejects:',
            ...mends.map(({ stage, reason, count, mend }) => `  ${stage}, ${reason} ${count}: ${mend}`),
          ].join('\n'),
        ]
      : []
  const working = run ? await workText(run) : []
  const shown = options.all ? evaluations : evaluations.slice(-mostEvaluations)
  const scores = shown.length > 0 ? [await scoresText(shown)] : []
  const earlier = evaluations.length - shown.length
  if (earlier > 0) scores.push(`(${earlier} earlier evaluations are left out)`)
  if (options.all) {
    const rounds = roundTable(datasets)
    const tables = [
      funnelTable(funnel),
      sourceTable(datasets),
      ...chosen,
      ...told,
      ...working,
      ...(rounds ? [rounds] : []),
    ]
    return print([...tables, ...scores, ...everyStage(datasets, funnel)].join('\n\n'))
  }
  const blocks = datasets.slice(0, mostDatasets).map((own) =>
    overviewText(
      own,
      funnel.filter(({ dataset }) => dataset === own.dataset),
    ),
  )
  const more = datasets.slice(mostDatasets).map(({ dataset }) => dataset)
  if (more.length > 0) blocks.push(`${counted(more.length, 'more dataset')}: ${nameList(more)}`)
  print([...blocks, ...told, ...chosen, ...working, ...scores, everything].join('\n\n'))
}

/** So many of a run's datasets are shown, the first ones, and so many of its evaluations, the last ones. */
const mostDatasets = 10
const mostEvaluations = 10

const everything =
  '(--all draws every histogram and lists hosts, licences and reasons; --json has all as JSON)'

/** All that is known of each stage, a text each. */
const everyStage = (
  datasets: readonly DatasetStatistics[],
  funnel: readonly (FunnelStage & { readonly dataset: string })[],
): string[] =>
  datasets.flatMap(({ dataset, stages }) =>
    stages.map((statistics) => {
      const { stage, family } = statistics
      const funnelStage = funnel.find(
        (entry) => entry.dataset === dataset && entry.stage === stage && entry.family === family,
      ) as FunnelStage
      return stageText(dataset, statistics, funnelStage)
    }),
  )

/** What to do about the rejects of a dataset; nothing where it lies in no run, whose pipeline would say how it was made. */
async function mendsOf(url: string, dataset: Dataset, stages: readonly FunnelStage[]): Promise<StoredMend[]> {
  try {
    return await storedMends(runOfDataset({ url, storage: dataset.storage }), dataset, stages)
  } catch (error) {
    if (error instanceof UserError) return []
    throw error
  }
}

/** Who works on a run, and what was set aside; undefined where nobody does and nothing was. */
async function runOf(url: string): Promise<Pick<RunState, 'at' | 'processes' | 'setAside'> | undefined> {
  const storage = openStorage(url)
  if ((await readPresences(storage)).length === 0) return undefined
  const { runStateReader } = await import('../pipeline/tasks/run-state.js')
  const { at, processes, setAside } = await runStateReader(storage)()
  return { at, processes, setAside }
}

async function workText(run: Pick<RunState, 'at' | 'processes' | 'setAside'>): Promise<string[]> {
  const { setAsideText, workersText } = await import('./terminal/print-run-state.js')
  return [workersText(run, 5), setAsideText(run, 5)].filter((text) => text !== '')
}

type StageScores = { readonly stage: string } & Told<Evaluation>

async function scoresText(shown: readonly StageScores[]): Promise<string> {
  const { evaluationTable } = await import('./terminal/print-report.js')
  const scored = shown.map(({ stage, ...evaluation }) => ({ labels: [stage], evaluation }))
  return evaluationTable(['evaluation'], scored)
}

/** What the evaluate stages of a run have left, the oldest first; none where `url` is a dataset's. */
async function evaluationsOf(url: string): Promise<StageScores[]> {
  const storage = openStorage(url)
  const names = (await storage.list(evaluationFolder)).filter(isEvaluationRecord)
  if (names.length === 0) return []
  const { readRunRecord } = await import('../pipeline/records/run-record.js')
  const { isEvaluation } = await import('../pipeline/promotion/is-evaluation.js')
  const { toldScores } = await import('../evaluate/compare/told-scores.js')
  const read = await Promise.all(names.map((name) => readRunRecord<Evaluation>(storage, name)))
  return read
    .flatMap((record) => (record && isEvaluation(record.result) ? record : []))
    .sort(byOrder)
    .map(({ stage, result }) => ({ stage, ...toldScores(result) }))
}
