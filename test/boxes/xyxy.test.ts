import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  boxAt,
  clipBox,
  mapBox,
  scaleBox,
  scalePixelBox,
  unscaleBox,
  type Xyxy,
} from '../../src/boxes/xyxy.js'

const side = fc.double({ min: -200, max: 200, noNaN: true })
const box = fc.tuple(side, side, side, side)

describe('a box', () => {
  it('is scaled alike on both axes, or on each by its own', () => {
    expect(scaleBox([1, 2, 3, 4], 10)).toEqual([10, 20, 30, 40])
    expect(scaleBox([1, 2, 3, 4], 10, 100)).toEqual([10, 200, 30, 400])
    expect(mapBox([1.4, 2.5, 3.6, 4], Math.floor)).toEqual([1, 2, 3, 4])
  })

  it('is scaled by its first and its last pixel as the official code does', () => {
    expect(scalePixelBox([1, 2, 31, 42], 2)).toEqual([2, 4, 61, 83])
    expect(scalePixelBox([1, 2, 31, 42], 2, 0.5)).toEqual([2, 1, 61, 21.5])
    // A pixel stays one as long as the picture is no smaller.
    expect(scalePixelBox([3, 3, 4, 4], 5)).toEqual([15, 15, 16, 16])
  })

  it('is read from its place among many', () => {
    const sides = Float32Array.from({ length: 12 }, (_, at) => at)
    expect([0, 1, 2].map((index) => boxAt(sides, index))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9, 10, 11],
    ])
  })

  it('is brought back by division, to the last bit', () => {
    fc.assert(
      fc.property(box, fc.double({ min: 0.01, max: 1, noNaN: true }), (xyxy, scale) => {
        expect(unscaleBox(xyxy, scale)).toEqual(xyxy.map((value) => value / scale))
      }),
    )
  })

  it('is cut off at the edges; what has no area inside is none', () => {
    fc.assert(
      fc.property(box, (xyxy) => {
        const inside = clipBox(xyxy, { width: 100, height: 50 })
        const across = Math.min(100, xyxy[2]) - Math.max(0, xyxy[0])
        const down = Math.min(50, xyxy[3]) - Math.max(0, xyxy[1])
        if (!inside) expect(across <= 0 || down <= 0).toBe(true)
        else {
          expect([inside[2] - inside[0], inside[3] - inside[1]]).toEqual([across, down])
          expect(inside[0] >= 0 && inside[1] >= 0 && inside[2] <= 100 && inside[3] <= 50).toBe(true)
          expect(clipBox(inside, { width: 100, height: 50 })).toEqual(inside)
        }
      }),
    )
    const odd: Xyxy[] = [
      [Number.NaN, 0, 10, 10],
      [0, 0, 10, Number.NaN],
      [10, 0, 10, 5],
      [100, 0, 120, 5],
      [0, 5, 10, 5],
      [0, 50, 10, 60],
    ]
    for (const one of odd) expect(clipBox(one, { width: 100, height: 50 })).toBeUndefined()
  })
})
