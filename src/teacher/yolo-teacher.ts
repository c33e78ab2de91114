import { basename, resolve } from 'node:path'
import { orderedMap } from '../base/ordered-map.js'
import { UserError } from '../base/user-error.js'
import { clipBox } from '../boxes/xyxy.js'
import { sizesOf } from '../graph/ops/tensor.js'
import { longs, type Value, valueNamed } from '../graph/session.js'
import type { Port, SessionPool } from '../graph/session-pool.js'
import type { Picture } from '../pictures/picture.js'
import { fillTemplate } from '../words/prompt-templates.js'
import { type Detection, detectAll, readLabels } from './closed-vocabulary.js'
import { cachedEmbeddings } from './folder/cached-embeddings.js'
import { type QueryTokenizer, readClipTokenizer } from './folder/clip-tokenizer.js'
import { readJson } from './folder/hf-folder.js'
import type { Size } from './folder/hf-image-processor.js'
import { inputsText } from './folder/image-runs.js'
import { framedPixels, fromLetterbox, letterbox } from './folder/letterbox.js'
import { readYoloExport, shapeError, type YoloExport, yoloBoxes } from './folder/yolo-export.js'
import { distributeBoxes, groupByPicture } from './group-by-picture.js'
import { keepBest } from './keep-best.js'
import type { FamilyFolder, FamilyOpening, OpenFamily } from './model-family.js'
import type { DetectOptions, Query, Teacher } from './teacher.js'
import { unit, unitMean } from './text-encoder.js'

/** Embeddings of phrases that are cached: 100,000 of 512 numbers are 200 MB. */
const cacheCapacity = 100_000
/** Tokens of a text that CLIP was trained with. */
const clipLength = 77
/** Phrases that are read at once, and phrases in a run where the graph leaves that open. */
const phrasesAtOnce = 80

/**
 * Reads an export of the YOLO family to ONNX as Ultralytics writes it (YOLO-World, YOLOE and the detectors of fixed
 * classes): the file itself, or a folder with it. `images` [1, 3, H, W] is a picture in a grey frame, `output0` its boxes.
 *
 * What was prompted before the export is a fixed list of labels, and stands in the file or as `id2label` in
 * `config.json`. A YOLO-World that takes the embeddings of its prompts (`txt_feats` [1, classes, D]) is of an open
 * vocabulary: `text_model.onnx` (input_ids and, where it has it, attention_mask -> text_embeds [Q, D]) and CLIP's
 * `tokenizer.json` lie beside it.
 */
export async function readYolo(folder: FamilyFolder): Promise<OpenFamily> {
  const { path, files } = folder
  const [file, words] = files
  const config = file === path ? undefined : await readJson(path, 'config.json')
  const said = await readYoloExport(file)
  const labels = config?.id2label === undefined ? said.names : readLabels(path, config)
  const tokenizerOf = words === undefined ? undefined : await readClipTokenizer(path, 0)
  return async (opening) => {
    const network = await openNetwork(folder, said, opening)
    if (!network.texts) return fixedTeacher(folder, network, labels, opening)
    if (words === undefined || !tokenizerOf)
      throw new UserError(
        `${file} takes the embeddings of what is looked for (${network.texts.name}): text_model.onnx, which makes them, is missing beside it, and so may be its tokenizer.json.`,
      )
    return openTeacher(folder, network, await openReader(words, tokenizerOf, folder, opening), opening)
  }
}

interface Network {
  readonly pool: SessionPool
  readonly said: YoloExport
  /** The sides of a frame; where it is left open, a picture's own frame is no larger than it must be. */
  readonly frame: Size
  readonly isOpen: boolean
  readonly images: Port
  /** The input of embeddings, where there is one. */
  readonly texts: Port | undefined
}

async function openNetwork(
  { files: [file], options }: FamilyFolder,
  said: YoloExport,
  { openPool }: FamilyOpening,
): Promise<Network> {
  const pool = await openPool(file, options)
  const images = pool.inputs.find(({ shape }) => shape.length === 4)
  const [texts, ...others] = pool.inputs.filter((port) => port !== images)
  const [count, channels, height, width] = images?.shape ?? []
  const isOne = (size: number | string | undefined) => typeof size !== 'number' || size === 1
  if (
    !images ||
    others.length > 0 ||
    (texts && texts.shape.length !== 3) ||
    (channels !== 3 && typeof channels === 'number')
  )
    throw new UserError(
      `${file}: expected an input images [1, 3, H, W], and one of embeddings [1, classes, D] at most; it has: ${inputsText(pool)}.`,
    )
  if (!isOne(count)) throw new UserError(`${file}: it takes ${count} pictures a run. Export it with batch=1.`)
  if (!/^float(16|32)$/.test(images.dtype))
    throw new UserError(
      `${file}: ${images.name} takes ${images.dtype}. Export it so that it takes float32 or float16.`,
    )
  const output = pool.outputs[0]
  const classes = texts ? undefined : said.names.size || undefined
  const wrong = output ? shapeError(output.shape, said, classes) : 'there is no output'
  if (wrong) throw new UserError(`${file}: ${wrong}, as Ultralytics exports it.`)
  const isFixed = typeof height === 'number' && typeof width === 'number'
  return { pool, said, frame: isFixed ? { height, width } : said.size, isOpen: !isFixed, images, texts }
}

/** The boxes of a picture, in its pixels. */
async function lookAt(
  { pool, said, frame, isOpen, images, texts }: Network,
  picture: Picture,
  classes: number,
  floor: number,
  embeddings?: Value,
) {
  const box = letterbox(picture, frame, isOpen ? said.stride : undefined)
  const pixels: Value = {
    data: framedPixels(picture, box),
    shape: [1, 3, box.height, box.width],
    dtype: 'float32',
  }
  const results = await pool.run({
    [images.name]: pixels,
    ...(texts && embeddings && { [texts.name]: embeddings }),
  })
  const output = valueNamed(results, pool.outputs[0]!.name)
  const wrong = shapeError(output.shape, said, classes)
  if (wrong) throw new UserError(`The model's ${wrong}, as Ultralytics exports it.`)
  return yoloBoxes(output, said, classes, floor).flatMap(({ xyxy, score, label }) => {
    const clipped = clipBox(fromLetterbox(xyxy, box, picture), picture)
    return clipped ? [{ xyxy: clipped, score, label }] : []
  })
}

function common({ path, options }: FamilyFolder, { pool }: Network, { hash }: FamilyOpening) {
  return {
    name: options.name ?? basename(resolve(path)).replace(/\.onnx$/, ''),
    hash,
    pictureSide: Number.POSITIVE_INFINITY,
    batch: 1,
    parallel: pool.size,
    maxTokens: Number.POSITIVE_INFINITY,
  }
}

function fixedTeacher(
  folder: FamilyFolder,
  network: Network,
  labels: ReadonlyMap<number, string>,
  opening: FamilyOpening,
): Teacher {
  if (labels.size === 0)
    throw new UserError(
      `${folder.files[0]} does not say what its classes are called (names), and there is no config.json with id2label beside it: {"model_type": "yolo", "id2label": {"0": "person"}}.`,
    )
  const { pool } = network
  const classes = network.said.names.size || Math.max(...labels.keys()) + 1
  return {
    ...common(folder, network, opening),
    labels: [...new Set(labels.values())],
    tokensOf: () => 0,
    detect: (queries, detect) =>
      detectAll(queries, detect, async (pictures) => {
        const found: Detection[][] = []
        const look = async (picture: Picture) => {
          const boxes = await lookAt(network, picture, classes, detect.floor)
          return boxes.flatMap(({ label, ...box }): Detection[] => {
            const name = labels.get(label)
            return name === undefined ? [] : [{ ...box, label: name }]
          })
        }
        for await (const one of orderedMap(pictures, pool.size + 1, look)) found.push(one)
        return found
      }),
    close: () => pool.close(),
  }
}

interface Reader {
  readonly pool: SessionPool
  readonly tokenizer: QueryTokenizer
  /** Embeddings of phrases, of length 1. */
  readonly embed: (texts: readonly string[]) => Promise<ReadonlyMap<string, Float32Array>>
}

async function openReader(
  file: string,
  tokenizerOf: (length: number) => QueryTokenizer,
  { options }: FamilyFolder,
  { openPool, notice }: FamilyOpening,
): Promise<Reader> {
  const pool = await openPool(file, { threads: options.threads, devices: options.devices.slice(0, 1) })
  const columns = pool.input('input_ids')?.shape[1]
  if (!pool.input('input_ids') || !pool.outputs.some(({ name }) => name === 'text_embeds'))
    throw new UserError(
      `${file}: expected an input input_ids and an output text_embeds (CLIP with its projection); it has: ${inputsText(pool)}.`,
    )
  const tokenizer = tokenizerOf(typeof columns === 'number' ? columns : clipLength)
  let hasCut = false
  const read = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const rows = texts.map((text) => tokenizer.encode(text))
    const cut = texts.find((_, index) => rows[index]!.isCut)
    if (cut !== undefined && !hasCut) {
      hasCut = true
      notice(
        `"${cut}" has more than the ${tokenizer.length} tokens that the model reads: such phrases are asked by their beginning.`,
      )
    }
    const shape = [texts.length, tokenizer.length]
    const feeds: Record<string, Value> = {
      input_ids: longs(BigInt64Array.from(rows.flatMap(({ ids }) => ids.map(BigInt))), shape),
      attention_mask: longs(BigInt64Array.from(rows.flatMap(({ mask }) => mask.map(BigInt))), shape),
    }
    const asked = Object.fromEntries(Object.entries(feeds).filter(([name]) => pool.input(name)))
    const embeds = valueNamed(await pool.run(asked), 'text_embeds')
    const [, width] = sizesOf(embeds, 2)
    return texts.map((_, row) => unit((embeds.data as Float32Array).slice(row * width, (row + 1) * width)))
  }
  return { pool, tokenizer, embed: cachedEmbeddings(read, { capacity: cacheCapacity, batch: phrasesAtOnce }) }
}

function openTeacher(
  folder: FamilyFolder,
  network: Network,
  { pool: words, tokenizer, embed }: Reader,
  opening: FamilyOpening,
): Teacher {
  const { pool, texts } = network
  const declared = texts?.shape[1]
  const fixedCount = typeof declared === 'number' ? declared : undefined
  const most = fixedCount ?? phrasesAtOnce
  return {
    ...common(folder, network, opening),
    tokensOf: (text) => tokenizer.tokensOf(text),
    takesTemplates: true,
    async detect(queries: readonly Query[], detect: DetectOptions) {
      const groups = groupByPicture(queries, (phrase) => phrase.trim())
      const runs = groups.flatMap(({ picture, texts: phrases }, group) =>
        Array.from({ length: Math.ceil(phrases.length / most) }, (_, at) => ({
          ...{ picture, group },
          phrases: phrases.slice(at * most, (at + 1) * most),
        })),
      )
      const asked = (phrase: string) => (detect.templates ?? ['{}']).map((text) => fillTemplate(text, phrase))
      const embeddings = await embed(runs.flatMap(({ phrases }) => phrases.flatMap(asked)))
      const found = groups.map((): ReturnType<typeof keepBest>[] => [])
      const look = async ({ picture, phrases, group }: (typeof runs)[number]) => {
        const rows = phrases.map((phrase) => unitMean(asked(phrase).map((text) => embeddings.get(text)!)))
        // A run that must be full asks for its last phrase again.
        while (rows.length < (fixedCount ?? 0)) rows.push(rows.at(-1)!)
        const boxes = await lookAt(network, picture, rows.length, detect.floor, stacked(rows))
        return {
          group,
          kept: phrases.map((_, phrase) =>
            keepBest(
              boxes.filter(({ label }) => label === phrase),
              detect,
            ),
          ),
        }
      }
      for await (const { group, kept } of orderedMap(runs, pool.size + 1, look))
        found[group]!.push(...kept.map((boxes) => boxes.map(({ xyxy, score }) => ({ xyxy, score }))))
      return distributeBoxes(queries, groups, found)
    },
    async close() {
      await pool.close()
      await words.close()
    },
  }
}

/** [1, rows, D] */
function stacked(rows: readonly Float32Array[]): Value {
  const width = rows[0]?.length ?? 0
  const data = new Float32Array(rows.length * width)
  for (const [at, row] of rows.entries()) data.set(row, at * width)
  return { data, shape: [1, rows.length, width], dtype: 'float32' }
}
