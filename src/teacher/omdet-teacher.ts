import { basename, resolve } from 'node:path'
import { UserError } from '../base/user-error.js'
import { clipBox, type Xyxy } from '../boxes/xyxy.js'
import { sizesOf } from '../graph/ops/tensor.js'
import { longs, type Value, valueNamed } from '../graph/session.js'
import type { SessionPool } from '../graph/session-pool.js'
import type { Picture } from '../pictures/picture.js'
import { sigmoid } from '../statistics/logistic.js'
import { type QueryTokenizer, readClipTokenizer } from './folder/clip-tokenizer.js'
import { countIn, requireJson } from './folder/hf-folder.js'
import type { ImageProcessor } from './folder/hf-image-processor.js'
import { checkPorts, type ImageInput, imageInput, runOverImages } from './folder/image-runs.js'
import { detrProcessor } from './folder/processor-class.js'
import { readImageProcessor } from './folder/read-image-processor.js'
import { distributeBoxes, groupByPicture } from './group-by-picture.js'
import { cornersOf, keepBest } from './keep-best.js'
import type { FamilyFolder, FamilyOpening, OpenFamily } from './model-family.js'
import type { DetectOptions, Query, Teacher } from './teacher.js'

const wordInputs = [
  'classes_input_ids',
  'classes_attention_mask',
  'tasks_input_ids',
  'tasks_attention_mask',
  'classes_structure',
]

/** The beginning, "Detect", a word, a full stop, the end. */
const shortestTask = 5

interface Run {
  readonly picture: Picture
  readonly texts: readonly string[]
  /** Index of the picture's group. */
  readonly group: number
}

/**
 * Reads a Hugging Face folder of OmDet-Turbo. Each phrase is a class with a row of tokens of its own; the task that
 * goes with them is the processor's, "Detect a red dog, the table.", so that a run has as many phrases as its task has
 * room for. A box's score of a phrase is the sigmoid of their logit.
 */
export async function readOmDet(folder: FamilyFolder): Promise<OpenFamily> {
  const files = await readFiles(folder)
  return (opening) => openOmDet(folder, files, opening)
}

async function openOmDet(
  folder: FamilyFolder,
  read: OmDetFiles,
  { hash, notice, openPool }: FamilyOpening,
): Promise<Teacher> {
  const model = await openModel(folder, read, openPool)
  const { pool, images, classes } = model
  const encode = wordFeeds(model, notice)
  return {
    name: folder.options.name ?? basename(resolve(folder.path)),
    hash,
    pictureSide: Number.POSITIVE_INFINITY,
    batch: 1,
    parallel: pool.size,
    tokensOf: (text) => classes.tokensOf(text),
    // Phrases do not share the tokens of a prompt: a text of any length can be asked about.
    maxTokens: Number.POSITIVE_INFINITY,
    async detect(queries: readonly Query[], detect: DetectOptions) {
      const groups = groupByPicture(queries, (phrase) => phrase.trim())
      const runs = groups.flatMap(({ picture, texts }, group) =>
        packClasses(texts, model).map((pack): Run => ({ picture, texts: pack, group })),
      )
      const answers = await runOverImages(
        pool,
        images,
        runs,
        ([run]) => encode(run?.texts ?? []),
        (results, _, { picture, texts }) => boxesOf(results, texts.length, picture, detect),
      )
      const found = groups.map((): Scored[][] => [])
      for (const [index, { group }] of runs.entries()) found[group]!.push(...answers[index]!)
      return distributeBoxes(queries, groups, found)
    },
    close: () => pool.close(),
  }
}

/** What the files of a folder say besides its model. */
interface OmDetFiles {
  readonly processor: ImageProcessor
  /** The tokenizer for texts of a length. */
  readonly tokenizerOf: (length: number) => QueryTokenizer
  /** Tokens of a text where the graph leaves that open. */
  readonly ownLength: number
}

interface OmDetModel {
  readonly pool: SessionPool
  readonly images: ImageInput
  readonly classes: QueryTokenizer
  readonly tasks: QueryTokenizer
  /** Phrases that every run has, where the graph takes a fixed number. */
  readonly fixedCount: number | undefined
}

async function readFiles({ path }: FamilyFolder): Promise<OmDetFiles> {
  const config = await requireJson(path, 'config.json')
  const place = `${path}/config.json: text_config.`
  // transformers leaves out of config.json what is as CLIPTextConfig has it.
  const ownLength = countIn(config.text_config, 'max_position_embeddings', place) ?? 77
  if (ownLength < shortestTask)
    throw new UserError(`${place}max_position_embeddings is ${ownLength}: ${tooShort}`)
  const pad = countIn(config.text_config, 'pad_token_id', place, 0) ?? 1
  return {
    processor: await readImageProcessor(path, detrProcessor),
    tokenizerOf: await readClipTokenizer(path, pad),
    ownLength,
  }
}

const tooShort = `a task has ${shortestTask} tokens at least.`

async function openModel(
  { files: [file], options }: FamilyFolder,
  { processor, tokenizerOf, ownLength }: OmDetFiles,
  openPool: FamilyOpening['openPool'],
): Promise<OmDetModel> {
  const pool = await openPool(file, options)
  checkPorts(pool, file, ['pixel_values', ...wordInputs], ['decoder_coord_logits', 'decoder_class_logits'])
  const images = imageInput(pool, file, processor, 1)
  if (images.batch !== 1)
    throw new UserError(`${file}: it takes ${images.batch} pictures a run. Export it for one picture.`)
  const lengthOf = (name: string) => {
    const columns = pool.input(name)?.shape[1]
    return typeof columns === 'number' ? columns : ownLength
  }
  const tasks = tokenizerOf(lengthOf('tasks_input_ids'))
  if (tasks.length < shortestTask)
    throw new UserError(`${file}: tasks_input_ids takes ${tasks.length} tokens: ${tooShort}`)
  const rows = pool.input('classes_input_ids')?.shape[0]
  return {
    pool,
    images,
    classes: tokenizerOf(lengthOf('classes_input_ids')),
    tasks,
    fixedCount: typeof rows === 'number' ? rows : undefined,
  }
}

const taskOf = (phrases: readonly string[]) => `Detect ${phrases.join(', ')}.`

/** Phrases in packs whose task has room, in their order; a phrase that is too long has a pack of its own. */
function packClasses(phrases: readonly string[], { tasks, fixedCount }: OmDetModel): string[][] {
  const most = fixedCount ?? Number.POSITIVE_INFINITY
  const packs: string[][] = []
  for (const phrase of phrases) {
    const pack = packs.at(-1)
    const fits = pack && pack.length < most && tasks.tokensOf(taskOf([...pack, phrase])) <= tasks.length
    if (fits) pack.push(phrase)
    else packs.push([phrase])
  }
  return packs
}

/** Phrases as the model's inputs of words. The first one that is cut short is told to the user. */
function wordFeeds(
  { pool, classes, tasks, fixedCount }: OmDetModel,
  notice: FamilyOpening['notice'],
): (phrases: readonly string[]) => Record<string, Value> {
  let hasCut = false
  const encoded = (texts: readonly string[], tokenizer: QueryTokenizer) => {
    const rows = texts.map((text) => tokenizer.encode(text))
    const shape = [rows.length, tokenizer.length]
    return {
      ids: longs(BigInt64Array.from(rows.flatMap(({ ids }) => ids.map(BigInt))), shape),
      mask: longs(BigInt64Array.from(rows.flatMap(({ mask }) => mask.map(BigInt))), shape),
      isCut: rows.some(({ isCut }) => isCut),
    }
  }
  return (phrases) => {
    // A run that must be full asks for its last phrase again: that changes no other phrase's boxes.
    const missing = Math.max(0, (fixedCount ?? 0) - phrases.length)
    const rows = [...phrases, ...Array.from({ length: missing }, () => phrases.at(-1) ?? '')]
    const words = encoded(rows, classes)
    const task = encoded([taskOf(phrases)], tasks)
    if ((words.isCut || task.isCut) && !hasCut) {
      hasCut = true
      notice(
        `"${phrases[0]}" has more than the ${Math.min(classes.length, tasks.length)} tokens that omdet-turbo reads: such phrases are asked by their beginning.`,
      )
    }
    const feeds: Record<string, Value> = {
      classes_input_ids: words.ids,
      classes_attention_mask: words.mask,
      tasks_input_ids: task.ids,
      tasks_attention_mask: task.mask,
      classes_structure: longs([rows.length], [1]),
    }
    return Object.fromEntries(Object.entries(feeds).filter(([name]) => pool.input(name)))
  }
}

interface Scored {
  readonly xyxy: Xyxy
  readonly score: number
}

/**
 * The boxes of each phrase. As in the processor, as many pairs of a box and a phrase count as there are boxes, the best
 * ones.
 */
function boxesOf(
  results: Readonly<Record<string, Value>>,
  phrases: number,
  picture: Picture,
  options: DetectOptions,
): Scored[][] {
  const logits = valueNamed(results, 'decoder_class_logits')
  const boxes = valueNamed(results, 'decoder_coord_logits').data as Float32Array
  const [, count, columns] = sizesOf(logits, 3)
  const pairs: { readonly box: number; readonly phrase: number; readonly score: number }[] = []
  for (let box = 0; box < count; box++) {
    for (let phrase = 0; phrase < phrases; phrase++) {
      const score = sigmoid((logits.data as Float32Array)[box * columns + phrase]!)
      if (score >= options.floor) pairs.push({ box, phrase, score })
    }
  }
  const found = Array.from({ length: phrases }, (): Scored[] => [])
  for (const { box, phrase, score } of pairs.sort((a, b) => b.score - a.score).slice(0, count)) {
    const xyxy = clipBox(cornersOf(boxes, box, picture.width, picture.height), picture)
    if (xyxy) found[phrase]!.push({ xyxy, score })
  }
  return found.map((candidates) => keepBest(candidates, options))
}
