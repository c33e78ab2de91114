import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../../src/base/random.js'
import type { Xyxy } from '../../../src/boxes/xyxy.js'
import { valueNamed } from '../../../src/graph/session.js'
import type { Phrase } from '../../../src/rows/rows.js'
import { sigmoid } from '../../../src/statistics/logistic.js'
import type { AskedBox } from '../../../src/verify/judge/judge.js'
import { boxBatch } from '../../../src/verify/network/box-batch.js'
import { factCount, scoreFacts, writeFacts } from '../../../src/verify/network/box-facts.js'
import { drawBoxes, isRight } from '../../../src/verify/network/draw-boxes.js'
import { fitLogistic, logisticOf } from '../../../src/verify/network/fit-logistic.js'
import type { JudgedGold } from '../../../src/verify/network/judge-pictures.js'
import { countJudgeWords, wordsIn, writeWords } from '../../../src/verify/network/judge-words.js'
import { aucOf } from '../../../src/verify/network/measure-judge.js'
import { setFacts, thingsOf } from '../../../src/verify/network/set-facts.js'
import { writeCrop } from '../../../src/verify/network/write-crop.js'

describe('a logistic regression', () => {
  const penalty = 1e-2

  it('is where the gradient of the penalised likelihood is nothing', () => {
    const draw = random(4)
    const features = Array.from({ length: 200 }, () => [draw.normal(), 3 * draw.normal() + 1])
    const right = features.map(([a = 0, b = 0]) => draw.next() < sigmoid(1.5 * a - 0.7 * b + 0.3))
    const fit = fitLogistic(features, right)
    const residuals = features.map((row, at) => logisticOf(fit, row) - (right[at] ? 1 : 0))
    const sum = (of: (row: readonly number[]) => number) =>
      residuals.reduce((total, residual, at) => total + residual * of(features[at] ?? []), 0)
    expect(sum(() => 1)).toBeCloseTo(0, 5)
    for (const at of [0, 1])
      expect(sum((row) => row[at] ?? 0) + penalty * (fit.weights[at] ?? 0)).toBeCloseTo(0, 5)
    expect(fit.weights[0]).toBeGreaterThan(0.8)
    expect(fit.weights[1]).toBeLessThan(-0.4)
  })

  it('gives the logits of the shares where there is one yes or no, and ends where all can be told apart', () => {
    const table = [
      ...Array.from({ length: 1000 }, (_, at) => ({ x: 0, right: at < 300 })),
      ...Array.from({ length: 1000 }, (_, at) => ({ x: 1, right: at < 800 })),
    ]
    const fit = fitLogistic(
      table.map(({ x }) => [x]),
      table.map(({ right }) => right),
    )
    expect(logisticOf(fit, [0])).toBeCloseTo(0.3, 3)
    expect(logisticOf(fit, [1])).toBeCloseTo(0.8, 3)
    const apart = fitLogistic([[-2], [-1], [1], [2]], [false, false, true, true])
    expect(apart.weights[0]).toBeGreaterThan(1)
    expect(Number.isFinite(apart.weights[0])).toBe(true)
    const allOne = fitLogistic([[1], [2]], [true, true])
    expect(logisticOf(allOne, [1.5])).toBeGreaterThan(0.9)
  })
})

it('the area under the curve is the share of pairs in order, ties half', () => {
  const item = fc.record({ value: fc.integer({ min: 0, max: 5 }), right: fc.boolean() })
  fc.assert(
    fc.property(fc.array(item, { maxLength: 20 }), (items) => {
      const pairs = items
        .filter(({ right }) => right)
        .flatMap(({ value }) =>
          items
            .filter(({ right }) => !right)
            .map((other) => (value > other.value ? 1 : value === other.value ? 0.5 : 0)),
        )
      const share =
        pairs.length === 0 ? null : pairs.reduce<number>((sum, one) => sum + one, 0) / pairs.length
      const found = aucOf(items)
      if (share === null) expect(found).toBeNull()
      else expect(found).toBeCloseTo(share, 10)
    }),
  )
})

describe('what is cut out', () => {
  const picture = (width: number, height: number, scale: number) => {
    const draw = random('crop', width, height)
    return {
      ...{ width, height, scale },
      data: Uint8Array.from({ length: width * height * 3 }, () => draw.integer(256)),
    }
  }

  it('is the mean of nine samples a pixel, a quarter of the box around it, and grey beyond the picture', () => {
    const from = picture(20, 14, 0.5)
    const [side, box] = [5, [-2, 6, 16, 30] as Xyxy]
    const crop = new Float32Array(side * side * 3)
    writeCrop(crop, from, box, side)
    // In the pixels of this picture, which are half of the stored one's.
    const [x1, y1, x2, y2] = box.map((value) => value * 0.5) as unknown as Xyxy
    const place = (low: number, high: number, at: number) =>
      Math.floor(low - (high - low) / 4 + ((at + 0.5) * 1.5 * (high - low)) / (3 * side))
    let beyond = 0
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        for (let channel = 0; channel < 3; channel++) {
          let sum = 0
          for (let j = 0; j < 3; j++)
            for (let i = 0; i < 3; i++) {
              const [column, row] = [place(x1, x2, 3 * x + i), place(y1, y2, 3 * y + j)]
              const isInside = column >= 0 && column < 20 && row >= 0 && row < 14
              if (!isInside) beyond++
              sum += isInside ? ((from.data[3 * (row * 20 + column) + channel] ?? 0) - 127.5) / 127.5 : 0
            }
          expect(crop[3 * (y * side + x) + channel]).toBeCloseTo(sum / 9, 5)
        }
    expect(beyond).toBeGreaterThan(100)
  })

  it('is the other way round in a mirror', () => {
    const side = 4
    const [plain, mirrored] = [new Float32Array(48), new Float32Array(48)]
    const from = picture(16, 16, 1)
    writeCrop(plain, from, [2, 3, 10, 11], side)
    writeCrop(mirrored, from, [2, 3, 10, 11], side, true)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        expect([...mirrored.subarray(3 * (y * side + x), 3 * (y * side + x) + 3)]).toEqual([
          ...plain.subarray(3 * (y * side + side - 1 - x), 3 * (y * side + side - 1 - x) + 3),
        ])
    expect(mirrored).not.toEqual(plain)
  })
})

const box = (xyxy: Xyxy, score: number): AskedBox => ({ xyxy, score, label: null })
const words = (text: string, more: Partial<Phrase> = {}): Phrase => ({
  ...{ caption: 0, text, start: 0, end: text.length, head: text.split(' ').at(-1) ?? text },
  ...{ number: null, count: null, ...more },
})

describe('facts', () => {
  it('of a score are its rank and its rivals, elsewhere and of other words', () => {
    const [own, near, far, weak] = [
      box([0, 0, 10, 10], 0.6),
      box([0, 0, 10, 9], 0.7),
      box([20, 0, 30, 10], 0.8),
      box([40, 0, 50, 10], 0.2),
    ]
    const questions = [
      { phrase: 0, boxes: [far, near, own, weak] },
      { phrase: 1, boxes: [box([1, 0, 10, 10], 0.5), box([20, 0, 30, 10], 0.9)] },
    ]
    expect(scoreFacts({ phrase: 0 }, own, questions)).toEqual({
      ...{ score: 0.6, rank: 1, elsewhere: 0.8, otherWords: 0.5, things: 2 },
    })
    expect(scoreFacts({ phrase: 0 }, far, questions)).toEqual({
      ...{ score: 0.8, rank: 0, elsewhere: 0.7, otherWords: 0.9, things: 2 },
    })
  })

  it('of a box are its place, its words and its score; without a score the last are nothing', () => {
    const facts = new Float32Array(factCount)
    const size = { width: 200, height: 100 }
    const said = { score: 0.5, rank: 1, elsewhere: 0.2, otherWords: 0.1, things: 3 }
    writeFacts(facts, [0, 25, 100, 75], size, { number: 'plural', count: 3 }, said)
    const rounded = [...facts].map((value) => Number(value.toFixed(4)))
    expect(rounded.slice(0, 8)).toEqual([-0.25, 0, 0.25, 0, 0.5, 0.5, 0.5, 0.5])
    expect(facts[8]).toBeCloseTo(Math.LN2, 5)
    expect(facts[9]).toBeCloseTo(-Math.LN2 / 2, 5)
    expect(rounded.slice(10, 15)).toEqual([0, 1, 0, 1, 0.5])
    expect(rounded.slice(15)).toEqual([1, 0.5, 0, 0.5, 0.3, 0.4, 0.5])
    writeFacts(facts, [0, 25, 100, 75], size, { number: null, count: null }, undefined)
    expect([...facts].slice(10)).toEqual(Array(12).fill(0))
  })

  it('of a set are what is left undecided, and whether the number is the one that is said', () => {
    const boxes = [
      { xyxy: [0, 0, 10, 10] as Xyxy, probability: 0.9 },
      { xyxy: [0, 0, 10, 9] as Xyxy, probability: 0.6 },
      { xyxy: [20, 0, 30, 10] as Xyxy, probability: 0.75 },
      { xyxy: [40, 0, 50, 10] as Xyxy, probability: 0.25 },
    ]
    expect(thingsOf(boxes).map(({ probability }) => probability)).toEqual([0.9, 0.75, 0.25])
    const rounded = (facts: readonly number[]) => facts.map((value) => Number(value.toFixed(4)))
    expect(rounded(setFacts(boxes, { number: 'plural', count: 3 }))).toEqual([
      ...[0.25, 0.25, 0.35, 0.75, 0, 0, 0, 0, 1, 0, 0.3333],
    ])
    expect(rounded(setFacts(boxes, { number: 'singular', count: 1 }))).toEqual([
      ...[0.25, 0.25, 0.35, 0.75, 0, 0, 1, 0, 0, 1, 0.3333],
    ])
    expect(rounded(setFacts([], { number: 'plural', count: null }))).toEqual([
      ...[0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0],
    ])
  })
})

describe('words of a judge', () => {
  it('are those that came twice, the most frequent first, and as many as there is room for', () => {
    expect(wordsIn('The Dog, “don’t” 2!')).toEqual(['the', 'dog', 'don', 't', '2'])
    const counter = countJudgeWords()
    for (const text of ['a red dog', 'the red cat', 'a red dog', 'one bird']) counter.add(text)
    expect([...counter.words(10)]).toEqual([
      ['red', 1],
      ['a', 2],
      ['dog', 3],
    ])
    expect([...counter.words(3).keys()]).toEqual(['red', 'a'])
  })

  it('have a place each, 0 where they are unknown, and are cut off', () => {
    const [places, mask] = [new BigInt64Array(3).fill(9n), new Float32Array(3).fill(9)]
    writeWords(places, mask, ['dog', 'x'], new Map([['dog', 4]]))
    expect([[...places], [...mask]]).toEqual([
      [4n, 0n, 0n],
      [1, 1, 0],
    ])
    writeWords(places, mask, ['x', 'dog', 'dog', 'dog'], new Map([['dog', 4]]))
    expect([[...places], [...mask]]).toEqual([
      [0n, 4n, 4n],
      [1, 1, 1],
    ])
  })
})

const network = { ...{ crop: 4, widths: [1, 1, 1] as const, word_width: 1, width: 2 }, max_words: 3 }

it('a batch hides a noun in each of its numbers, and mirrors the place with the picture', () => {
  const picture = { width: 4, height: 4, scale: 1, data: new Uint8Array(48).fill(255) }
  const fed = {
    ...{ picture, size: { width: 40, height: 40 }, xyxy: [0, 0, 10, 40] as Xyxy },
    ...{ words: { number: null, count: null }, text: 'two red dogs', scores: undefined },
  }
  const known = new Map([
    ['red', 1],
    ['dogs', 2],
    ['two', 3],
  ])
  const batch = boxBatch(
    [fed, { ...fed, hidden: 'dog', isMirrored: true }],
    { ...network, vocabulary_size: 4 },
    known,
    3,
  )
  const [words, mask, facts] = ['words', 'word_mask', 'facts'].map((name) => valueNamed(batch, name).data)
  expect(words).toEqual(BigInt64Array.of(3n, 1n, 2n, 3n, 1n, 0n, 0n, 0n, 0n))
  expect(mask).toEqual(Float32Array.of(1, 1, 1, 1, 1, 1, 0, 0, 0))
  expect([0, factCount, 2 * factCount].map((at) => facts?.[at])).toEqual([-0.375, 0.375, 0])
})

describe('boxes that are drawn to learn from', () => {
  const truth: readonly Xyxy[] = [
    [5, 5, 40, 40],
    [60, 10, 95, 50],
  ]
  const proposals = [box([6, 5, 41, 42], 0.9), box([60, 60, 90, 90], 0.4)]
  const picture: JudgedGold = {
    ...{ shard: '00000', row: 0, key: 'k', width: 100, height: 100, isHeldOut: false },
    phrases: [
      { phrase: 0, words: words('a dog'), truth: truth.slice(0, 1), boxes: proposals },
      { phrase: 1, words: words('a cat'), truth: truth.slice(1), boxes: [] },
    ],
    absent: ['a red horse'],
  }

  it('lie in the picture, are right where they lie on what is named, and are of every kind', () => {
    const drawn = drawBoxes(picture, random(1), 600)
    expect(drawn).toHaveLength(600)
    expect(drawBoxes(picture, random(1), 600)).toEqual(drawn)
    for (const { xyxy, text, right } of drawn) {
      const own = picture.phrases.find((phrase) => phrase.words.text === text)?.truth ?? []
      expect(right).toBe(isRight(xyxy, own))
      const [x1, y1, x2, y2] = xyxy
      expect(x1 >= 0 && y1 >= 0 && x2 <= 100 && y2 <= 100 && x2 > x1 && y2 > y1).toBe(true)
    }
    const share = (of: (one: (typeof drawn)[number]) => boolean) => drawn.filter(of).length / 600
    expect(share(({ right }) => right)).toBeGreaterThan(0.3)
    expect(share(({ right }) => right)).toBeLessThan(0.75)
    expect(share(({ text }) => text === 'a red horse')).toBeGreaterThan(0.05)
    expect(drawn.find(({ text }) => text === 'a red horse')?.words.head).toBe('horse')
    const scored = drawn.filter(({ scores }) => scores)
    expect(new Set(scored.map(({ scores }) => scores?.score))).toEqual(new Set([0.9, 0.4]))
  })
})
