import { basename, join, resolve } from 'node:path'
import { shownValue } from '../base/name-list.js'
import { orderedMap } from '../base/ordered-map.js'
import { UserError } from '../base/user-error.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { unscaleBox } from '../boxes/xyxy.js'
import { needsPortable } from '../graph/device.js'
import { floats, longs, sampleOf, valueNamed } from '../graph/session.js'
import type { GraphOverWeights, SessionPool } from '../graph/session-pool.js'
import { encodePrompt, tokensOf } from '../model/encode-prompt.js'
import { fitExactly, fitPicture, toPicture, writeFitted } from '../model/fit-picture.js'
import { plainPlacement, writeImage } from '../model/image-input.js'
import { modelFiles, readModelConfig, sizeGraph } from '../model/model-folder.js'
import { anchorsOf } from '../model/network/anchors.js'
import {
  boxEdgesOf,
  type GlipConfig,
  type ImageResize,
  type ImageSize,
  inputSizes,
  sizeStep,
} from '../model/network/config.js'
import { readTokenizer, type Tokenizer } from '../model/word-piece.js'
import { readTensorPlaces, type TensorPlace } from '../weights/safetensors.js'
import { joinNames } from '../words/name-prompt.js'
import type { FamilyFolder, OpenFamily } from './model-family.js'
import { phraseBoxes } from './phrase-boxes.js'
import { selectBoxes, withinOptions } from './select-boxes.js'
import { SizeSessions } from './size-sessions.js'
import type { DetectOptions, PhraseDetection, Query, Teacher } from './teacher.js'

/** Queries of a call at least, where there are several sizes: they are sorted by the size of their input. */
const queriesSorted = 16

/**
 * Reads a model folder of the family `glip`, as `src/model` writes it. A picture is shown to a model with
 * inputs of several sizes on the one that suits it; queries of a size are asked together, so that few
 * sessions are opened anew.
 */
export async function readGlipTeacher({ path, options }: FamilyFolder): Promise<OpenFamily> {
  const files = await readFiles(path, options)
  return async ({ hash }) => glipTeacher(await openModel(path, options, files), path, hash, options)
}

function glipTeacher(
  model: GlipModel,
  path: string,
  hash: string,
  options: FamilyFolder['options'],
): Teacher {
  const { config, tokenizer, inputs, sessions, batch } = model
  const parallel = options.devices.length
  return {
    name: options.name ?? basename(resolve(path)),
    hash,
    pictureSide: config.image_resize ? Number.POSITIVE_INFINITY : Math.ceil(config.image_size * 1.5),
    batch: inputs.length > 1 ? Math.max(queriesSorted, 4 * batch) : batch,
    parallel,
    ...(config.prompt && { prompt: config.prompt }),
    tokensOf: (text) => tokenizer.encode(text).length,
    maxTokens: config.text.max_tokens,
    async detect(queries, detect) {
      const fitted = queries.map((query, index) => ({ index, ...fitQuery(query, model) }))
      const answered = orderedMap(batchesOf(fitted, model), parallel + 1, async ({ input, items }) => {
        const answers = await detectBatch(items, input, model, detect)
        return items.map(({ index }, place) => ({ index, detections: answers[place] ?? [] }))
      })
      const found: PhraseDetection[][] = queries.map(() => [])
      for await (const answers of answered)
        for (const { index, detections } of answers) found[index] = detections
      return found
    },
    close: () => sessions.close(),
  }
}

/** A size of input, and the sessions that run it. */
interface ModelInput {
  readonly size: ImageSize
  /** As in `Anchors`; empty where boxes are not selected by level. */
  readonly levelStarts: readonly number[]
  /** The model's file of this size, or a graph over its weights. */
  readonly source: () => string | GraphOverWeights
}

interface GlipModel {
  readonly path: string
  readonly config: GlipConfig
  readonly tokenizer: Tokenizer
  /** The sizes that the model has files for. */
  readonly inputs: readonly ModelInput[]
  /** The input of any size, where pictures are padded as the official code pads them: one object a size. */
  readonly exactInput: ((size: ImageSize) => ModelInput) | undefined
  readonly sessions: SizeSessions<ModelInput>
  /** Pictures in one run. */
  readonly batch: number
}

/** What the files of a folder say besides its models. */
interface GlipFiles {
  readonly config: GlipConfig
  readonly tokenizer: Tokenizer
  /** Whether pictures are padded as the official code pads them. */
  readonly isExact: boolean
  /** Whether all graphs are made as needed, out of operators that WebGPU has: those of the folder have others. */
  readonly portable: boolean
  /** Where the weights lie, of a model whose graphs are made as needed. */
  readonly places: ReadonlyMap<string, TensorPlace> | undefined
}

async function readFiles(path: string, { sizes, devices }: FamilyFolder['options']): Promise<GlipFiles> {
  const config = await readModelConfig(path)
  const isExact = isShownExactly(path, config, sizes)
  const tokenizer = await readTokenizer(join(path, 'tokenizer.json'))
  checkVocabulary(path, tokenizer, config)
  const portable = devices.some(needsPortable)
  const places = isExact || portable ? await readTensorPlaces(join(path, 'model.safetensors')) : undefined
  return { config, tokenizer, isExact, portable, places }
}

async function openModel(
  path: string,
  options: FamilyFolder['options'],
  { config, tokenizer, isExact, portable, places }: GlipFiles,
): Promise<GlipModel> {
  const files = modelFiles(config)
  const ofFiles = inputSizes(config).map((size, index) =>
    inputOf(config, size, () => join(path, files[index] ?? '')),
  )
  const [first] = ofFiles
  if (!first) throw new UserError(`${path}/config.json: image_sizes has no size.`)
  const sessions = new SizeSessions(({ source }: ModelInput) => source(), options.openSizes, {
    ...options,
    ownGraph: true,
  })
  // One is opened at once, so that a model or a device that cannot be used fails here. It also tells the batch.
  const checked = sessions.use(first, async (pool) => checkInput(path, pool, first.size))
  const batch = await checked.catch(async (error: unknown) => {
    await sessions.close()
    throw error
  })
  if (!places) return { path, config, tokenizer, inputs: ofFiles, exactInput: undefined, sessions, batch }
  const made = (size: ImageSize) =>
    inputOf(config, size, () => ({
      graph: sizeGraph(config, batch, size, places, portable),
      folder: resolve(path),
      name: `${path} for pictures of ${size.height}x${size.width}`,
    }))
  if (portable) await sessions.close()
  const inputs = portable ? ofFiles.map(({ size }) => made(size)) : ofFiles
  const exactInput = isExact ? exactInputs(inputs, made) : undefined
  return { path, config, tokenizer, inputs, exactInput, sessions, batch }
}

/**
 * Holds that a model's file takes pictures of the size that `config.json` says. Gives how many it takes in a run.
 *
 * @throws UserError where it does not
 */
function checkInput(path: string, pool: SessionPool, { height, width }: ImageSize): number {
  const { shape = [] } = pool.input('image') ?? {}
  const [batch = 1, ...sides] = shape
  const isSame = sides.length === 3 && [height, width, 3].every((side, at) => side === sides[at])
  if (!isSame)
    throw new UserError(
      `${path}/config.json says that pictures are ${height} x ${width}; the model's input \`image\` is [${shape.join(', ')}].`,
    )
  return Number(batch)
}

/** Throws a UserError where the tokenizer has a token that the network has no row for. */
function checkVocabulary(path: string, { vocabulary }: Tokenizer, { text }: GlipConfig): void {
  for (const [token, id] of vocabulary)
    if (id >= text.vocab_size)
      throw new UserError(
        `${path}/tokenizer.json: token ${shownValue(token)} has the number ${id}; text.vocab_size of config.json is ${text.vocab_size}.`,
      )
}

const inputOf = (config: GlipConfig, size: ImageSize, source: ModelInput['source']): ModelInput => ({
  size,
  levelStarts: config.selection ? anchorsOf(config, size).levelStarts : [],
  source,
})

/**
 * Whether pictures are padded as the official code pads them, not to the nearest of the model's sizes. Of
 * itself (`auto`) an official network is asked so that has inputs of several sizes: one with a single size was
 * trained on it or imported for it.
 */
function isShownExactly(path: string, config: GlipConfig, sizes: FamilyFolder['options']['sizes']): boolean {
  if (sizes === 'exact' && !config.image_resize)
    throw new UserError(`sizes: exact: ${path} shows every picture on one square, image_size.`)
  if (sizes !== 'auto') return sizes === 'exact'
  return boxEdgesOf(config) === 'pixel_centres' && inputSizes(config).length > 1
}

/** Inputs of all sizes that are asked for: those that are there, and others, made as needed. */
function exactInputs(
  inputs: readonly ModelInput[],
  made: (size: ImageSize) => ModelInput,
): (size: ImageSize) => ModelInput {
  const keyOf = ({ height, width }: ImageSize) => `${height}x${width}`
  const known = new Map(inputs.map((input) => [keyOf(input.size), input]))
  return (size) => {
    const key = keyOf(size)
    const input = known.get(key) ?? made(size)
    known.set(key, input)
    return input
  }
}

/** A query and how its picture is shown: where it lies on which input, and how boxes are brought back. */
interface FittedQuery {
  readonly query: Query
  readonly input: ModelInput
  /** What the picture covers of the input, in whole pixels. */
  readonly covered: ImageSize
  /** Writes the picture into one sample of the input. */
  readonly write: (into: Float32Array, sample: number) => void
  /** A box of the input, in pixels of the picture. */
  readonly toPicture: (xyxy: Xyxy) => Xyxy
}

function fitQuery(query: Query, model: GlipModel): FittedQuery {
  const { picture } = query
  const { config, inputs } = model
  if (config.image_resize) {
    const { input, covered } = fitOf(picture, config.image_resize, model, sizeStep(config))
    return {
      query,
      input,
      covered,
      write: (into, sample) => writeFitted(into, sample, picture, covered, input.size, config),
      toPicture: (xyxy) => toPicture(xyxy, covered, picture, boxEdgesOf(config)),
    }
  }
  const input = inputAt(inputs, 0)
  const placement = plainPlacement(picture, config)
  return {
    query,
    input,
    covered: input.size,
    write: (into, sample) => writeImage(into, sample, picture, placement, config),
    toPicture: (xyxy) => unscaleBox(xyxy, placement.scale),
  }
}

/** The input that a picture is shown on, and what it covers of it. */
function fitOf(
  picture: ImageSize,
  resize: ImageResize,
  { inputs, exactInput }: Pick<GlipModel, 'inputs' | 'exactInput'>,
  step: number,
): Pick<FittedQuery, 'input' | 'covered'> {
  if (exactInput) {
    const { size, covered } = fitExactly(picture, resize, step)
    return { input: exactInput(size), covered }
  }
  const sizes = inputs.map(({ size }) => size)
  const { input, covered } = fitPicture(picture, resize, sizes)
  return { input: inputAt(inputs, input), covered }
}

function inputAt(inputs: readonly ModelInput[], index: number): ModelInput {
  const input = inputs[index]
  if (!input) throw new Error(`there is no input ${index}: the model has ${inputs.length}`)
  return input
}

/**
 * Queries in batches of one size each. Sizes whose sessions are open come first, before one is closed for
 * another.
 */
function batchesOf<T extends FittedQuery>(
  queries: readonly T[],
  { sessions, inputs, batch }: GlipModel,
): { readonly input: ModelInput; readonly items: readonly T[] }[] {
  const order = new Set([...sessions.open, ...inputs, ...queries.map(({ input }) => input)])
  return [...order].flatMap((input) => {
    const items = queries.filter((query) => query.input === input)
    return Array.from({ length: Math.ceil(items.length / batch) }, (_, at) => ({
      input,
      items: items.slice(at * batch, (at + 1) * batch),
    }))
  })
}

/**
 * Runs the model once: one list of detections for each query. Throws a UserError for a text that it was not
 * tuned for.
 */
async function detectBatch(
  queries: readonly FittedQuery[],
  input: ModelInput,
  { path, config, tokenizer, sessions, batch }: GlipModel,
  detect: DetectOptions,
): Promise<PhraseDetection[][]> {
  const tuned = config.prompt && joinNames(config.prompt).text
  const other = tuned !== undefined && queries.find(({ query }) => query.text !== tuned)
  if (other) {
    throw new UserError(
      `${path} was prompt-tuned: it can be asked for "${tuned}" alone, not for "${other.query.text}".`,
    )
  }
  const { height, width } = input.size
  const length = config.text.max_tokens
  const image = new Float32Array(batch * height * width * 3)
  const ids = new BigInt64Array(batch * length)
  const mask = new Float32Array(batch * length)
  const prompted = queries.map((fitted, sample) => {
    const prompt = encodePrompt(fitted.query.text, tokenizer, length)
    fitted.write(image, sample)
    ids.set(prompt.ids, sample * length)
    mask.set(prompt.mask, sample * length)
    return { ...fitted, prompt }
  })
  const results = await sessions.use(input, (pool) =>
    pool.run({
      image: floats(image, [batch, height, width, 3]),
      ids: longs(ids, [batch, length]),
      mask: floats(mask, [batch, length]),
    }),
  )
  const scores = valueNamed(results, 'scores')
  const boxes = valueNamed(results, 'boxes')
  return prompted.map(({ query, prompt, covered, toPicture }, sample) => {
    const answer = { scores: sampleOf(scores, sample), boxes: sampleOf(boxes, sample), length }
    const objectness = results.objectness && sampleOf(results.objectness, sample)
    const tokens = query.phrases.map((span) => tokensOf(prompt, span))
    if (!config.selection)
      return phraseBoxes({ ...answer, objectness }, tokens, query.picture, toPicture, detect)
    if (!objectness) throw new Error('boxes are selected by their objectness, of which the model gives none')
    const selected = selectBoxes(
      { ...answer, objectness },
      input.levelStarts,
      tokens,
      covered,
      { ...config.selection, ...(detect.boxes !== undefined && { boxes: detect.boxes }) },
      detect.nms,
    )
    return withinOptions(selected, query.picture, toPicture, detect)
  })
}
