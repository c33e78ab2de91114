import { describe, expect, it } from 'vitest'
import { random } from '../../../src/base/random.js'
import type { Xyxy } from '../../../src/boxes/xyxy.js'
import { besideFacts } from '../../../src/verify/network/beside-facts.js'
import { logisticOf } from '../../../src/verify/network/fit-logistic.js'
import { fitRightBoxes, type NamedBox, rightProbabilities } from '../../../src/verify/network/right-boxes.js'

const here: Xyxy = [0, 0, 10, 10]
const almost: Xyxy = [0, 0, 10, 9]
const there: Xyxy = [30, 0, 40, 10]
const box = (phrase: number, head: string, xyxy: Xyxy, logit: number, isKnown = true): NamedBox => ({
  ...{ phrase, head, xyxy, logit, isKnown, score: undefined },
})

describe('what is beside a box', () => {
  it('is the best for another noun at its place, and the best for its phrase elsewhere', () => {
    const boxes = [
      ...[box(0, 'cat', here, 1), box(0, 'cat', there, -2), box(0, 'cat', almost, 3)],
      // The same noun in other words is no rival, nor is another one elsewhere.
      ...[box(1, 'cats', here, 6), box(2, 'dog', almost, 2), box(2, 'dog', there, 0.5)],
    ]
    expect(besideFacts(boxes)).toEqual([
      [1, 2, -2, 0],
      [-2, 0.5, 3, 0],
      [3, 2, -2, 0],
      [6, 2, -7, 0],
      [2, 6, 0.5, 0],
      [0.5, -2, 2, 0],
    ])
    expect(besideFacts([{ ...box(0, 'cat', here, 50), score: 0.8 }])).toEqual([
      [7, -7, -7, expect.closeTo(Math.log(4), 9)],
    ])
    expect(besideFacts([])).toEqual([])
  })
})

describe('whether boxes are right', () => {
  /** Pictures with one thing, of which two phrases have a box: one of them is right, rather the one of the higher logit. */
  const pictures = (count: number, isKnown: boolean) => {
    const draw = random('pictures', count)
    return Array.from({ length: count }, () => {
      const right = draw.next() < 0.5
      return [right, !right].map((is, phrase) => ({
        ...box(phrase, phrase === 0 ? 'cat' : 'dog', here, (is ? 1 : -1) + 2 * draw.normal(), isKnown),
        right: is,
      }))
    })
  }

  it('is told better by the rival as well, and the surer the fewer the doubts', () => {
    const all = pictures(600, true)
    const right = fitRightBoxes(all)
    const losses = (of: (boxes: readonly NamedBox[]) => readonly number[]) => {
      const each = all.flatMap((boxes) => of(boxes).map((p, at) => Math.log(boxes[at]?.right ? p : 1 - p)))
      return -each.reduce((sum, one) => sum + one, 0) / each.length
    }
    const own = fitRightBoxes(all.flatMap((boxes) => boxes.map((one) => [one])))
    expect(losses((boxes) => rightProbabilities(right, boxes))).toBeLessThan(
      0.9 * losses((boxes) => boxes.flatMap((one) => rightProbabilities(own, [one]))),
    )
    const [weight = 0, rival = 0] = right.known.weights
    expect(weight).toBeGreaterThan(0)
    expect(rival).toBeCloseTo(-weight, 0)
  })

  it('counts half for nouns that were hidden, by weights of their own', () => {
    const hidden = pictures(400, false)
    const right = fitRightBoxes([...pictures(300, true), ...hidden])
    const asKnown = fitRightBoxes(hidden.map((boxes) => boxes.map((one) => ({ ...one, isKnown: true }))))
    expect(right.unknown.bias).toBeCloseTo(asKnown.known.bias / 2, 9)
    right.unknown.weights.forEach((weight, at) => {
      expect(weight).toBeCloseTo((asKnown.known.weights[at] ?? 0) / 2, 9)
    })
    const facts = besideFacts(hidden[0] ?? [])
    expect(rightProbabilities(right, hidden[0] ?? [])).toEqual(
      facts.map((one) => logisticOf(right.unknown, one)),
    )
    // Nothing was hidden: what is known of the others serves.
    const all = fitRightBoxes(pictures(50, true))
    expect(all.unknown.weights[0]).toBeCloseTo((all.known.weights[0] ?? 0) / 2, 9)
  })
})
