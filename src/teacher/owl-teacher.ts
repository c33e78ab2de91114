import { basename, resolve } from 'node:path'
import { UserError } from '../base/user-error.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { clipBox } from '../boxes/xyxy.js'
import { sizesOf } from '../graph/ops/tensor.js'
import { longs, type Value, valueNamed } from '../graph/session.js'
import type { SessionPool } from '../graph/session-pool.js'
import type { Picture } from '../pictures/picture.js'
import { sigmoid } from '../statistics/logistic.js'
import { fillTemplate } from '../words/prompt-templates.js'
import { cachedEmbeddings } from './folder/cached-embeddings.js'
import { type QueryTokenizer, readClipTokenizer } from './folder/clip-tokenizer.js'
import { countIn, requireJson } from './folder/hf-folder.js'
import type { ImageProcessor } from './folder/hf-image-processor.js'
import { checkPorts, type ImageInput, imageInput, runOverImages } from './folder/image-runs.js'
import { owlVitProcessor, owlv2Processor, type ProcessorClass } from './folder/processor-class.js'
import { readImageProcessor } from './folder/read-image-processor.js'
import { distributeBoxes, groupByPicture } from './group-by-picture.js'
import { cornersOf, keepBest } from './keep-best.js'
import type { FamilyFolder, FamilyOpening, OpenFamily } from './model-family.js'
import type { DetectOptions, Query, Teacher } from './teacher.js'

/** Embeddings of phrases that are cached: 100,000 of 512 numbers are 200 MB. */
const cacheCapacity = 100_000

const processors: Readonly<Record<string, ProcessorClass>> = {
  owlvit: owlVitProcessor,
  owlv2: owlv2Processor,
}

/** A text that is asked for: a phrase, as it is or in a template. */
interface AskedText {
  readonly text: string
  /** Index of the phrase among those of its group. */
  readonly phrase: number
}

interface Run {
  readonly picture: Picture
  readonly texts: readonly AskedText[]
  /** Index of the picture's group. */
  readonly group: number
}

/**
 * Reads a Hugging Face folder of OWL-ViT or OWLv2. Each phrase is a query of its own; a box's score of it is
 * the sigmoid of their logit, or of the mean of the logits of its templates, as the official evaluator has it
 * (scenic/projects/owl_vit/evaluator.py). OWLv2 sees the picture on a square, and its boxes are shares of the square's
 * side.
 *
 * With one `model.onnx`, all queries of a picture are asked in one run, and their words are read anew each
 * time. With `text_model.onnx` (input_ids, attention_mask -> text_embeds [Q, D]) and `vision_model.onnx`
 * (pixel_values, text_embeds -> logits, pred_boxes) beside it or instead, a phrase is read once and its
 * embedding cached.
 */
export async function readOwl(folder: FamilyFolder): Promise<OpenFamily> {
  const files = await readFiles(folder)
  return (opening) => openOwl(folder, files, opening)
}

async function openOwl(folder: FamilyFolder, read: OwlFiles, opening: FamilyOpening): Promise<Teacher> {
  const model = await openModel(folder, read, opening)
  const { pool, reader, images, tokenizer, maxQueries } = model
  const isSquare = images.processor.square !== undefined
  const encode = queryEncoder(model, folder.kind, opening.notice)
  const embed =
    reader &&
    cachedEmbeddings(embedWith(reader, encode), { capacity: cacheCapacity, batch: Math.min(maxQueries, 64) })
  return {
    name: folder.options.name ?? basename(resolve(folder.path)),
    hash: opening.hash,
    pictureSide: Number.POSITIVE_INFINITY,
    batch: 1,
    parallel: pool.size,
    tokensOf: (query) => countOf(query, tokenizer),
    takesTemplates: true,
    // Queries do not share the tokens of a prompt: a text of any length can be asked about.
    maxTokens: Number.POSITIVE_INFINITY,
    async detect(queries: readonly Query[], detect: DetectOptions) {
      const groups = groupByPicture(queries, (phrase) => phrase.trim())
      const runs = groups.flatMap(({ picture, texts }, group) =>
        chunks(askedTexts(texts, detect.templates), maxQueries).map(
          (chunk): Run => ({ picture, texts: chunk, group }),
        ),
      )
      const embeddings = await embed?.(runs.flatMap(({ texts }) => texts.map(({ text }) => text)))
      const answers = await runOverImages(
        pool,
        images,
        runs,
        (batch) => {
          const texts = batch.flatMap((run) => run.texts.map(({ text }) => text))
          return embeddings
            ? { text_embeds: stack(texts.map((text) => embeddings.get(text)!)) }
            : encode(texts)
        },
        (results, _, { texts }): OwlAnswer => {
          const logits = valueNamed(results, 'logits')
          return {
            logits: texts.map((_, query) => columnOf(logits, query)),
            boxes: (valueNamed(results, 'pred_boxes').data as Float32Array).slice(),
          }
        },
      )
      /** Of each group's phrases the logits of their texts. */
      const logits = groups.map(({ texts }) => texts.map((): Float32Array[] => []))
      const boxes: Float32Array[] = []
      for (const [index, { group, texts }] of runs.entries()) {
        const answer = answers[index]!
        boxes[group] ??= answer.boxes
        for (const [at, { phrase }] of texts.entries()) logits[group]![phrase]!.push(answer.logits[at]!)
      }
      const found = groups.map(({ picture }, group) =>
        logits[group]!.map((columns) => boxesOf(meanOf(columns), boxes[group]!, picture, isSquare, detect)),
      )
      return distributeBoxes(queries, groups, found)
    },
    async close() {
      await pool.close()
      await reader?.close()
    },
  }
}

interface OwlModel {
  readonly pool: SessionPool
  /** The model that reads words, where it is a file of its own. */
  readonly reader: SessionPool | undefined
  readonly images: ImageInput
  readonly tokenizer: QueryTokenizer
  /** Queries in one run at most. */
  readonly maxQueries: number
  /** The graph takes `maxQueries` queries, no fewer. */
  readonly isCountFixed: boolean
}

/** What the files of a folder say besides its model. */
interface OwlFiles {
  readonly processor: ImageProcessor
  /** The tokenizer for queries of a length. */
  readonly tokenizerOf: (length: number) => QueryTokenizer
  /** Tokens of a query where the graph leaves that open. */
  readonly ownLength: number
}

async function readFiles({ path, kind }: FamilyFolder): Promise<OwlFiles> {
  const family = processors[kind]
  if (!family) throw new Error(`${kind} is none of ${Object.keys(processors).join(', ')}`)
  const config = await requireJson(path, 'config.json')
  const place = `${path}/config.json: text_config.`
  // transformers leaves out of config.json what is as OwlViTTextConfig has it.
  const ownLength = countIn(config.text_config, 'max_position_embeddings', place) ?? 16
  const pad = countIn(config.text_config, 'pad_token_id', place, 0) ?? 0
  return {
    processor: await readImageProcessor(path, family),
    tokenizerOf: await readClipTokenizer(path, pad),
    ownLength,
  }
}

async function openModel(
  { files, options }: FamilyFolder,
  { processor, tokenizerOf, ownLength }: OwlFiles,
  { openPool }: FamilyOpening,
): Promise<OwlModel> {
  const [vision, words] = files
  const pool = await openPool(vision, options)
  const reader =
    words === undefined
      ? undefined
      : await openPool(words, { threads: options.threads, devices: options.devices?.slice(0, 1) })
  const wordInputs = ['input_ids', 'attention_mask']
  checkPorts(
    pool,
    vision,
    ['pixel_values', ...(reader ? ['text_embeds'] : wordInputs)],
    ['logits', 'pred_boxes'],
  )
  const [rows, columns] = (reader ?? pool).input('input_ids')?.shape ?? []
  const tokenizer = tokenizerOf(typeof columns === 'number' ? columns : ownLength)
  // The graph ties the number of queries to that of pictures, and most exports freeze the latter: one picture
  // a run.
  const images = imageInput(pool, vision, processor, 1)
  if (images.batch !== 1)
    throw new UserError(`${vision}: it takes ${images.batch} pictures a run. Export it for one picture.`)
  const isCountFixed = typeof rows === 'number'
  return {
    pool,
    reader,
    images,
    tokenizer,
    maxQueries: isCountFixed ? rows : Number.POSITIVE_INFINITY,
    isCountFixed,
  }
}

/** Queries as the model's inputs of words. The first one that is cut short is told to the user. */
function queryEncoder(
  { tokenizer, maxQueries, isCountFixed }: OwlModel,
  kind: string,
  notice: FamilyOpening['notice'],
): (texts: readonly string[]) => Record<string, Value> {
  const { length } = tokenizer
  let hasCut = false
  return (texts) => {
    const count = isCountFixed ? maxQueries : texts.length
    // A row of zeros is a query that is not there.
    const ids = new BigInt64Array(count * length)
    const mask = new BigInt64Array(count * length)
    for (const [row, query] of texts.entries()) {
      const encoded = tokenizer.encode(query)
      if (encoded.isCut && !hasCut) {
        hasCut = true
        notice(
          `"${query}" has more than the ${length} tokens that ${kind} reads: such phrases are asked by their beginning.`,
        )
      }
      ids.set(encoded.ids.map(BigInt), row * length)
      mask.set(encoded.mask.map(BigInt), row * length)
    }
    return { input_ids: longs(ids, [count, length]), attention_mask: longs(mask, [count, length]) }
  }
}

interface Scored {
  readonly xyxy: Xyxy
  readonly score: number
}

/** Phrases as they are asked for: each in each template, in small letters and without signs there, as the official code does. */
function askedTexts(phrases: readonly string[], templates: readonly string[] = []): AskedText[] {
  if (templates.length === 0) return phrases.map((text, phrase) => ({ text, phrase }))
  return phrases.flatMap((text, phrase) =>
    templates.map((template) => ({ text: canonical(fillTemplate(template, text)), phrase })),
  )
}

/** Without ASCII punctuation and the space that is too much (`_canonicalize_string_py` of the official code). */
const canonical = (text: string) =>
  text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, '')
    .replace(/\s+/g, ' ')
    .trim()

/** What a run has found. */
interface OwlAnswer {
  /** Of each text, [B]. */
  readonly logits: readonly Float32Array[]
  /** [B, 4], centre and size. */
  readonly boxes: Float32Array
}

/** @param logits [1, B, Q] */
function columnOf(logits: Value, query: number): Float32Array {
  const [, count, queries] = sizesOf(logits, 3)
  return Float32Array.from(
    { length: count },
    (_, box) => (logits.data as Float32Array)[box * queries + query]!,
  )
}

function meanOf(columns: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(), ...others] = columns
  if (others.length === 0) return first
  return first.map((value, at) => others.reduce((sum, column) => sum + column[at]!, value) / columns.length)
}

/** @param logits [B] */
function boxesOf(
  logits: Float32Array,
  boxes: Float32Array,
  picture: Picture,
  isSquare: boolean,
  options: DetectOptions,
): Scored[] {
  const side = Math.max(picture.width, picture.height)
  const [across, down] = isSquare ? [side, side] : [picture.width, picture.height]
  const found: Scored[] = []
  for (const [box, logit] of logits.entries()) {
    const score = sigmoid(logit)
    if (score < options.floor) continue
    const xyxy = clipBox(cornersOf(boxes, box, across, down), picture)
    if (xyxy) found.push({ xyxy, score })
  }
  return keepBest(found, options)
}

/** Embeddings of phrases, text_embeds [Q, D] of the half that reads words. */
function embedWith(reader: SessionPool, encode: (texts: readonly string[]) => Record<string, Value>) {
  return async (texts: readonly string[]): Promise<Float32Array[]> => {
    const { data, shape } = valueNamed(await reader.run(encode(texts)), 'text_embeds')
    const width = shape.at(-1) ?? 0
    return texts.map((_, row) => (data as Float32Array).slice(row * width, (row + 1) * width))
  }
}

/** Vectors of one length as the rows of a matrix: [rows, length]. */
function stack(rows: readonly Float32Array[]): Value {
  const width = rows[0]?.length ?? 0
  const data = new Float32Array(rows.length * width)
  for (const [at, row] of rows.entries()) data.set(row, at * width)
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
