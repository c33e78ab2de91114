import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareRegions } from '../../src/filter/compare-regions.js'
import type { Region } from '../../src/rows/rows.js'

const at = (phrase: number, x: number, score = 0.5): Region => ({
  ...{ caption: 0, phrase, start: phrase, end: phrase + 1, score, origin: 'toy' },
  xyxy: [x, 0, x + 40, 40],
})
const region = fc
  .tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 4 }), fc.constantFrom(0.5, 0.6))
  .map(([phrase, x, score]) => at(phrase, 10 * x, score))
const regions = fc.array(region, { maxLength: 8 })

describe('comparing groundings', () => {
  it('accounts for every region once, and the other way round alike', () => {
    fc.assert(
      fc.property(regions, regions, (before, after) => {
        const { kept, moved, lost, added } = compareRegions(before, after)
        expect(kept.length + moved.length + lost.length).toBe(before.length)
        expect(kept.length + moved.length + added.length).toBe(after.length)
        for (const { iou } of moved) expect(iou >= 0.5 && iou < 1).toBe(true)
        expect(compareRegions(after, before).kept.length).toBe(kept.length)
        const same = compareRegions(before, before)
        expect(same).toMatchObject({ rescored: 0, moved: [], lost: [], added: [] })
        expect(same.kept.length).toBe(before.length)
      }),
    )
  })

  it('takes equal boxes before near ones, and other scores for the same box', () => {
    const before = [at(0, 0), at(0, 5), at(0, 100)]
    const changes = compareRegions(before, [at(0, 5, 0.9), at(0, 6), at(0, 200)])
    expect(changes.kept).toEqual([at(0, 5, 0.9)])
    expect(changes.rescored).toBe(1)
    expect(changes.moved).toEqual([{ region: at(0, 6), iou: expect.closeTo(34 / 46, 9) }])
    expect([changes.lost, changes.added]).toEqual([[at(0, 100)], [at(0, 200)]])
  })
})
