import { basename, join, resolve } from 'node:path'
import { UserError } from '../base/user-error.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { clipBox } from '../boxes/xyxy.js'
import { sizesOf } from '../graph/ops/tensor.js'
import { longs, sampleOf, type Value, valueNamed } from '../graph/session.js'
import type { SessionPool } from '../graph/session-pool.js'
import { type EncodedPrompt, encodePrompt, tokensOf } from '../model/encode-prompt.js'
import { readTokenizer, type Tokenizer } from '../model/word-piece.js'
import type { Picture } from '../pictures/picture.js'
import { sigmoid } from '../statistics/logistic.js'
import { joinNames } from '../words/name-prompt.js'
import { countIn, requireJson } from './folder/hf-folder.js'
import type { ImageProcessor } from './folder/hf-image-processor.js'
import { checkPorts, type ImageInput, imageInput, inputsText, runOverImages } from './folder/image-runs.js'
import { detrProcessor } from './folder/processor-class.js'
import { readImageProcessor } from './folder/read-image-processor.js'
import { distributeBoxes, groupByPicture } from './group-by-picture.js'
import { cornersOf, keepBest } from './keep-best.js'
import type { FamilyFolder, FamilyOpening, OpenFamily } from './model-family.js'
import { type PhrasePrompt, packPhrases } from './phrases/pack-phrases.js'
import type { DetectOptions, Query, Teacher } from './teacher.js'

const inputs = ['pixel_values', 'pixel_mask', 'input_ids', 'token_type_ids', 'attention_mask']

/** [CLS], a word, a full stop, [SEP]. */
const shortestPrompt = 4

interface Run {
  readonly picture: Picture
  readonly prompt: PhrasePrompt
}

/**
 * Reads a Hugging Face folder of Grounding DINO or MM Grounding DINO (LLMDet is one), which are asked and
 * answer alike. Phrases are asked as "a cat. a remote.", as many in a pass
 * as there is room for; a box's score of a phrase is the largest probability of the phrase's own tokens. The
 * sentence around a phrase is not asked: the network keeps phrases apart.
 *
 * Some exports are right for one phrase a pass only, since the text's mask was frozen with them; that is
 * found out here, and such a file gets one phrase a pass.
 */
export async function readGroundingDino(folder: FamilyFolder): Promise<OpenFamily> {
  const files = await readFiles(folder)
  return (opening) => openGroundingDino(folder, files, opening)
}

async function openGroundingDino(
  folder: FamilyFolder,
  read: DinoFiles,
  opening: FamilyOpening,
): Promise<Teacher> {
  const model = await openModel(folder, read, opening)
  const { pool, images, tokenizer, length } = model
  const maxPhrases = await phrasesInOnePass(model, folder, opening)
  return {
    name: folder.options.name ?? basename(resolve(folder.path)),
    hash: opening.hash,
    pictureSide: Number.POSITIVE_INFINITY,
    batch: images.batch,
    parallel: pool.size,
    tokensOf: (text) => tokenizer.encode(text).length,
    maxTokens: length,
    async detect(queries: readonly Query[], detect: DetectOptions) {
      const groups = groupByPicture(queries, cleanPhrase)
      const runs = groups.flatMap(({ picture, texts }, group) => {
        const packs = packPhrases(texts, (prompt) => tokenizer.encode(prompt).length, length, maxPhrases)
        return packs.map((pack) => ({ picture, prompt: promptOf(pack, tokenizer, length), group }))
      })
      const answers = await runModel(model, runs)
      // Packs keep the order of a group's texts: so do their boxes.
      const found = groups.map((): Scored[][] => [])
      for (const [index, { picture, prompt, group }] of runs.entries()) {
        for (const span of prompt.spans) {
          const boxes = boxesOf(answers[index]!, tokensOf(prompt.encoded, span), picture, detect.floor)
          found[group]!.push(keepBest(boxes, detect))
        }
      }
      return distributeBoxes(queries, groups, found)
    },
    close: () => pool.close(),
  }
}

interface DinoModel {
  readonly pool: SessionPool
  readonly images: ImageInput
  readonly tokenizer: Tokenizer
  /** Tokens of a prompt at most. */
  readonly length: number
  /** Tokens that every prompt is padded to, where the graph takes a fixed number. */
  readonly fixedLength: number | undefined
}

/** What the files of a folder say besides its model. */
interface DinoFiles {
  readonly tokenizer: Tokenizer
  readonly processor: ImageProcessor
  /** Tokens of a prompt at most, whatever the graph takes. */
  readonly ownLength: number
}

async function readFiles({ path }: FamilyFolder): Promise<DinoFiles> {
  const config = await requireJson(path, 'config.json')
  // transformers leaves out of config.json what is as GroundingDinoConfig has it.
  const ownLength = countIn(config, 'max_text_len', `${path}/config.json: `) ?? 256
  if (ownLength < shortestPrompt)
    throw new UserError(
      `${path}/config.json: max_text_len is ${ownLength}: a prompt has ${shortestPrompt} tokens at least.`,
    )
  return {
    tokenizer: await readTokenizer(join(path, 'tokenizer.json')),
    processor: await readImageProcessor(path, detrProcessor),
    ownLength,
  }
}

async function openModel(
  { files, options }: FamilyFolder,
  { tokenizer, processor, ownLength }: DinoFiles,
  { openPool }: FamilyOpening,
): Promise<DinoModel> {
  const pool = await openPool(files[0], options)
  checkPorts(pool, files[0], inputs, ['logits', 'pred_boxes'])
  if (!pool.input('input_ids'))
    throw new UserError(
      `${files[0]}: there is no input "input_ids": it reads no words; it has: ${inputsText(pool)}.`,
    )
  const images = imageInput(pool, files[0], processor, options.batch)
  const declared = pool.input('input_ids')?.shape[1]
  const fixedLength = typeof declared === 'number' ? declared : undefined
  const length = Math.min(ownLength, fixedLength ?? Number.POSITIVE_INFINITY)
  if (length < shortestPrompt)
    throw new UserError(
      `${files[0]}: input_ids takes ${length} tokens: a prompt has ${shortestPrompt} at least.`,
    )
  return { pool, images, tokenizer, length, fixedLength }
}

/** How many phrases a pass may have: one, with a notice, where the export is right for one only. */
async function phrasesInOnePass(
  model: DinoModel,
  { files }: FamilyFolder,
  { notice }: FamilyOpening,
): Promise<number> {
  const prompt = promptOf(['a cat', 'a cat', 'a cat'], model.tokenizer, model.length)
  const [answer] = await runModel(model, [{ picture: grey, prompt }])
  if (answer && sameForEqualPhrases(answer, prompt)) return Number.POSITIVE_INFINITY
  notice(
    `${files[0]} is right for one phrase a pass only (its text mask was frozen when it was exported): every phrase gets a pass of its own. An export that keeps the mask open is faster.`,
  )
  return 1
}

function runModel(model: DinoModel, runs: readonly Run[]): Promise<Answer[]> {
  return runOverImages(
    model.pool,
    model.images,
    runs,
    (batch) =>
      textFeeds(
        model,
        batch.map(({ prompt }) => prompt.encoded),
      ),
    (results, sample): Answer => {
      const logits = valueNamed(results, 'logits')
      const [, , tokens] = sizesOf(logits, 3)
      const boxes = sampleOf(valueNamed(results, 'pred_boxes'), sample)
      return { logits: sampleOf(logits, sample), boxes, tokens }
    },
  )
}

/** The inputs of a batch's prompts, padded to one length. */
function textFeeds(
  { pool, tokenizer, fixedLength }: DinoModel,
  prompts: readonly EncodedPrompt[],
): Record<string, Value> {
  const length = fixedLength ?? Math.max(...prompts.map(({ pieces }) => pieces.length))
  const shape = [prompts.length, length]
  const ids = new BigInt64Array(prompts.length * length).fill(BigInt(tokenizer.pad))
  const mask = new BigInt64Array(ids.length)
  for (const [row, { pieces }] of prompts.entries()) {
    for (const [at, { id }] of pieces.entries()) {
      ids[row * length + at] = BigInt(id)
      mask[row * length + at] = 1n
    }
  }
  const feeds = {
    input_ids: longs(ids, shape),
    token_type_ids: longs(new BigInt64Array(ids.length), shape),
    attention_mask: longs(mask, shape),
  }
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => pool.input(name)))
}

interface Answer {
  /** [Q, T], before the sigmoid; minus infinity beyond the text. */
  readonly logits: Float32Array
  /** [Q, 4], centre and size, 0 to 1. */
  readonly boxes: Float32Array
  readonly tokens: number
}

interface Scored {
  readonly xyxy: Xyxy
  readonly score: number
}

function boxesOf(
  { logits, boxes, tokens: width }: Answer,
  tokens: readonly number[],
  picture: Picture,
  floor: number,
) {
  const found: Scored[] = []
  if (tokens.length === 0) return found
  for (let query = 0; query * width < logits.length; query++) {
    let best = Number.NEGATIVE_INFINITY
    for (const token of tokens) best = Math.max(best, logits[query * width + token]!)
    const score = sigmoid(best)
    if (score < floor) continue
    const xyxy = clipBox(cornersOf(boxes, query, picture.width, picture.height), picture)
    if (xyxy) found.push({ xyxy, score })
  }
  return found
}

/** Lower case, and without the signs that the network takes for the end of a phrase. */
function cleanPhrase(text: string): string {
  return text.toLowerCase().replace(/[.?]/g, ' ').replace(/\s+/g, ' ').trim()
}

/**
 * The prompt of some phrases. A single one that is too long loses its last words, so that the full stop keeps
 * its place.
 */
function promptOf(phrases: readonly string[], tokenizer: Tokenizer, length: number): PhrasePrompt {
  const [phrase = '', ...others] = phrases
  if (others.length === 0 && phrase.includes(' ') && tokenizer.encode(`${phrase}.`).length > length)
    return promptOf([phrase.slice(0, phrase.lastIndexOf(' '))], tokenizer, length)
  const { text, spans } = joinNames(phrases)
  // Unlike GLIP's, this prompt ends with a full stop.
  return { encoded: encodePrompt(`${text}.`, tokenizer, length), spans }
}

const grey: Picture = { width: 64, height: 64, scale: 1, data: new Uint8Array(64 * 64 * 3).fill(128) }

/**
 * Whether equal phrases of one prompt have equal scores. They must: each is read by itself, its positions
 * counted from its own start. Where the mask's loop over separators was frozen at the count of one phrase,
 * the later ones are read as single words.
 */
function sameForEqualPhrases({ logits, tokens: width }: Answer, prompt: PhrasePrompt): boolean {
  const [first = [], ...others] = prompt.spans.map((span) => tokensOf(prompt.encoded, span))
  for (let query = 0; query * width < logits.length; query++) {
    const differs = (token: number, equalToken: number) => {
      const [a, b] = [logits[query * width + token]!, logits[query * width + equalToken]!]
      return Math.abs(a - b) > 0.01 * Math.max(1, Math.abs(a))
    }
    if (others.some((other) => first.some((token, at) => differs(token, other[at]!)))) return false
  }
  return true
}

/** What Hugging Face's processor makes of one picture's answer. */
export interface GroundedDetection {
  readonly score: number
  /** Pixels, not cut off at the picture's edge. */
  readonly xyxy: Xyxy
  /** The tokens above the text threshold, decoded; not always a phrase of the prompt. */
  readonly label: string
}

/**
 * `post_process_grounded_object_detection` of Hugging Face's processor: boxes whose best token is above
 * `threshold`, named by all tokens above `textThreshold`. The teacher reads phrases by their place in the
 * prompt instead, since these names run into one another; this is for comparing with other programs.
 *
 * @param ids of the prompt, special tokens included
 */
export function groundedDetections(
  answer: { readonly logits: Float32Array; readonly boxes: Float32Array; readonly tokens: number },
  ids: readonly number[],
  picture: Pick<Picture, 'width' | 'height'>,
  options: { readonly threshold: number; readonly textThreshold: number },
  decode: (ids: number[]) => string,
): GroundedDetection[] {
  const { logits, boxes, tokens } = answer
  const found: GroundedDetection[] = []
  for (let query = 0; query * tokens < logits.length; query++) {
    const scores = Array.from(logits.subarray(query * tokens, (query + 1) * tokens), sigmoid)
    const score = Math.max(...scores)
    if (!(score > options.threshold)) continue
    // The first and the last place of the row are left out, whatever they hold.
    const named = ids.filter((_, at) => scores[at]! > options.textThreshold && at > 0 && at < tokens - 1)
    found.push({ score, xyxy: cornersOf(boxes, query, picture.width, picture.height), label: decode(named) })
  }
  return found
}
