import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { liesIn } from '../../src/boxes/lies-in.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'

const side = fc.integer({ min: 0, max: 20 })
const length = fc.integer({ min: 1, max: 20 })
const box = fc
  .tuple(side, side, length, length)
  .map(([x, y, width, height]): Xyxy => [x, y, x + width, y + height])

describe('a box lies in an area', () => {
  it('by half of itself, of one area, however large that is', () => {
    const area: Xyxy = [0, 0, 100, 100]
    expect(liesIn([95, 0, 105, 10], [area])).toBe(true)
    expect(liesIn([95.1, 0, 105.1, 10], [area])).toBe(false)
    expect(liesIn([95.1, 0, 105.1, 10], [area, [100, 0, 200, 5]])).toBe(false)
    expect(liesIn([95.1, 0, 105.1, 10], [area, [100, 0, 200, 10]])).toBe(true)
    expect(liesIn([0, 0, 10, 10], [])).toBe(false)
    // What is in it may be far smaller than it; what holds it does not lie in it.
    expect(liesIn([50, 50, 51, 51], [area])).toBe(true)
    expect(liesIn(area, [[50, 50, 51, 51]])).toBe(false)
    expect(liesIn([5, 5, 5, 5], [area])).toBe(false)
  })

  it('as counting its whole pixels finds it', () => {
    fc.assert(
      fc.property(box, box, (own, area) => {
        const [across, down] = [0, 1].map((at) =>
          Math.max(0, Math.min(own[at + 2], area[at + 2]) - Math.max(own[at], area[at])),
        )
        const share = (across * down) / ((own[2] - own[0]) * (own[3] - own[1]))
        expect(liesIn(own, [area])).toBe(share >= 0.5)
      }),
    )
  })
})
