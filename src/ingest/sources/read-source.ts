import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { orPackaged, packagedCard } from '../../base/packaged.js'
import { parseConfig, readYaml } from '../../base/parse-config.js'
import { UserError } from '../../base/user-error.js'
import { isCompressed } from '../read/read-bytes.js'
import { readAt } from '../read/read-tar.js'
import { sourceFiles } from '../read/source-files.js'
import type { Mark, SourceRow } from '../read/source-row.js'
import { type Card, cardSchema, type IngestConfig, pairFormats } from './config.js'
import { readCoco } from './source-coco.js'
import { readFlickr30kEntities } from './source-flickr30k-entities.js'
import { readFolder } from './source-folder.js'
import { readGlipTsv } from './source-glip-tsv.js'
import { readJson } from './source-json.js'
import { readJsonl } from './source-jsonl.js'
import { readOdvg } from './source-odvg.js'
import { readOpenImages } from './source-openimages.js'
import { readParquet } from './source-parquet.js'
import { readRefcoco } from './source-refcoco.js'
import { readRegionCsv } from './source-region-csv.js'
import { readCsv, readTsv } from './source-table.js'
import { readVisualGenome } from './source-visual-genome.js'
import { readWebDataset } from './source-webdataset.js'
import { readYolo } from './source-yolo.js'

type Located = IngestConfig & { path: string }
type Reader = (config: Located, from?: Mark, marksOnly?: boolean) => AsyncGenerator<SourceRow>

/** Formats that are read file after file, and what their files end in. */
const readers: Readonly<Record<string, { readonly read: Reader; readonly endings: readonly string[] }>> = {
  tsv: { read: readTsv, endings: ['.tsv', '.txt'] },
  csv: { read: readCsv, endings: ['.csv'] },
  jsonl: { read: readJsonl, endings: ['.jsonl', '.ndjson'] },
  json: { read: readJson, endings: ['.json'] },
  parquet: { read: readParquet, endings: ['.parquet'] },
  webdataset: { read: readWebDataset, endings: ['.tar', '.tgz'] },
  odvg: { read: readOdvg, endings: ['.jsonl', '.json'] },
  'csv-regions': { read: readRegionCsv, endings: ['.csv'] },
}

/** Formats whose path is one thing. */
const singleReaders: Readonly<Record<string, Reader>> = {
  folder: readFolder,
  openimages: readOpenImages,
  'visual-genome': readVisualGenome,
  'flickr30k-entities': readFlickr30kEntities,
  refcoco: readRefcoco,
  'glip-tsv': readGlipTsv,
  yolo: readYolo,
}

/** Reads a dataset card: a file, or the name of a card that comes with the program. */
export async function readCard(given: string): Promise<Card> {
  const path = packagedCard(given) ?? orPackaged(given)
  return parseConfig(cardSchema, await readYaml(path), path)
}

/**
 * The configuration with what its card gives filled in. The card's licence is that of the list and stays with the card:
 * a picture has its own.
 */
export async function withCard(
  config: IngestConfig,
): Promise<{ readonly config: IngestConfig; readonly card: Card | null }> {
  if (!config.card) return { config, card: null }
  const card = await readCard(config.card)
  const { name, title, homepage, paper, license, rows, expected, quirks, unchecked, ...source } = card
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
  return { config: { ...source, ...given } as IngestConfig, card }
}

/** Whether a (card-filled) configuration names a source with boxes. */
export function hasBoxes({ format, instances, columns }: IngestConfig): boolean {
  if (format === 'coco') return instances !== undefined
  if (format === 'parquet' || format === 'webdataset') return columns?.regions !== undefined
  return format !== undefined && !(pairFormats as readonly string[]).includes(format)
}

/**
 * A reader that stopped after some rows, kept to go on from there: a compressed file has no way in but from its start,
 * and the shards of a source are made one after the other.
 */
let parked: { readonly key: string; readonly rows: AsyncGenerator<SourceRow> } | undefined

/**
 * Rows of the source that a (card-filled) configuration names, from a mark on.
 *
 * @param marksOnly whether only the rows' places are looked at
 */
export async function* readSource(
  config: IngestConfig,
  from?: Mark,
  marksOnly = false,
): AsyncGenerator<SourceRow> {
  const key = await parkingKey(config, marksOnly)
  const waiting = parked?.key === key ? parked?.rows : undefined
  if (waiting) parked = undefined
  let rows = waiting ?? openSource(config, from, marksOnly)
  let ended = false
  try {
    let next = await rows.next()
    if (waiting && (next.done || !from || !isSameMark(next.value.mark, from))) {
      await rows.return(undefined)
      rows = openSource(config, from, marksOnly)
      next = await rows.next()
    }
    for (; !next.done; next = await rows.next()) yield next.value
    ended = true
  } catch (error) {
    ended = true
    throw error
  } finally {
    if (!ended && key !== undefined) {
      const before = parked?.rows
      parked = { key, rows }
      await before?.return(undefined)
    } else await rows.return(undefined)
  }
}

/** What tells a parked reader from others; undefined where a reader has a cheap way in. */
async function parkingKey(config: IngestConfig, marksOnly: boolean): Promise<string | undefined> {
  if (marksOnly || !config.format) return undefined
  const files = await listFiles(config)
  if (config.format !== 'json' && !files.some(isCompressed)) return undefined
  const versions = await Promise.all(files.map(async (path) => [path, (await stat(path)).mtimeMs]))
  return JSON.stringify([config, versions])
}

const isSameMark = (a: Mark, b: Mark) => a.at === b.at && a.line === b.line && (a.file ?? 0) === (b.file ?? 0)

function openSource(config: IngestConfig, from: Mark | undefined, marksOnly: boolean) {
  if (!config.format) throw new UserError('An ingest stage needs `format` or `card`.')
  if (config.format === 'coco') return readCoco(config, from)
  const { path } = config
  if (!path) throw new UserError(`An ingest stage of format ${config.format} needs \`path\`.`)
  const located = { ...config, path }
  const single = singleReaders[config.format]
  return single ? single(located, from, marksOnly) : readFiles(located, from, marksOnly)
}

/** The rows of each file, their marks numbered by it. */
async function* readFiles(config: Located, from: Mark | undefined, marksOnly: boolean) {
  const { read, endings } = readers[config.format as string]
  const files = await sourceFiles(config.path, endings)
  const first = from?.file ?? 0
  for (let file = first; file < files.length; file++) {
    const rows = read({ ...config, path: files[file] }, file === first ? from : undefined, marksOnly)
    if (file === 0) yield* rows
    else for await (const row of rows) yield { ...row, mark: { ...row.mark, file } }
  }
}

/** The lists that a source is read from. */
async function listFiles({
  format,
  path,
  captions,
  instances,
  classes,
  image_list,
  images,
}: IngestConfig): Promise<string[]> {
  const known = format && readers[format]
  const lists = known && path ? await sourceFiles(path, known.endings) : path ? [path] : []
  const beside = [captions, instances, classes, image_list, ...(format === 'glip-tsv' ? [images] : [])]
  return [...lists, ...beside.filter((file) => file !== undefined)]
}

/** Formats that are folders of many small files. */
const listless: ReadonlySet<string> = new Set(['folder', 'flickr30k-entities', 'yolo'])

/** Larger files are known by their size and by samples: a set of tars holds all its pictures. */
const wholeBelow = 1 << 30
const samples = 64
const sampleBytes = 1 << 20

/**
 * SHA-256 over the lists that a source is read from; of a folder of pictures, over what it lists. Of a file over 1 GiB,
 * over its size and 64 parts of a MiB, evenly spread.
 */
export async function hashSource(config: IngestConfig): Promise<string> {
  const hash = createHash('sha256')
  if (config.format && listless.has(config.format)) {
    for await (const { place, captions, regions } of readSource(config, undefined, true)) {
      hash.update(`${place}\n${JSON.stringify(regions ? [captions, regions] : captions)}\n`)
    }
    return hash.digest('hex')
  }
  for (const path of await listFiles(config)) {
    const { size } = await stat(path)
    if (size <= wholeBelow) {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
      continue
    }
    hash.update(String(size))
    const handle = await open(path, 'r')
    try {
      for (let sample = 0; sample < samples; sample++) {
        const at = Math.floor((sample * (size - sampleBytes)) / (samples - 1))
        hash.update(await readAt(handle, at, sampleBytes))
      }
    } finally {
      await handle.close()
    }
  }
  return hash.digest('hex')
}
