import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { areaOf, iou } from '../../src/boxes/iou.js'

const side = fc.integer({ min: 1, max: 30 })
const box = fc
  .tuple(side, side, side, side)
  .map(([x, y, w, h]) => [x, y, x + w, y + h] as [number, number, number, number])

describe('boxes', () => {
  it('have the share of their pixels in common, as counting whole pixels finds it', () => {
    fc.assert(
      fc.property(box, box, (a, b) => {
        let [both, either] = [0, 0]
        for (let x = 0; x < 60; x++) {
          for (let y = 0; y < 60; y++) {
            const [inA, inB] = [a, b].map((one) => x >= one[0] && x < one[2] && y >= one[1] && y < one[3])
            if (inA && inB) both++
            if (inA || inB) either++
          }
        }
        expect(iou(a, b)).toBeCloseTo(both / either, 12)
        expect(iou(a, b)).toBe(iou(b, a))
      }),
    )
  })

  it('have no area when turned inside out, and overlap nothing', () => {
    expect(areaOf([10, 10, 5, 20])).toBe(0)
    expect(iou([10, 10, 5, 20], [0, 0, 30, 30])).toBe(0)
    expect(iou([5, 5, 5, 5], [5, 5, 5, 5])).toBe(0)
    expect(iou([5, 0, 5, 9], [5, 0, 5, 9])).toBe(0)
    expect(iou([0, 5, 9, 5], [0, 5, 9, 5])).toBe(0)
  })
})
