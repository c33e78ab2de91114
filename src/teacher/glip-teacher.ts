import { basename, join, resolve } from 'node:path'
import { floats, longs } from '../graph/session.js'
import { SessionPool } from '../graph/session-pool.js'
import { plainPlacement, writeImage } from '../model/image-input.js'
import { readModelConfig } from '../model/model-folder.js'
import { encodePrompt, type Prompt, tokensOf } from '../model/prompt.js'
import { readTokenizer } from '../model/word-piece.js'
import { orderedMap } from '../ordered-map.js'
import { UserError } from '../user-error.js'
import { clipped, keepBest } from './keep-best.js'
import type { OpenedFolder } from './open-teacher.js'
import type { DetectOptions, Found, Query, Teacher } from './teacher.js'

/** Opens a model folder of the family `glip`, as `src/model` writes it. */
export async function openGlipTeacher({ path, files, hash, options }: OpenedFolder): Promise<Teacher> {
  const config = await readModelConfig(path)
  const tokenizer = await readTokenizer(join(path, 'tokenizer.json'))
  const pool = await SessionPool.open(files[0], options)
  const batch = Number(pool.input('image')?.shape[0] ?? 1)
  const { image_size: size } = config
  const length = config.text.max_tokens

  const detectBatch = async (queries: readonly Query[], detect: DetectOptions): Promise<Found[][]> => {
    const own = config.prompt?.join('. ')
    const other = own !== undefined && queries.find(({ text }) => text !== own)
    if (other) {
      throw new UserError(
        `${path} was prompt-tuned: it can be asked for "${own}" alone, not for "${other.text}".`,
      )
    }
    const prompts = queries.map(({ text }) => encodePrompt(text, tokenizer, length))
    const image = new Float32Array(batch * size * size * 3)
    const ids = new BigInt64Array(batch * length)
    const mask = new Float32Array(batch * length)
    const placements = queries.map(({ picture }, index) => {
      const placement = plainPlacement(picture, config)
      writeImage(image, index, picture, placement, config)
      ids.set(prompts[index].ids, index * length)
      mask.set(prompts[index].mask, index * length)
      return placement
    })
    const { scores, boxes, objectness } = await pool.run({
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
    name: options.name ?? basename(resolve(path)),
    hash,
    pictureSide: Math.ceil(size * 1.5),
    batch,
    parallel: pool.size,
    ...(config.prompt && { prompt: config.prompt }),
    tokensOf: (text) => tokenizer.encode(text).length,
    maxTokens: length,
    async detect(queries, detect) {
      const batches = Array.from({ length: Math.ceil(queries.length / batch) }, (_, at) =>
        queries.slice(at * batch, (at + 1) * batch),
      )
      const found: Found[][] = []
      for await (const answers of orderedMap(batches, pool.size + 1, (one) => detectBatch(one, detect)))
        found.push(...answers)
      return found
    },
    close: () => pool.close(),
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
      const xyxy = clipped([x1 / scale, y1 / scale, x2 / scale, y2 / scale], picture)
      if (xyxy) candidates.push({ phrase, xyxy, score })
    }
    found.push(...keepBest(candidates, options))
  })
  return found.sort((a, b) => b.score - a.score)
}
