import { basename, join, resolve } from 'node:path'
import { nms } from '../boxes/nms.js'
import { floats, longs, Session } from '../graph/session.js'
import { plainPlacement, writeImage } from '../model/image-input.js'
import { hashModel, readModelConfig } from '../model/model-folder.js'
import { encodePrompt, type Prompt, tokensOf } from '../model/prompt.js'
import { readTokenizer } from '../model/word-piece.js'
import type { DetectOptions, Found, Query, Teacher } from './teacher.js'

export interface OpenOptions {
  /** Name written into proposals; the folder's own where it is not given. */
  readonly name?: string
  readonly threads?: number
}

/** Opens a model folder of the family `glip`, as `src/model` writes it. */
export async function openGlipTeacher(folder: string, options: OpenOptions = {}): Promise<Teacher> {
  const config = await readModelConfig(folder)
  const tokenizer = await readTokenizer(join(folder, 'tokenizer.json'))
  const hash = await hashModel(folder)
  const session = await Session.open(join(folder, 'model.onnx'), { threads: options.threads })
  const batch = session.inputs.find(({ name }) => name === 'image')?.shape[0] ?? 1
  const { image_size: size } = config
  const length = config.text.max_tokens
  const image = new Float32Array(batch * size * size * 3)

  const detectBatch = async (queries: readonly Query[], detect: DetectOptions): Promise<Found[][]> => {
    const prompts = queries.map(({ text }) => encodePrompt(text, tokenizer, length))
    const ids = new BigInt64Array(batch * length)
    const mask = new Float32Array(batch * length)
    const placements = queries.map(({ picture }, index) => {
      const placement = plainPlacement(picture, config)
      writeImage(image, index, picture, placement, config)
      ids.set(prompts[index].ids, index * length)
      mask.set(prompts[index].mask, index * length)
      return placement
    })
    const { scores, boxes, objectness } = await session.run({
      image: floats(image, [batch, size, size, 3]),
      ids: longs(ids, [batch, length]),
      mask: floats(mask, [batch, length]),
    })
    const anchors = objectness.shape[1]
    return queries.map((query, index) => {
      const answer: Answer = {
        scores: (scores.data as Float32Array).subarray(
          index * anchors * length,
          (index + 1) * anchors * length,
        ),
        boxes: (boxes.data as Float32Array).subarray(index * anchors * 4, (index + 1) * anchors * 4),
        objectness: (objectness.data as Float32Array).subarray(index * anchors, (index + 1) * anchors),
        length,
      }
      return decodeAnswer(answer, query, prompts[index], placements[index].scale, detect)
    })
  }

  return {
    name: options.name ?? basename(resolve(folder)),
    hash,
    pictureSide: Math.ceil(size * 1.5),
    batch,
    tokensOf: (text) => tokenizer.encode(text).length,
    maxTokens: length,
    async detect(queries, detect) {
      const found: Found[][] = []
      for (let start = 0; start < queries.length; start += batch) {
        found.push(...(await detectBatch(queries.slice(start, start + batch), detect)))
      }
      return found
    },
    close: () => session.close(),
  }
}

interface Answer {
  /** [A, L] */
  readonly scores: Float32Array
  /** [A, 4] */
  readonly boxes: Float32Array
  /** [A] */
  readonly objectness: Float32Array
  readonly length: number
}

/** Candidates of one phrase that go into suppression: PRE_NMS_TOP_N of the official configuration. */
const candidatesKept = 1000

/**
 * Boxes of each phrase: a place's score of a phrase is the mean of its words' probabilities (the official SCORE_AGG
 * MEAN), a box's score the square root of that times the centerness. Suppression runs within a phrase.
 */
function decodeAnswer(
  answer: Answer,
  { picture, phrases }: Query,
  prompt: Prompt,
  scale: number,
  options: DetectOptions,
): Found[] {
  const { scores, boxes, objectness, length } = answer
  const found: Found[] = []
  phrases.forEach((span, phrase) => {
    const tokens = tokensOf(prompt, span)
    if (tokens.length === 0) return
    const candidates: Found[] = []
    for (let anchor = 0; anchor < objectness.length; anchor++) {
      let sum = 0
      for (const token of tokens) sum += scores[anchor * length + token]
      const score = Math.sqrt((sum / tokens.length) * objectness[anchor])
      if (score < options.floor) continue
      const [x1, y1, x2, y2] = boxes.subarray(4 * anchor, 4 * anchor + 4)
      const xyxy = [
        Math.max(0, x1 / scale),
        Math.max(0, y1 / scale),
        Math.min(picture.width, x2 / scale),
        Math.min(picture.height, y2 / scale),
      ] as const
      if (xyxy[2] > xyxy[0] && xyxy[3] > xyxy[1]) candidates.push({ phrase, xyxy, score })
    }
    candidates.sort((a, b) => b.score - a.score)
    candidates.length = Math.min(candidates.length, candidatesKept)
    for (const index of nms(candidates, options.nms).slice(0, options.max_boxes))
      found.push(candidates[index])
  })
  return found.sort((a, b) => b.score - a.score)
}
