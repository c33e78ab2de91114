import type { Xyxy } from '../../boxes/xyxy.js'
import { floats, longs, type Value } from '../../graph/session.js'
import type { Picture } from '../../pictures/picture.js'
import type { Phrase } from '../../rows/rows.js'
import { factCount, type ScoreFacts, writeFacts } from './box-facts.js'
import type { JudgeNetwork } from './judge-network.js'
import { isFormOf, type JudgeWords, wordsIn, writeWords } from './judge-words.js'
import { writeCrop } from './write-crop.js'

/** A box of a picture with the words that it is asked about for. */
export interface FedBox {
  readonly picture: Pick<Picture, 'width' | 'height' | 'data' | 'scale'>
  /** Pixels of the stored picture, as the box is in. */
  readonly size: { readonly width: number; readonly height: number }
  readonly xyxy: Xyxy
  readonly words: Pick<Phrase, 'number' | 'count'>
  readonly text: string
  readonly scores: ScoreFacts | undefined
  /** A word that is not told. */
  readonly hidden?: string
  readonly isMirrored?: boolean
}

/** What a batch of boxes feeds; places without a box are zeros. */
export function boxBatch(
  boxes: readonly FedBox[],
  { crop, max_words: maxWords }: JudgeNetwork,
  known: JudgeWords,
  batch: number,
): Record<string, Value> {
  const crops = new Float32Array(batch * crop * crop * 3)
  const facts = new Float32Array(batch * factCount)
  const places = new BigInt64Array(batch * maxWords)
  const mask = new Float32Array(batch * maxWords)
  const part = <Numbers extends Float32Array | BigInt64Array>(all: Numbers, at: number, size: number) =>
    all.subarray(at * size, (at + 1) * size) as Numbers
  boxes.forEach(({ picture, size, xyxy, words, text, scores, hidden, isMirrored = false }, at) => {
    writeCrop(part(crops, at, crop * crop * 3), picture, xyxy, crop, isMirrored)
    const place: Xyxy = isMirrored ? [size.width - xyxy[2], xyxy[1], size.width - xyxy[0], xyxy[3]] : xyxy
    writeFacts(part(facts, at, factCount), place, size, words, scores)
    const told = wordsIn(text).map((word) => (hidden !== undefined && isFormOf(word, hidden) ? '' : word))
    writeWords(part(places, at, maxWords), part(mask, at, maxWords), told, known)
  })
  return {
    crop: floats(crops, [batch, crop, crop, 3]),
    facts: floats(facts, [batch, factCount]),
    words: longs(places, [batch, maxWords]),
    word_mask: floats(mask, [batch, maxWords]),
  }
}
