import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { floats } from '../../src/graph/session.js'
import { matchQueries } from '../../src/train/loss/match-queries.js'

const size = { height: 100, width: 200 }
const boxes = [
  [10, 10, 60, 50],
  [100, 20, 180, 90],
  [12, 12, 58, 52],
]

/** Two samples of three boxes at most, of phrases of the words 0, 1 and 2. */
const targets = (rows: readonly (readonly number[])[]) => {
  const box = new Float32Array(2 * 4 * 4)
  const phrase = new Float32Array(2 * 4 * 3)
  rows.forEach((words, sample) => {
    words.forEach((word, row) => {
      box.set(boxes[row], (sample * 4 + row) * 4)
      phrase[(sample * 4 + row) * 3 + word] = 1
    })
  })
  return { box: floats(box, [2, 4, 4]), phrase: floats(phrase, [2, 4, 3]) }
}

/** Predictions of five queries: noise, but for those that are given. */
function predictions(given: Readonly<Record<number, readonly [box: number, word: number]>>) {
  const draw = random('match')
  const predicted = new Float32Array(2 * 5 * 4)
  const logits = new Float32Array(2 * 5 * 3)
  for (let query = 0; query < 10; query++) {
    const [box, word] = given[query] ?? [undefined, undefined]
    const [x, y] = [draw.next() * 90, draw.next() * 40]
    predicted.set(box === undefined ? [x, y, x + 8, y + 8] : boxes[box], query * 4)
    for (let token = 0; token < 3; token++) logits[query * 3 + token] = token === word ? 4 : -4
  }
  return { logits: floats(logits, [2, 5, 3]), boxes: floats(predicted, [2, 5, 4]) }
}

describe('matching queries with boxes', () => {
  it('gives a box a query where it is not known what names it, by its place alone', () => {
    const { box, phrase } = targets([[0], []])
    const rows = phrase.data as Float32Array
    rows[0] = -1
    const { data } = matchQueries(predictions({ 3: [0, 2], 1: [1, 0] }), { box, phrase }, size)
    expect([...data].map(Number)).toEqual([3, 3, 3, 0, 3, 3, 3, 3, 3, 3])
  })

  it('gives each box the query that shows it, and the others none', () => {
    const given = { 3: [0, 0], 1: [1, 1], 5: [1, 2] } as const
    const { data, shape } = matchQueries(
      predictions(given),
      targets(
        [
          [0, 1],
          [0, 2],
        ].map((row) => row),
      ),
      size,
    )
    expect(shape).toEqual([2, 5])
    const first = [...data].map(Number)
    expect(first.slice(0, 5)).toEqual([3, 1, 3, 0, 3])
    expect(first[5]).toBe(1)
    expect(
      first
        .slice(5)
        .filter((row) => row < 3)
        .sort(),
    ).toEqual([0, 1])
  })

  it('tells boxes at one place by their words', () => {
    const given = { 0: [0, 2], 4: [2, 0] } as const
    const { data } = matchQueries(predictions(given), targets([[0, 1, 2], []]), size)
    // Query 0 lies a little better on box 0, but says what box 2 is called.
    expect(Number(data[4])).toBe(0)
    expect(Number(data[0])).toBe(2)
    expect([...data.subarray(5)].map(Number)).toEqual([3, 3, 3, 3, 3])
  })

  it('says what to do where predictions are numbers no more', () => {
    const broken = predictions({})
    broken.boxes.data[0] = Number.NaN
    expect(() => matchQueries(broken, targets([[0], []]), size)).toThrow(/lower learning_rate/)
  })

  it('takes of two places as far away the one of the larger GIoU, as DETR weighs it', () => {
    // The costs of DETR's matcher, 5 |centre and size| / input + 2 (1 - GIoU), by hand of four queries; words alike.
    const target = [40, 40, 60, 60]
    const queries = [
      // Moved by ten across: overlap 200 of 600, hull 600. 5 * 0.05 + 2 * (1 - 1/3) = 1.583
      [50, 40, 70, 60],
      // Twice as wide: overlap 400 of 800, hull 800. 5 * 0.1 + 2 * (1 - 1/2) = 1.5
      [30, 40, 70, 60],
      // Moved by ten down: 5 * 0.1 + 2 * (1 - 1/3) = 1.833
      [40, 50, 60, 70],
      // Half as high, in the middle: overlap 200 of 400. 5 * 0.1 + 2 * (1 - 1/2) = 1.5, and by a hair more
      [40, 44.9, 60, 55],
    ]
    const matched = (...given: readonly number[]) => {
      const chosen = given.map((index) => queries[index]!)
      const { data } = matchQueries(
        {
          logits: floats(new Float32Array(chosen.length).fill(-4), [1, chosen.length, 1]),
          boxes: floats(Float32Array.from(chosen.flat()), [1, chosen.length, 4]),
        },
        {
          box: floats(Float32Array.from([...target, 0, 0, 0, 0]), [1, 2, 4]),
          phrase: floats(Float32Array.from([1, 0]), [1, 2, 1]),
        },
        size,
      )
      return given[[...data].indexOf(0n)]
    }
    expect([
      matched(0, 1),
      matched(0, 2),
      matched(1, 2),
      matched(2, 3),
      matched(3, 0),
      matched(0, 3),
    ]).toEqual([1, 0, 1, 3, 3, 3])
  })
})
