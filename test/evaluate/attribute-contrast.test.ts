import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AttributeContrast, attributeTable, kindsAsked } from '../../src/evaluate/attribute-contrast.js'
import { areaUnderCurve } from '../../src/statistics/area-under-curve.js'

/** Few values, so that ties are common. */
const scores = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 4 }), fc.double({ noNaN: true, min: 0, max: 1 })),
  {
    minLength: 1,
    maxLength: 30,
  },
)

describe('the area under the curve', () => {
  it('is the share of pairs in which the positive is larger, ties half', () => {
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        let halves = 0
        for (const a of positives) for (const b of negatives) halves += a > b ? 2 : a === b ? 1 : 0
        expect(areaUnderCurve(positives, negatives)).toBe(halves / (2 * positives.length * negatives.length))
      }),
    )
  })

  it('turns round with its sides, and stays when all scores rise alike', () => {
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        const area = areaUnderCurve(positives, negatives)
        expect(area + areaUnderCurve(negatives, positives)).toBeCloseTo(1, 12)
        const doubled = (values: number[]) => values.map((value) => 2 * value)
        expect(areaUnderCurve(doubled(positives), doubled(negatives))).toBe(area)
      }),
    )
  })

  it('is -1 where there is nothing to compare', () => {
    expect([areaUnderCurve([], [1]), areaUnderCurve([1], []), areaUnderCurve([], [])]).toEqual([-1, -1, -1])
  })
})

const contrast = (
  stated: number,
  swapped: number,
  more: Partial<AttributeContrast> = {},
): AttributeContrast => ({
  kind: 'colour',
  stated: { place: stated, presence: stated + 1 },
  swapped: { place: swapped, presence: swapped + 1 },
  absent: true,
  found: true,
  chance: 0.5,
  ...more,
})

describe('the table of attributes', () => {
  it('has AUC over all phrases, share over each with its own, and presence of what is absent', () => {
    const { colour, size, number, place } = attributeTable([
      contrast(3, 2),
      contrast(1, 1, { found: false, chance: 0.25 }),
      contrast(2, 5, { absent: false, chance: 0 }),
      contrast(1, 0, { kind: 'size' }),
    ])
    // Of nine pairs 3 > 2, 3 > 1, 2 > 1 are right, and 1 = 1 and 2 = 2 half.
    expect(colour).toEqual({
      phrases: 3,
      auc: 4 / 9,
      share: 0.5,
      absent: 2,
      auc_presence: 2.5 / 4,
      share_presence: 0.75,
      found: 2 / 3,
      chance: 0.25,
    })
    expect(size).toMatchObject({ phrases: 1, auc: 1, share: 1 })
    const none = { phrases: 0, absent: 0, auc: -1, share: -1, auc_presence: -1, share_presence: -1 }
    for (const empty of [number, place]) expect(empty).toEqual({ ...none, found: -1, chance: -1 })
  })

  it('says which kinds were asked for', () => {
    const tables = [
      attributeTable([contrast(1, 0, { kind: 'place' })]),
      undefined,
      attributeTable([contrast(1, 0)]),
    ]
    expect(kindsAsked(tables)).toEqual(['colour', 'place'])
    expect(kindsAsked([undefined, attributeTable([])])).toEqual([])
  })
})
