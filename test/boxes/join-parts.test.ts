import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinParts } from '../../src/boxes/join-parts.js'
import { nms } from '../../src/boxes/nms.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'

const box = (x1: number, y1: number, x2: number, y2: number, score: number, isPart = false) => ({
  ...{ xyxy: [x1, y1, x2, y2] as Xyxy, score, isPart },
})

describe('parts of things in tiles', () => {
  it('grow together, whatever weak boxes lie about them', () => {
    const [left, right] = [box(0, 0, 60, 40, 0.8, true), box(50, 0, 70, 40, 0.9, true)]
    expect(joinParts([left, right], 0.5)).toEqual([box(0, 0, 70, 40, 0.9, true)])
    const weak = [box(0, 0, 500, 500, 0.05), box(0, 0, 500, 500, 0.04, true)]
    expect(joinParts([left, right, ...weak], 0.5)).toEqual([box(0, 0, 70, 40, 0.9, true), weak[0]])
  })

  it('join no whole box, and whole boxes are suppressed by their IoU alone', () => {
    const inner = box(10, 10, 20, 20, 0.5)
    const outer = box(0, 0, 40, 40, 0.9)
    expect(joinParts([inner, outer], 0.5)).toEqual([outer, inner])
    expect(joinParts([{ ...inner, isPart: true }, outer], 0.5)).toHaveLength(2)
  })

  it('of whole boxes alone are those that suppression keeps', () => {
    const side = fc.integer({ min: 0, max: 60 })
    const size = fc.integer({ min: 1, max: 40 })
    const boxes = fc.array(
      fc
        .tuple(side, side, size, size, fc.integer({ min: 0, max: 100 }))
        .map(([x, y, w, h, score]) => box(x, y, x + w, y + h, score / 100)),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(boxes, fc.double({ min: 0, max: 1, noNaN: true }), (given, threshold) => {
        expect(joinParts(given, threshold)).toEqual(nms(given, threshold).map((at) => given[at]))
      }),
    )
  })
})
