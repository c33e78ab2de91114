import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { phraseRecall } from '../../src/evaluate/phrase-recall.js'

const target: Xyxy = [10, 10, 30, 30]
/** Overlaps the target with an IoU of exactly 0.5. */
const half: Xyxy = [10, 10, 30, 20]
/** Just less. */
const less: Xyxy = [10, 10, 30, 19.9]

const box = fc
  .tuple(...[0, 0, 1, 1].map((min) => fc.integer({ min, max: 20 })))
  .map(([x, y, w, h]): Xyxy => [x, y, x + w, y + h])
const phrase = fc.record({
  predicted: fc.array(box, { maxLength: 12 }),
  targets: fc.array(box, { maxLength: 3 }),
})

describe('phrase recall', () => {
  it('finds a phrase by any of its targets, at an IoU of 0.5 and not below', () => {
    const targets: Xyxy[] = [[50, 50, 60, 60], target]
    expect(phraseRecall([{ predicted: [half], targets }], [1])).toEqual([1])
    expect(phraseRecall([{ predicted: [less], targets }], [1])).toEqual([0])
  })

  it('looks at the first k boxes', () => {
    const phrases = [
      { predicted: [less, less, target], targets: [target] },
      { predicted: [target], targets: [target] },
      { predicted: [], targets: [target] },
    ]
    expect(phraseRecall(phrases, [1, 2, 3, Number.POSITIVE_INFINITY])).toEqual([1 / 3, 1 / 3, 2 / 3, 2 / 3])
  })

  it('does not count phrases without a target', () => {
    const counted = { predicted: [target], targets: [target] }
    expect(phraseRecall([counted, { predicted: [target], targets: [] }], [1])).toEqual([1])
    expect(phraseRecall([{ predicted: [target], targets: [] }], [1, 5])).toEqual([-1, -1])
  })

  it('never falls with k, nor with one more target', () => {
    fc.assert(
      fc.property(fc.array(phrase, { minLength: 1 }), box, (phrases, extra) => {
        const [one, five, ten] = phraseRecall(phrases, [1, 5, 10])
        expect(one).toBeLessThanOrEqual(five)
        expect(five).toBeLessThanOrEqual(ten)
        const counted = phrases.filter(({ targets }) => targets.length > 0)
        const more = counted.map(({ predicted, targets }) => ({ predicted, targets: [...targets, extra] }))
        expect(phraseRecall(more, [1])[0]).toBeGreaterThanOrEqual(one)
      }),
    )
  })
})
