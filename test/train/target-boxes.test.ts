import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { encodePrompt } from '../../src/model/encode-prompt.js'
import { anchorsOf } from '../../src/model/network/anchors.js'
import type { GlipConfig } from '../../src/model/network/config.js'
import { buildVocabulary } from '../../src/model/vocabulary-builder.js'
import { createTokenizer } from '../../src/model/word-piece.js'
import { makeBatch } from '../../src/train/examples/make-batch.js'
import { maskSpans, maskWords } from '../../src/train/examples/mask-words.js'
import { targetBoxes } from '../../src/train/examples/target-boxes.js'
import { tinyConfig } from '../helpers/tiny-glip.js'
import { tinyOfficial } from '../helpers/tiny-official.js'

const [a, b, c]: readonly Xyxy[] = [
  [0, 0, 8, 8],
  [8, 0, 16, 8],
  [16, 0, 24, 8],
]
const range = ([start, end]: readonly [number, number]) =>
  Array.from({ length: end - start }, (_, at) => start + at)

describe('the boxes of a prompt', () => {
  it('have the words of all phrases that name them, and those that may', () => {
    const phrases = [
      { span: [1, 3], boxes: [a], unsure: [b] },
      { span: [4, 5], boxes: [a, b] },
      { span: [6, 8], boxes: [], unsure: [a, c] },
    ] as const
    expect(targetBoxes(phrases, range, (box) => box, 9)).toEqual({
      boxes: [
        { xyxy: a, tokens: [1, 2, 4], unsure: [6, 7] },
        { xyxy: b, tokens: [4], unsure: [1, 2] },
        { xyxy: c, tokens: [], unsure: [6, 7] },
      ],
      ignored: [],
      partial: [],
    })
  })

  it('are named ones first where there are too many, and what may name others does not count', () => {
    const phrases = [
      { span: [1, 2], boxes: [a], unsure: [c] },
      { span: [3, 4], boxes: [b] },
    ] as const
    const { boxes, ignored } = targetBoxes(phrases, range, (box) => box, 2)
    expect(boxes.map(({ xyxy }) => xyxy)).toEqual([a, b])
    expect(ignored).toEqual([[1, 2]])
  })

  it('beyond the limit are no negatives: their phrases do not count where there is no box', () => {
    const phrases = [
      { span: [1, 2], boxes: [a, b, c] },
      { span: [3, 4], boxes: [a] },
      { span: [5, 6], boxes: [c] },
    ] as const
    const { boxes, ignored, partial } = targetBoxes(phrases, range, (box) => box, 2)
    expect(boxes.map(({ xyxy }) => xyxy)).toEqual([a, b])
    expect(ignored).toEqual([])
    expect(partial).toEqual([
      [1, 2],
      [5, 6],
    ])
  })

  it('are not those of which a sliver is left, whose phrases do not count', () => {
    const phrases = [{ span: [1, 2], boxes: [a], unsure: [b] }] as const
    const seen = (box: Xyxy) => (box === b ? 'sliver' : undefined)
    expect(targetBoxes(phrases, range, seen, 2)).toEqual({ boxes: [], ignored: [[1, 2]], partial: [] })
  })

  it('are rows of a batch: 1 for words that name one, -1 for words that do not count', () => {
    const tokenizer = createTokenizer(buildVocabulary(['red cat'], 50, 1))
    const length = tinyConfig.text.max_tokens
    const prompt = encodePrompt('red cat', tokenizer, length)
    const example = {
      ...{ prompt, words: prompt.mask, regress: true, partial: [2] },
      picture: { width: 8, height: 8, scale: 1, data: new Uint8Array(192) },
      placement: { scale: 1, dx: 0, dy: 0, flipped: false, gain: 1, offset: 0 },
      boxes: [
        { xyxy: a, tokens: [1], unsure: [2] },
        { xyxy: b, tokens: [], unsure: [1] },
      ],
    }
    const { phrase } = makeBatch([example], anchorsOf(tinyConfig), tinyConfig, 3)
    const rows = [0, 1, 2, 3].map((row) => [...(phrase?.data ?? [])].slice(row * length, row * length + 4))
    expect(rows).toEqual([
      [0, 1, -1, 0],
      [0, -1, 0, 0],
      [0, 0, 0, 0],
      [0, 0, -1, 0],
    ])
  })

  it('have the official word for no object where the prompt is full', () => {
    const tokenizer = createTokenizer(buildVocabulary(['red cat'], 50, 1))
    const example = (text: string, length: number) => {
      const prompt = encodePrompt(text, tokenizer, length)
      return {
        ...{ prompt, words: prompt.mask, regress: true, partial: [] },
        picture: { width: 8, height: 8, scale: 1, data: new Uint8Array(192) },
        placement: { scale: 1, dx: 0, dy: 0, flipped: false, gain: 1, offset: 0 },
        boxes: [{ xyxy: a, tokens: [1], unsure: [] }],
      }
    }
    const lastWord = (text: string, config: GlipConfig) => {
      const length = config.text.max_tokens
      const { phrase } = makeBatch([example(text, length)], anchorsOf(config), config, 1)
      return [length - 1, 2 * length - 1].map((at) => phrase?.data[at])
    }
    const long = Array.from({ length: 40 }, () => 'red cat').join(' ')
    // As prepare_targets of the official code has it: the fixture's `wordsOfNone`.
    expect(lastWord(long, tinyOfficial)).toEqual([0, 1])
    expect(lastWord('red cat', tinyOfficial)).toEqual([0, 0])
    expect(lastWord(long, tinyConfig)).toEqual([0, 0])
  })
})

describe('hidden words', () => {
  const tokenizer = createTokenizer(buildVocabulary(['red cat kites'], 60, 1))
  const isHidden = ({ ids }: { readonly ids: BigInt64Array }) =>
    [...ids].map((id) => id === BigInt(tokenizer.mask))

  it('are each word as likely, the first one too, and never what is of no word', () => {
    const prompt = encodePrompt('red cat', tokenizer, 6)
    const counts = [0, 0, 0, 0, 0, 0]
    for (let seed = 0; seed < 400; seed++)
      isHidden(maskWords(prompt, tokenizer, 0.5, random(seed))).forEach((hidden, at) => {
        if (hidden) counts[at] = (counts[at] ?? 0) + 1
      })
    expect(counts.map((count) => Math.round(count / 100))).toEqual([0, 2, 2, 0, 0, 0])
  })

  it('are those of a span', () => {
    const prompt = encodePrompt('red cat', tokenizer, 5)
    expect(isHidden(maskSpans(prompt, tokenizer, [[4, 7]]))).toEqual([false, false, true, false, false])
  })
})
