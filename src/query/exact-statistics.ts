import type { DuckDBConnection } from '@duckdb/node-api'
import {
  countsOf,
  type DatasetStatistics,
  type Measured,
  type MeasuredLabels,
  type StatisticsOptions,
  stageStatistics,
} from '../shards/dataset-statistics.js'
import { datasetFunnel, type FunnelStage } from '../shards/funnel.js'
import { hostPattern, type MeasureName, measures } from '../shards/measures.js'
import type { Family } from '../shards/rows.js'
import type { Storage } from '../shards/storage.js'
import { coverageOf, type Vocabulary } from '../shards/vocabulary.js'
import { type CommittedFile, type DatasetFiles, datasetFiles } from './dataset-files.js'
import { openDuckDb } from './open-duckdb.js'
import { itemsOf, quoted, rowsOf } from './sql.js'

/** Queries that give one `value` a row. */
interface Values {
  readonly numbers: Partial<Record<MeasureName, string>>
  readonly labels: Readonly<Record<string, string>>
  /** Queries that give one number. */
  readonly counts: Readonly<Record<string, string>>
}

const none: Values = { numbers: {}, labels: {}, counts: {} }

/**
 * Statistics of a dataset from its rows, in the shape of those from its records, by DuckDB: medians and long tails, which
 * records can only estimate, are exact, and shards that an older program made are measured too.
 *
 * @throws UserError where it is no dataset, or not on this machine; the signal's reason where that is aborted
 */
export async function exactStatistics(
  storage: Storage,
  dataset: string,
  options: StatisticsOptions,
  signal?: AbortSignal,
): Promise<DatasetStatistics> {
  const funnel = await datasetFunnel(storage)
  const files = await datasetFiles(storage)
  const paths = Object.values(files).flatMap((stages) => [...stages.values()].flat().map(({ path }) => path))
  const { connection, close } = await openDuckDb([...new Set(paths)], [], signal)
  try {
    const stages = []
    for (const stage of funnel) {
      const values = valuesOf(files, stage)
      const measured = await measure(connection, values, options)
      // What is only counted while a stage works, such as phrases that are told apart, is as its records say.
      const counts = { ...stage.stats.counts, ...measured.counts }
      stages.push(stageStatistics(stage, { ...measured, counts }, true))
    }
    return { dataset, exact: true, counts: countsOf(stages), stages }
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    await close()
  }
}

/** What is measured of a stage's families: `recordedOf` says the same of rows while they are written. */
function valuesOf(files: DatasetFiles, { stage, family, stats }: FunnelStage): Values {
  const own = (of: Family) => files[of].get(stage) ?? []
  const images = [...files.images.values()].flat()
  switch (family) {
    case 'images': {
      const [phrases, regions] = [own('phrases'), own('grounding')]
      const parts = [ofImages(own('images'))]
      if (phrases.length > 0) parts.push(ofPhrases(phrases, images))
      // Gold's heads are those of its phrases.
      if (regions.length > 0) parts.push(ofRegions(regions, images))
      return joined(parts)
    }
    case 'phrases':
      // Shards of older programs have not that column.
      return joined([
        ofPhrases(own('phrases'), images),
        ...(Object.hasOwn(stats.tallies, 'left_out') ? [ofLeftOut(own('phrases'))] : []),
      ])
    case 'proposals':
      return ofProposals(own('proposals'), files)
    case 'grounding':
      return joined([ofRegions(own('grounding'), images), ofHeads(own('grounding'), files)])
    default:
      return none
  }
}

const joined = (parts: readonly Values[]): Values => ({
  numbers: Object.assign({}, ...parts.map(({ numbers }) => numbers)),
  labels: Object.assign({}, ...parts.map(({ labels }) => labels)),
  counts: Object.assign({}, ...parts.map(({ counts }) => counts)),
})

/** As `countWords` counts: RE2's \s knows ASCII alone. */
const wordsOf = (text: string) => `len(regexp_extract_all(${text}, '[^\\t\\n\\v\\f\\r\\p{Z}\\x{FEFF}]+'))`

function ofImages(own: readonly CommittedFile[]): Values {
  const rows = rowsOf(own)
  const captions = itemsOf(own, 'captions')
  const host = `lower(regexp_extract(url, ${quoted(hostPattern)}, 1, 'i'))`
  return {
    numbers: {
      longer_side: `select greatest(width, height) as value from ${rows}`,
      picture_aspect: `select width::double / height as value from ${rows}`,
      image_bytes: `select octet_length(image.bytes) as value from ${rows}`,
      captions_an_image: `select len(captions) as value from ${rows}`,
      words_a_caption: `select ${wordsOf('item.text')} as value from ${captions}`,
    },
    labels: {
      caption_kinds: `select item.kind as value from ${captions}`,
      hosts: `select ${host} as value from ${rows} where url is not null and ${host} <> ''`,
      licenses: `select license as value from ${rows} where license is not null`,
    },
    counts: {
      images: `select count(*) from ${rows}`,
      captions: `select coalesce(sum(len(captions)), 0) from ${rows}`,
      image_bytes: `select coalesce(sum(octet_length(image.bytes)), 0) from ${rows}`,
    },
  }
}

function ofPhrases(own: readonly CommittedFile[], images: readonly CommittedFile[]): Values {
  const phrases = itemsOf(own, 'phrases')
  const shards = new Set(own.map(({ shard }) => shard))
  const captions = itemsOf(
    images.filter(({ shard }) => shards.has(shard)),
    'captions',
  )
  return {
    numbers: {
      phrases_a_caption: `select count(p.key) as value from ${captions} c
        left join (select key, item.caption as caption from ${phrases}) p on p.key = c.key and p.caption = c.place
        group by c.key, c.place`,
      words_a_phrase: `select ${wordsOf('item.text')} as value from ${phrases}`,
    },
    labels: { heads: `select item.head as value from ${phrases}` },
    counts: { phrases: `select count(*) from ${phrases}` },
  }
}

const ofLeftOut = (own: readonly CommittedFile[]): Values => ({
  ...none,
  labels: { left_out: `select item.reason as value from ${itemsOf(own, 'left_out')}` },
})

function ofProposals(own: readonly CommittedFile[], files: DatasetFiles): Values {
  const boxes = itemsOf(own, 'proposals')
  const asked = itemsOf(phrasesBehind(own, files), 'phrases')
  return {
    numbers: {
      score: `select item.score as value from ${boxes}`,
      boxes_a_phrase: `select count(b.key) as value from ${asked} p
        left join (select key, item.phrase as phrase from ${boxes}) b on b.key = p.key and b.phrase = p.place
        group by p.key, p.place`,
    },
    labels: {},
    counts: { proposals: `select count(*) from ${boxes}` },
  }
}

function ofRegions(own: readonly CommittedFile[], images: readonly CommittedFile[]): Values {
  const regions = itemsOf(own, 'regions')
  const side = (from: number, to: number) => `(item.xyxy[${to}]::double - item.xyxy[${from}]::double)`
  return {
    numbers: {
      regions_an_image: `select len(regions) as value from ${rowsOf(own)}`,
      score: `select item.score as value from ${regions}`,
      area_share: `select greatest(${side(1, 3)}, 0) * greatest(${side(2, 4)}, 0) / (i.width * i.height) as value
        from ${regions} r join (select key, width, height from ${rowsOf(images)}) i using (key)`,
      aspect: `select ${side(1, 3)} / ${side(2, 4)} as value from ${regions}`,
    },
    labels: { origins: `select item.origin as value from ${regions}` },
    counts: {
      regions: `select count(*) from ${regions}`,
      grounded_images: `select count(*) from ${rowsOf(own)} where len(regions) > 0`,
    },
  }
}

function ofHeads(own: readonly CommittedFile[], files: DatasetFiles): Values {
  const phrases = itemsOf(phrasesBehind(own, files), 'phrases')
  return {
    ...none,
    labels: {
      heads: `select p.item.head as value from ${itemsOf(own, 'regions')} r
        join ${phrases} p on p.key = r.key and p.place = r.item.phrase`,
    },
  }
}

/** The phrases that these files point to: those of the hash in their records. */
function phrasesBehind(own: readonly CommittedFile[], files: DatasetFiles): CommittedFile[] {
  const wanted = new Set(own.map(({ phrases }) => phrases))
  // Two stages may have written the same phrases: one of them is enough.
  const found = new Map<string, CommittedFile>()
  for (const file of [...files.phrases.values()].flat())
    if (wanted.has(file.sha256)) found.set(`${file.shard} ${file.sha256}`, file)
  return [...found.values()]
}

async function measure(
  connection: DuckDBConnection,
  { numbers, labels, counts }: Values,
  options: StatisticsOptions,
): Promise<Measured> {
  const row = async (sql: string) => (await connection.runAndReadAll(sql)).getRows()[0].map(asNumber)
  const measured = {
    counts: {} as Record<string, number>,
    histograms: {} as Record<string, Measured['histograms'][string]>,
    labels: {} as Record<string, MeasuredLabels>,
  }
  for (const [name, sql] of Object.entries(counts)) measured.counts[name] = (await row(sql))[0] ?? 0
  for (const [name, sql] of Object.entries(numbers) as [MeasureName, string][]) {
    const { edges } = measures[name]
    const bins = [...edges, null].map((edge, at) => {
      const over = at === 0 ? [] : [`v >= ${edges[at - 1]}`]
      return `count(*) filter (${[...over, ...(edge === null ? [] : [`v < ${edge}`])].join(' and ')})`
    })
    const [sum, squares, min, max, median, ...hist] = await row(
      `select coalesce(sum(v), 0), coalesce(sum(v * v), 0), min(v), max(v), median(v), ${bins.join(', ')} from (select value::double as v from (${sql}))`,
    )
    measured.histograms[name] = {
      edges,
      counts: hist.map((count) => count ?? 0),
      moments: { sum: sum ?? 0, squares: squares ?? 0, min, max },
      median,
    }
  }
  for (const [name, sql] of Object.entries(labels)) {
    const words = `(select value, count(*) as n from (${sql}) group by value)`
    const [total, different, once] = await row(
      `select coalesce(sum(n), 0), count(*), count(*) filter (n = 1) from ${words}`,
    )
    const top = await counted(
      connection,
      `select value, n from ${words} order by n desc, value limit ${options.top}`,
    )
    measured.labels[name] = {
      ...{ total: total ?? 0, different: different ?? 0, once: once ?? 0, isEstimated: false, top, more: 0 },
      ...(options.vocabulary &&
        name === 'heads' && {
          vocabulary: await coverage(connection, options.vocabulary, words, total ?? 0),
        }),
    }
  }
  return measured
}

async function coverage(connection: DuckDBConnection, vocabulary: Vocabulary, words: string, total: number) {
  const names = [...new Set(vocabulary.flat())].map(quoted).join(', ')
  const heads = await counted(connection, `select value, n from ${words} where value in (${names})`)
  return coverageOf(vocabulary, new Map(heads), total)
}

async function counted(connection: DuckDBConnection, sql: string): Promise<[string, number][]> {
  const rows = (await connection.runAndReadAll(sql)).getRows()
  return rows.map(([word, n]) => [String(word), Number(n)])
}

/** Counts and sums of whole numbers come as bigint or decimal. */
const asNumber = (value: unknown): number | null => (value === null ? null : Number(value))
