import { readFile } from 'node:fs/promises'
import { orderedMap } from '../ordered-map.js'
import type { GroundingRow, ImageRow, PhraseRow, RejectRow } from '../shards/rows.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { statsBuilder } from '../shards/stats.js'
import { writeShard } from '../shards/write-shard.js'
import type { IngestConfig } from './config.js'
import { createFetcher, type Fetcher } from './fetch-image.js'
import { goldRows } from './gold-rows.js'
import { type NormalImage, normaliseImage } from './normalise-image.js'
import type { ShardPlan } from './plan-ingest.js'
import { hasBoxes, readSource, withCard } from './read-source.js'
import { Reject } from './reject.js'
import type { SourceRow } from './source-row.js'

type Ingested =
  | {
      readonly kind: 'row'
      readonly image: ImageRow
      readonly phrases: PhraseRow
      readonly grounding: GroundingRow
      /** Boxes and captions of the picture that were left out, by reason. */
      readonly dropped: readonly Readonly<Record<string, number>>[]
    }
  | { readonly kind: 'reject'; readonly reject: RejectRow }

const sideEdges = [64, 128, 256, 512, 1024]
const byteEdges = [1e3, 1e4, 1e5, 1e6]

/**
 * Fetches or reads the pictures of one shard and writes `images`; where the source has boxes, `phrases` and
 * `grounding` beside it. Rows keep the order of the source whatever the order of arrival; a key is the shard's number
 * and the row's place in it, so a rejected row leaves a gap.
 */
export async function ingestShard(
  task: ShardTask,
  given: IngestConfig,
  plan: ShardPlan,
): Promise<ShardResult> {
  return runShardTask(task, 'images', async (): Promise<ShardOutput> => {
    const { config } = await withCard(given)
    const fetcher = createFetcher(config.fetch)
    try {
      return await ingestRows(task, config, plan, fetcher)
    } finally {
      await fetcher.close()
    }
  })
}

async function ingestRows(
  task: ShardTask,
  config: IngestConfig,
  plan: ShardPlan,
  fetcher: Fetcher,
): Promise<ShardOutput> {
  const { storage, stage, shard, signal, onProgress } = task
  const stats = statsBuilder()
  const rejected: Record<string, number> = {}
  const rejects: RejectRow[] = []
  const phrases: PhraseRow[] = []
  const grounding: GroundingRow[] = []
  // By the configuration, not by the rows: a shard whose pictures all failed is gold as well.
  const gold = hasBoxes(config)
  let done = 0
  let out = 0

  const rows = orderedMap(
    numbered(readSource(config, plan.mark), plan.rows),
    config.fetch.concurrency,
    ([row, index]) => ingestRow(row, `${shard}${String(index).padStart(4, '0')}`, config, fetcher, signal),
  )
  async function* images(): AsyncGenerator<ImageRow> {
    for await (const result of rows) {
      signal?.throwIfAborted()
      done++
      onProgress?.(done)
      if (result.kind === 'reject') {
        rejects.push(result.reject)
        rejected[result.reject.reason] = (rejected[result.reject.reason] ?? 0) + 1
        continue
      }
      const { image } = result
      out++
      phrases.push(result.phrases)
      grounding.push(result.grounding)
      stats.count('images')
      stats.count('captions', image.captions.length)
      stats.count('phrases', result.phrases.phrases.length)
      stats.count('regions', result.grounding.regions.length)
      for (const reasons of result.dropped) {
        for (const [reason, count] of Object.entries(reasons)) stats.tally('dropped', reason, count)
      }
      stats.count('image_bytes', image.image.bytes.length)
      stats.observe('longer_side', sideEdges, Math.max(image.width, image.height))
      stats.observe('image_bytes', byteEdges, image.image.bytes.length)
      for (const { kind } of image.captions) stats.tally('caption_kinds', kind)
      yield image
    }
  }

  const imageFile = await writeShard(storage, 'images', null, shard, images())
  const rejectFile = await writeShard(storage, 'rejects', stage, shard, rejects)
  const files = { images: imageFile, rejects: rejectFile }
  const sums = { unit: 'pairs', in: done, out, rejected, stats: stats.build() }
  if (!gold) return { files, ...sums }
  const phraseFile = await writeShard(storage, 'phrases', stage, shard, phrases)
  const groundingFile = await writeShard(storage, 'grounding', stage, shard, grounding)
  return { files: { ...files, phrases: phraseFile, grounding: groundingFile }, ...sums }
}

async function* numbered(
  rows: AsyncGenerator<SourceRow>,
  count: number,
): AsyncGenerator<readonly [SourceRow, number]> {
  let index = 0
  for await (const row of rows) {
    yield [row, index++]
    if (index === count) return
  }
}

async function ingestRow(
  row: SourceRow,
  key: string,
  config: IngestConfig,
  fetcher: Fetcher,
  signal?: AbortSignal,
): Promise<Ingested> {
  try {
    signal?.throwIfAborted()
    if (row.problem) throw new Reject(row.problem.reason, row.problem.detail)
    if (row.captions.length === 0 && !row.regions?.length)
      throw new Reject('empty_caption', `${row.place}: neither captions nor boxes`)
    const bytes = await bytesOf(row, config, fetcher, signal)
    const picture = await normaliseImage(bytes, row.url ?? row.file ?? row.place, config.image)
    const { width, height } = picture
    const stored = { width, height, scale: boxScale(row, picture) }
    const gold = goldRows(row, stored, config.prompt, row.place)
    if (gold.captions.length === 0)
      throw new Reject('empty_caption', `${row.place}: no captions, and no box in the picture`)
    const image: ImageRow = {
      key,
      image: { bytes: picture.bytes, path: null },
      width,
      height,
      captions: gold.captions,
      url: row.url,
      sha256: picture.sha256,
      phash: picture.phash,
      license: row.license ?? config.license ?? null,
      meta: row.meta && JSON.stringify(row.meta),
    }
    return {
      kind: 'row',
      image,
      phrases: { key, phrases: gold.phrases },
      grounding: { key, regions: gold.regions },
      dropped: [row.dropped, gold.dropped],
    }
  } catch (error) {
    if (!(error instanceof Reject)) throw error
    return { kind: 'reject', reject: { key, url: row.url, reason: error.reason, detail: error.message } }
  }
}

/** What the source holds, else what lies on the disk, else what the web answers. */
async function bytesOf(
  row: SourceRow,
  config: IngestConfig,
  fetcher: Fetcher,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (row.load) return row.load()
  return row.file ? readImage(row.file) : fetcher.fetch(resolveUrl(row, config.base_url), signal)
}

/**
 * Pixels of the stored picture for one unit of the boxes'. Boxes are in the picture that the source describes; what was
 * fetched may have another size, but not another shape.
 */
function boxScale(
  { size, regions, boxUnit, place }: SourceRow,
  { width, height, scale }: NormalImage,
): readonly [number, number] {
  if (boxUnit === 'share') return [width, height]
  if (!size) return [scale, scale]
  const ratio = width / size.width
  // Rounding of a resized side may move it by a pixel.
  if (regions?.length && Math.abs(height - ratio * size.height) > 1 + 0.02 * height) {
    const shapes = `${size.width} x ${size.height}, the picture is shaped ${width} x ${height}`
    throw new Reject('size_mismatch', `${place}: boxes are in a picture of ${shapes}`)
  }
  return [ratio, ratio]
}

function resolveUrl({ url, place }: SourceRow, base: string | undefined): string {
  if (url === null) throw new Reject('malformed_row', `${place}: no url`)
  return base && URL.canParse(url, base) ? new URL(url, base).href : url
}

async function readImage(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => {
    throw new Reject('missing_file', (error as Error).message)
  })
}
