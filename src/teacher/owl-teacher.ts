import { basename, resolve } from 'node:path'
import { UserError } from '../base/user-error.js'
import { clipBox } from '../boxes/xyxy.js'
import { longs, type Value } from '../graph/session.js'
import { SessionPool } from '../graph/session-pool.js'
import type { Picture } from '../pictures/picture.js'
import type { Xyxy } from '../rows/rows.js'
import { type QueryTokenizer, readClipTokenizer } from './clip-tokenizer.js'
import { groupByPicture, shareOut } from './group-by-picture.js'
import { requireJson } from './hf-folder.js'
import { clip, type ImageProcessor, readImageProcessor } from './hf-image-processor.js'
import { checkPorts, imageInput, runOverImages } from './image-runs.js'
import { cornersOf, keepBest, sigmoid } from './keep-best.js'
import type { OpenedFolder } from './opened-folder.js'
import type { DetectOptions, Query, Teacher } from './teacher.js'

/** Embeddings of phrases that are remembered: 100,000 of 512 numbers are 200 MB. */
const embeddingsKept = 100_000

const families: Readonly<Record<string, ImageProcessor>> = {
  owlvit: { size: { width: 768, height: 768 }, resample: 3, rescale: 1 / 255, ...clip, square: undefined },
  // Grey, as the checkpoints were trained. Hugging Face's processors have used 0.5 and 0 in turn: `pad_value` of
  // preprocessor_config.json decides.
  owlv2: { size: { width: 960, height: 960 }, resample: 2, rescale: 1 / 255, ...clip, square: 0.5 },
}

interface Run {
  readonly picture: Picture
  readonly texts: readonly string[]
}

/**
 * Opens a Hugging Face folder of OWL-ViT or OWLv2. Each phrase is a query of its own; a box's score of it is the sigmoid
 * of their logit. OWLv2 sees the picture on a square, and its boxes are shares of the square's side.
 *
 * With one `model.onnx`, all queries of a picture are asked in one run, and their words are read anew each time. With
 * `text_model.onnx` (input_ids, attention_mask -> text_embeds [Q, D]) and `vision_model.onnx` (pixel_values, text_embeds
 * -> logits, pred_boxes) beside it or instead, a phrase is read once and its embedding remembered.
 */
export async function openOwl(folder: OpenedFolder): Promise<Teacher> {
  const { path, options, kind, notice, files } = folder
  const config = await requireJson(path, 'config.json')
  const text = (config.text_config ?? {}) as Record<string, unknown>
  const processor = await readImageProcessor(path, families[kind])
  const [vision, words] = files
  const pool = await SessionPool.open(vision, options)
  const reader =
    words === undefined
      ? undefined
      : await SessionPool.open(words, { threads: options.threads, devices: options.devices?.slice(0, 1) })
  const asking = reader ?? pool
  checkPorts(
    pool,
    vision,
    reader ? ['pixel_values', 'text_embeds'] : ['pixel_values', 'input_ids', 'attention_mask'],
    ['logits', 'pred_boxes'],
  )
  const [rows, columns] = asking.input('input_ids')?.shape ?? []
  const length =
    typeof columns === 'number' ? columns : ((text.max_position_embeddings as number | undefined) ?? 16)
  const tokenizer = await readClipTokenizer(path, length, (text.pad_token_id as number | undefined) ?? 0)
  // The graph ties the number of queries to that of pictures, and most exports freeze the latter: one picture a run.
  const images = imageInput(pool, vision, processor, 1)
  if (images.batch !== 1)
    throw new UserError(`${vision}: it takes ${images.batch} pictures a run. Export it for one picture.`)
  const most = typeof rows === 'number' ? rows : Number.POSITIVE_INFINITY
  let cuts = 0

  const feedsOf = (texts: readonly string[]): Record<string, Value> => {
    const count = Number.isFinite(most) ? most : texts.length
    // A row of zeros is a query that is not there.
    const ids = new BigInt64Array(count * length)
    const mask = new BigInt64Array(count * length)
    texts.forEach((query, row) => {
      const encoded = tokenizer.encode(query)
      if (encoded.isCut && cuts++ === 0)
        notice(
          `"${query}" has more than the ${length} tokens that ${kind} reads: such phrases are asked by their beginning.`,
        )
      ids.set(encoded.ids.map(BigInt), row * length)
      mask.set(encoded.mask.map(BigInt), row * length)
    })
    return { input_ids: longs(ids, [count, length]), attention_mask: longs(mask, [count, length]) }
  }
  const recall = reader && rememberEmbeddings(reader, feedsOf, most)

  return {
    name: options.name ?? basename(resolve(path)),
    hash: folder.hash,
    pictureSide: Number.POSITIVE_INFINITY,
    batch: 1,
    parallel: pool.size,
    tokensOf: (query) => countOf(query, tokenizer),
    // Queries do not share their room: a text of any length can be asked about.
    maxTokens: Number.POSITIVE_INFINITY,
    async detect(queries: readonly Query[], detect: DetectOptions) {
      const groups = groupByPicture(queries, (phrase) => phrase.trim())
      const runs: (Run & { readonly group: number })[] = groups.flatMap(({ picture, texts }, group) =>
        chunks(texts, most).map((chosen) => ({ picture, texts: chosen, group })),
      )
      const embeddings = await recall?.(runs.flatMap(({ texts }) => texts))
      const answers = await runOverImages(
        pool,
        images,
        runs,
        ([{ texts }]) => (embeddings ? { text_embeds: rowsOf(embeddings, texts) } : feedsOf(texts)),
        ({ logits, pred_boxes }, _, { picture, texts }) =>
          texts.map((_, query) =>
            boxesOf(
              logits,
              pred_boxes.data as Float32Array,
              query,
              picture,
              processor.square !== undefined,
              detect,
            ),
          ),
      )
      const found: Scored[][][] = groups.map(() => [])
      runs.forEach(({ group }, index) => {
        found[group].push(...answers[index])
      })
      return shareOut(
        queries,
        groups.map((group, index) => [group, found[index]] as const),
      )
    },
    async close() {
      await pool.close()
      await reader?.close()
    },
  }
}

interface Scored {
  readonly xyxy: Xyxy
  readonly score: number
}

/** @param logits [1, B, Q] */
function boxesOf(
  logits: Value,
  boxes: Float32Array,
  query: number,
  picture: Picture,
  isSquare: boolean,
  options: DetectOptions,
): Scored[] {
  const [, count, width] = logits.shape
  const side = Math.max(picture.width, picture.height)
  const [across, down] = isSquare ? [side, side] : [picture.width, picture.height]
  const found: Scored[] = []
  for (let box = 0; box < count; box++) {
    const score = sigmoid((logits.data as Float32Array)[box * width + query])
    if (score < options.floor) continue
    const xyxy = clipBox(cornersOf(boxes, box, across, down), picture)
    if (xyxy) found.push({ xyxy, score })
  }
  return keepBest(found, options)
}

/** Reads phrases that it does not know yet, and remembers their embeddings; the oldest go when there are too many. */
function rememberEmbeddings(
  reader: SessionPool,
  feedsOf: (texts: readonly string[]) => Record<string, Value>,
  most: number,
): (texts: readonly string[]) => Promise<ReadonlyMap<string, Float32Array>> {
  const known = new Map<string, Float32Array>()
  return async (texts) => {
    const asked = new Map<string, Float32Array>()
    const unknown: string[] = []
    for (const text of new Set(texts)) {
      const embedding = known.get(text)
      if (embedding) asked.set(text, embedding)
      else unknown.push(text)
    }
    for (const chosen of chunks(unknown, Math.min(most, 64))) {
      const { text_embeds } = await reader.run(feedsOf(chosen))
      const width = text_embeds.shape[text_embeds.shape.length - 1]
      chosen.forEach((text, row) => {
        const embedding = (text_embeds.data as Float32Array).slice(row * width, (row + 1) * width)
        asked.set(text, embedding)
        known.set(text, embedding)
      })
    }
    for (const text of known.keys()) {
      if (known.size <= embeddingsKept) break
      known.delete(text)
    }
    return asked
  }
}

/** Embeddings of some texts, one under the other: [Q, D]. */
function rowsOf(embeddings: ReadonlyMap<string, Float32Array>, texts: readonly string[]): Value {
  const rows = texts.map((text) => embeddings.get(text) as Float32Array)
  const width = rows[0].length
  const data = new Float32Array(rows.length * width)
  rows.forEach((row, at) => {
    data.set(row, at * width)
  })
  return { data, shape: [rows.length, width], dtype: 'float32' }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  if (!Number.isFinite(size)) return items.length > 0 ? [[...items]] : []
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  )
}

function countOf(text: string, tokenizer: QueryTokenizer): number {
  return tokenizer.encode(text).mask.reduce((sum, value) => sum + value, 0)
}
