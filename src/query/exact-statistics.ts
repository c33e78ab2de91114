import type { DuckDBConnection } from '@duckdb/node-api'
import { UserError } from '../base/user-error.js'
import {
  countsOf,
  type DatasetStatistics,
  type Measured,
  type MeasuredLabels,
  type StatisticsOptions,
  stageStatistics,
} from '../catalog/dataset-statistics.js'
import { datasetFunnel, type FunnelStage } from '../catalog/funnel.js'
import { coverageOf } from '../catalog/vocabulary.js'
import { readDataset } from '../shards/dataset.js'
import { type MeasureName, measures } from '../statistics/measures.js'
import type { Storage } from '../storage/storage.js'
import { type CommittedFile, type DatasetFiles, verifyFiles, withDatasetFiles } from './dataset-files.js'
import {
  chunkQueries,
  groundingQueries,
  imageQueries,
  negativeQueries,
  phraseQueries,
  proposalQueries,
  type StageQueries,
  verdictQueries,
} from './measure-sql.js'
import { openDuckDb } from './open-duckdb.js'
import { quoted, rowsOf } from './sql.js'

/** Median and quartiles of more values are estimated by a t-digest: exactly, all of them would have to be in memory. */
const maxExactMedian = 10_000_000

export interface ExactOptions extends StatisticsOptions {
  readonly signal?: AbortSignal
  /** Told before each stage. */
  readonly onStage?: (stage: string, done: number, total: number) => void
}

/**
 * Statistics of a dataset from its rows, in the shape of those from its records (`datasetStatistics`), with
 * nothing estimated but medians and quartiles of more than ten million values. The funnel's counts, and what is not in the
 * rows (boxes that ingest dropped), are the records' alone.
 *
 * @throws UserError as `datasetFiles` does; the signal's reason where that is aborted
 */
export function exactStatistics(storage: Storage, options: ExactOptions): Promise<DatasetStatistics> {
  return withDatasetFiles(storage, (files) => statisticsOf(storage, files, options))
}

async function statisticsOf(
  storage: Storage,
  files: DatasetFiles,
  options: ExactOptions,
): Promise<DatasetStatistics> {
  const { name } = await readDataset(storage)
  const funnel = await datasetFunnel(storage)
  const paths = Object.values(files).flatMap((stages) =>
    [...stages.values()].flat().map(({ path }: CommittedFile) => path),
  )
  const strange = funnel.find(({ stage, family }) => !files[family].get(stage)?.length)
  if (strange)
    throw new UserError(
      `${storage.path('dataset.json')} lists none of the shards that "${strange.stage}" has made: \`groundmill check ${storage.url}\` says which are there, and its ingest stage, run again, lists them.`,
    )
  await verifyFiles(storage, files, paths, options.signal)
  const { connection, explain, close } = await openDuckDb(paths, [], options.signal)
  try {
    const stages = []
    for (const [at, stage] of funnel.entries()) {
      options.onStage?.(stage.stage, at, funnel.length)
      stages.push(stageStatistics(stage, await measure(connection, queriesOf(stage, files), options), true))
    }
    return { dataset: name, exact: true, counts: countsOf(stages), stages }
  } catch (error) {
    options.signal?.throwIfAborted()
    throw explain(error)
  } finally {
    await close()
  }
}

/** The queries over a stage's files. Gold ingest wrote phrases, grounding and negatives too. */
function queriesOf({ stage, family, in: inputs }: FunnelStage, files: DatasetFiles): readonly StageQueries[] {
  const stageFiles = files[family].get(stage) ?? []
  const images = [...files.images.values()].flat()
  switch (family) {
    case 'images': {
      const phrases = files.phrases.get(stage)
      const grounding = files.grounding.get(stage)
      if (!phrases || !grounding) return [imageQueries(stageFiles)]
      const captions = `select coalesce(sum(len(captions)), 0)::bigint from ${rowsOf(stageFiles)}`
      const { words, ...regions } = groundingQueries(grounding, stageFiles)
      // A dataset of an older version has no negatives.
      const negatives = files.negatives.get(stage)
      return [
        imageQueries(stageFiles),
        phraseQueries(phrases, captions),
        { ...regions, words },
        ...(negatives ? [negativeQueries(negatives)] : []),
      ]
    }
    case 'verdicts':
      return [verdictQueries(stageFiles)]
    case 'negatives':
      return [negativeQueries(stageFiles)]
    case 'phrases':
      return [chunkQueries(stageFiles, inputs)]
    case 'proposals':
      return [proposalQueries(stageFiles, inputs)]
    case 'grounding': {
      const all = [...files.phrases.values()].flat()
      const phraseFiles = stageFiles.flatMap(
        ({ phrases }) => all.find(({ sha256 }) => sha256 === phrases) ?? [],
      )
      return [
        groundingQueries(
          stageFiles,
          images,
          phraseFiles.length === stageFiles.length ? phraseFiles : undefined,
        ),
      ]
    }
    default:
      return [
        {
          counts: [`select count(*) filter (where reason is null) as images from ${rowsOf(stageFiles)}`],
          values: {},
          words: {},
        },
      ]
  }
}

async function measure(
  connection: DuckDBConnection,
  queries: readonly StageQueries[],
  options: ExactOptions,
): Promise<Measured> {
  const one = async (sql: string) => {
    // An abort between two queries interrupts none of them: it is checked here.
    options.signal?.throwIfAborted()
    return (await connection.runAndReadAll(sql)).getRowObjectsJS()[0] as Record<string, unknown>
  }
  const counts: Record<string, number> = {}
  const histograms: Record<string, Measured['histograms'][string]> = {}
  const labels: Record<string, MeasuredLabels> = {}
  for (const query of queries) {
    for (const sql of query.counts)
      for (const [name, count] of Object.entries(await one(sql))) counts[name] = Number(count)
    for (const [name, sql] of Object.entries(query.values))
      histograms[name] = await histogramOf(one, sql, measures[name as MeasureName].edges)
    for (const [name, sql] of Object.entries(query.words))
      labels[name] = await labelsOf(connection, sql, name === 'heads' ? options : { top: options.top })
  }
  return { counts, histograms, labels }
}

async function histogramOf(
  one: (sql: string) => Promise<Record<string, unknown>>,
  sql: string,
  edges: readonly number[],
): Promise<Measured['histograms'][string]> {
  const limits = [null, ...edges, null]
  const bins = limits.slice(1).map((high, at) => {
    const low = limits[at]
    const within = [low !== null && `v >= ${low}::double`, high !== null && `v < ${high}::double`].filter(
      Boolean,
    )
    return `count(*) filter (where ${within.join(' and ') || 'true'}) as b${at}`
  })
  const values = `(select v::double as v from (${sql}))`
  const row = await one(
    `select ${bins.join(', ')}, count(*) as n, sum(v) as total, sum(v * v) as squares, min(v) as least, max(v) as most from ${values}`,
  )
  const number = (value: unknown) => (value === null ? null : Number(value))
  const isMany = Number(row.n) > maxExactMedian
  const quantile = isMany ? 'approx_quantile' : 'quantile_cont'
  const { q1, q2, q3 } = await one(
    `select ${[1, 2, 3].map((at) => `${quantile}(v, ${at / 4}) as q${at}`).join(', ')} from ${values}`,
  )
  return {
    edges,
    counts: bins.map((_, at) => Number(row[`b${at}`])),
    moments: {
      sum: Number(row.total ?? 0),
      squares: Number(row.squares ?? 0),
      min: number(row.least),
      max: number(row.most),
    },
    quarters: q2 === null ? null : [Number(q1), Number(q2), Number(q3)],
    areQuartersEstimated: isMany,
  }
}

async function labelsOf(
  connection: DuckDBConnection,
  sql: string,
  { top, vocabulary }: StatisticsOptions,
): Promise<MeasuredLabels> {
  const rows = async (text: string) => (await connection.runAndReadAll(text)).getRowsJS()
  // Once, since three questions are asked of it; it spills to the folder for temporary files.
  await connection.run(
    `create or replace temp table tally as select word, count(*) as n from (${sql}) group by word`,
  )
  const [[total, different, once] = []] = await rows(
    'select coalesce(sum(n), 0), count(*), count(*) filter (where n = 1) from tally',
  )
  const ranked = await rows(`select word, n from tally order by n desc, word limit ${top}`)
  const names = [...new Set(vocabulary?.flat())]
  const seen =
    names.length > 0
      ? await rows(`select word, n from tally where word in (${names.map(quoted).join(', ')})`)
      : []
  const counted = (cells: readonly (readonly unknown[])[]) =>
    cells.map(([word, n]) => [String(word), Number(n)] as [string, number])
  return {
    total: Number(total),
    different: Number(different),
    once: Number(once),
    isEstimated: false,
    top: counted(ranked),
    more: 0,
    ...(vocabulary && { vocabulary: coverageOf(vocabulary, new Map(counted(seen)), Number(total)) }),
  }
}
