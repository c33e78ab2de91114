import { basename, resolve } from 'node:path'
import { nameList } from '../base/name-list.js'
import { orderedMap } from '../base/ordered-map.js'
import { UserError } from '../base/user-error.js'
import { boxAt, clipBox, scaleBox, type Xyxy } from '../boxes/xyxy.js'
import { longs, type Value, valueNamed } from '../graph/session.js'
import type { Port, SessionPool } from '../graph/session-pool.js'
import type { Picture } from '../pictures/picture.js'
import { sigmoid } from '../statistics/logistic.js'
import { cachedEmbeddings } from './folder/cached-embeddings.js'
import { type QueryTokenizer, readClipTokenizer } from './folder/clip-tokenizer.js'
import { countIn, requireJson } from './folder/hf-folder.js'
import { type ImageProcessor, prepareImages, resizedSize } from './folder/hf-image-processor.js'
import { inputsText } from './folder/image-runs.js'
import { samProcessor } from './folder/processor-class.js'
import { readImageProcessor } from './folder/read-image-processor.js'
import { distributeBoxes, groupByPicture } from './group-by-picture.js'
import { keepBest } from './keep-best.js'
import type { FamilyFolder, FamilyOpening, OpenFamily } from './model-family.js'
import type { DetectOptions, Query, Teacher } from './teacher.js'

/** Words of phrases that are kept as the network reads them: 32 tokens of 256 numbers each, 64 MB in all. */
const cacheCapacity = 2000

const wordInputs = ['input_ids', 'attention_mask']
const answers = ['pred_boxes', 'pred_logits', 'presence_logits']

/**
 * Reads a Hugging Face folder of SAM 3, of which the detector of pictures is used: it is asked one phrase a pass, as the
 * processor asks it. A box's score is the sigmoid of its logit, times that of the phrase's presence in the picture. Masks
 * are not read.
 *
 * The detector is one graph (pixel_values, input_ids, attention_mask -> pred_boxes, pred_logits, presence_logits), or in
 * three parts: `vision_encoder.onnx`, `text_encoder.onnx` and `decoder.onnx`, where each input of the last one is an
 * output of the others of the same name, and `prompt_features` and `prompt_mask` are the words. With parts a picture is
 * looked at once for all of its phrases, and a phrase is read once.
 */
export async function readSam(folder: FamilyFolder): Promise<OpenFamily> {
  const files = await readFiles(folder)
  return async (opening) => {
    const [first, words, decoder] = folder.files
    return samTeacher(
      folder,
      words === undefined || decoder === undefined
        ? await openWhole(first, folder, files, opening)
        : await openParts([first, words, decoder], folder, files, opening),
      opening,
    )
  }
}

/** What the files of a folder say besides its model. */
interface SamFiles {
  readonly processor: ImageProcessor
  readonly tokenizerOf: (length: number) => QueryTokenizer
  /** Tokens of a phrase where the graph leaves that open. */
  readonly ownLength: number
}

/** A detector that looks at pictures and answers phrases. */
interface SamModel {
  readonly tokenizer: QueryTokenizer
  /** Pictures that are looked at together. */
  readonly parallel: number
  /** Looks at a picture; what comes back answers a phrase after another. */
  look(picture: Picture): Promise<(phrase: string) => Promise<Readonly<Record<string, Value>>>>
  close(): Promise<void>
}

async function readFiles({ path }: FamilyFolder): Promise<SamFiles> {
  const config = await requireJson(path, 'config.json')
  // A folder of the model for videos holds the detector's configuration inside of its own.
  const { detector_config: inner } = config as {
    readonly detector_config?: Readonly<Record<string, unknown>> | null
  }
  const text = (inner ?? config).text_config
  const place = `${path}/config.json: ${inner ? 'detector_config.' : ''}text_config.`
  const ownLength = countIn(text, 'max_position_embeddings', place) ?? 32
  if (ownLength < shortestText)
    throw new UserError(
      `${place}max_position_embeddings is ${ownLength}: a phrase has ${shortestText} tokens at least.`,
    )
  return {
    processor: await readImageProcessor(path, samProcessor),
    tokenizerOf: await readClipTokenizer(path, countIn(text, 'pad_token_id', place, 0) ?? 1),
    ownLength,
  }
}

/** The beginning, a word and the end. */
const shortestText = 3

function samTeacher(
  { path, options }: FamilyFolder,
  model: SamModel,
  { hash, notice }: FamilyOpening,
): Teacher {
  const { tokenizer } = model
  let hasCut = false
  const warnOfCut = (phrase: string) => {
    if (hasCut || tokenizer.tokensOf(phrase) <= tokenizer.length) return
    hasCut = true
    notice(
      `"${phrase}" has more than the ${tokenizer.length} tokens that sam3 reads: such phrases are asked by their beginning.`,
    )
  }
  return {
    name: options.name ?? basename(resolve(path)),
    hash,
    pictureSide: Number.POSITIVE_INFINITY,
    batch: 1,
    parallel: model.parallel,
    tokensOf: (text) => tokenizer.tokensOf(text),
    // Phrases do not share the tokens of a prompt: a text of any length can be asked about.
    maxTokens: Number.POSITIVE_INFINITY,
    async detect(queries: readonly Query[], detect: DetectOptions) {
      const groups = groupByPicture(queries, (phrase) => phrase.trim())
      const find = async ({ picture, texts }: (typeof groups)[number]) => {
        if (texts.length === 0) return []
        const answer = await model.look(picture)
        const found: Scored[][] = []
        for (const text of texts) {
          warnOfCut(text)
          found.push(boxesOf(await answer(text), picture, detect))
        }
        return found
      }
      const found: Scored[][][] = []
      for await (const one of orderedMap(groups, model.parallel + 1, find)) found.push(one)
      return distributeBoxes(queries, groups, found)
    },
    close: () => model.close(),
  }
}

async function openWhole(
  file: string,
  { options }: FamilyFolder,
  { processor, tokenizerOf, ownLength }: SamFiles,
  { openPool, notice }: FamilyOpening,
): Promise<SamModel> {
  const pool = await openPool(file, options)
  const images = pictureInput(pool, file)
  const unknown = pool.inputs.find((port) => port !== images && !wordInputs.includes(port.name))
  if (unknown) throw unknownInput(file, unknown, [images.name, ...wordInputs])
  const wanted = answersOf(pool, file, notice)
  const tokenizer = tokenizerOf(lengthOf(pool, 'input_ids') ?? ownLength)
  return {
    tokenizer,
    parallel: pool.size,
    async look(picture) {
      const pixels = pixelsOf(picture, processor, images)
      return (phrase) =>
        pool.run({ [images.name]: copied(pixels), ...wordFeeds(pool, tokenizer, phrase) }, wanted)
    },
    close: () => pool.close(),
  }
}

async function openParts(
  [visionFile, wordsFile, decoderFile]: readonly [string, string, string],
  { options }: FamilyFolder,
  { processor, tokenizerOf, ownLength }: SamFiles,
  { openPool, notice }: FamilyOpening,
): Promise<SamModel> {
  const vision = await openPool(visionFile, options)
  const words = await openPool(wordsFile, { threads: options.threads, devices: options.devices.slice(0, 1) })
  const decoder = await openPool(decoderFile, options)
  const images = pictureInput(vision, visionFile)
  const wanted = answersOf(decoder, decoderFile, notice)
  const isOf = (pool: SessionPool, { name }: Port) => pool.outputs.some((output) => output.name === name)
  const seen = decoder.inputs.filter((port) => isOf(vision, port)).map(({ name }) => name)
  const others = decoder.inputs.filter((port) => !seen.includes(port.name))
  const mask = others.find(({ name }) => /mask$/.test(name))
  const features = others.find((port) => port !== mask)
  const unknown = others.find((port) => port !== mask && port !== features)
  const isWords = (name: string | undefined) =>
    name !== undefined && (name === 'prompt_features' || words.outputs.some((output) => output.name === name))
  if (unknown || seen.length === 0 || !features || !isWords(features.name))
    throw unknownInput(decoderFile, unknown ?? features, [
      ...vision.outputs.map(({ name }) => name),
      'prompt_features',
      'prompt_mask',
    ])
  const read =
    words.outputs.find(({ name }) => name === features.name) ??
    words.outputs.find(({ name }) => !/mask$/.test(name))
  if (!read) throw new UserError(`${wordsFile}: there is no output of words; it has: ${outputsText(words)}.`)
  const tokenizer = tokenizerOf(lengthOf(words, 'input_ids') ?? ownLength)
  const embed = cachedEmbeddings(
    async ([text = '']) => {
      const value = valueNamed(await words.run(wordFeeds(words, tokenizer, text), [read.name]), read.name)
      return [value.data as Float32Array]
    },
    { capacity: cacheCapacity, batch: 1 },
  )
  return {
    tokenizer,
    parallel: decoder.size,
    async look(picture) {
      const pixels = pixelsOf(picture, processor, images)
      const sights = await vision.run({ [images.name]: pixels }, seen)
      return async (phrase) => {
        const { mask: shown } = tokenizer.encode(phrase)
        const data = Float32Array.from((await embed([phrase])).get(phrase)!)
        const feeds: Record<string, Value> = {
          [features.name]: { data, shape: [1, shown.length, data.length / shown.length], dtype: 'float32' },
          ...(mask && { [mask.name]: maskValue(shown, mask.dtype) }),
        }
        for (const name of seen) feeds[name] = copied(valueNamed(sights, name))
        return decoder.run(feeds, wanted)
      }
    },
    async close() {
      await Promise.all([vision, words, decoder].map((pool) => pool.close()))
    },
  }
}

const outputsText = ({ outputs }: SessionPool) => nameList(outputs.map(({ name }) => name))

function unknownInput(file: string, port: Port | undefined, known: readonly string[]): UserError {
  return new UserError(
    `${file}: ${port ? `input "${port.name}" is not one` : 'it has none of the inputs'} that this family has (${known.join(', ')}).`,
  )
}

function pictureInput(pool: SessionPool, file: string): Port {
  const port = pool.inputs.find(({ shape }) => shape.length === 4)
  const [count, channels] = port?.shape ?? []
  const isOther = (size: number | string | undefined, wanted: number) =>
    typeof size === 'number' && size !== wanted
  if (!port || isOther(count, 1) || isOther(channels, 3) || !/^float(16|32)$/.test(port.dtype))
    throw new UserError(
      `${file}: expected an input pixel_values [1, 3, H, W] of floats; it has: ${inputsText(pool)}.`,
    )
  return port
}

/** The outputs that are read. Presence may be missing, as the processor allows it; that is said. */
function answersOf(pool: SessionPool, file: string, notice: FamilyOpening['notice']): string[] {
  const found = answers.filter((name) => pool.outputs.some((output) => output.name === name))
  const [missing] = answers.filter((name) => !found.includes(name))
  if (missing === 'presence_logits')
    notice(`${file} has no presence_logits: scores do not say whether a phrase names anything in a picture.`)
  else if (missing !== undefined)
    throw new UserError(`${file}: there is no output "${missing}"; it has: ${outputsText(pool)}.`)
  return found
}

function lengthOf(pool: SessionPool, name: string): number | undefined {
  const columns = pool.input(name)?.shape[1]
  return typeof columns === 'number' ? columns : undefined
}

/** A picture as the network sees it; a graph that takes one size only gets pictures of that size. */
function pixelsOf(picture: Picture, processor: ImageProcessor, { shape: [, , height, width] }: Port): Value {
  const fixed =
    typeof height === 'number' && typeof width === 'number'
      ? { height, width }
      : resizedSize(processor, picture)
  const { pixels } = prepareImages(processor, [picture], fixed, true)
  return { data: pixels, shape: [1, 3, fixed.height, fixed.width], dtype: 'float32' }
}

/** Feeds are handed over to a session: what is needed again is copied. */
const copied = (value: Value): Value => ({ ...value, data: value.data.slice() as Value['data'] })

function wordFeeds(pool: SessionPool, tokenizer: QueryTokenizer, phrase: string): Record<string, Value> {
  const { ids, mask } = tokenizer.encode(phrase)
  const shape = [1, ids.length]
  const feeds = { input_ids: longs(ids, shape), attention_mask: longs(mask, shape) }
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => pool.input(name)))
}

function maskValue(mask: readonly number[], dtype: string): Value {
  const shape = [1, mask.length]
  if (dtype === 'bool') return { data: Uint8Array.from(mask), shape, dtype: 'bool' }
  if (dtype === 'int64') return longs(mask, shape)
  return { data: Float32Array.from(mask), shape, dtype: 'float32' }
}

interface Scored {
  readonly xyxy: Xyxy
  readonly score: number
}

/** @param results pred_boxes [1, Q, 4], corners, 0 to 1; pred_logits [1, Q] or [1, Q, 1]; presence_logits [1, 1] */
function boxesOf(
  results: Readonly<Record<string, Value>>,
  picture: Picture,
  options: DetectOptions,
): Scored[] {
  const boxes = valueNamed(results, 'pred_boxes').data as Float32Array
  const logits = valueNamed(results, 'pred_logits').data as Float32Array
  const [presence] = (results.presence_logits?.data ?? []) as ArrayLike<number> & Iterable<number>
  const isThere = presence === undefined ? 1 : sigmoid(presence)
  const found: Scored[] = []
  for (let box = 0; box < logits.length; box++) {
    const score = sigmoid(logits[box]!) * isThere
    if (score < options.floor) continue
    const xyxy = clipBox(scaleBox(boxAt(boxes, box), picture.width, picture.height), picture)
    if (xyxy) found.push({ xyxy, score })
  }
  return keepBest(found, options)
}
