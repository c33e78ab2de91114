import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinParts } from '../../src/boxes/join-parts.js'
import { mergeBoxes } from '../../src/boxes/merge-boxes.js'
import { nms } from '../../src/boxes/nms.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'

const box = (x1: number, y1: number, x2: number, y2: number, score: number, isPart = false) => ({
  ...{ xyxy: [x1, y1, x2, y2] as Xyxy, score, isPart },
})

const side = fc.integer({ min: 0, max: 60 })
const size = fc.integer({ min: 1, max: 40 })
const boxesOf = (isPart: fc.Arbitrary<boolean>) =>
  fc.array(
    fc
      .tuple(side, side, size, size, fc.integer({ min: 0, max: 100 }), isPart)
      .map(([x, y, w, h, score, part]) => box(x, y, x + w, y + h, score / 100, part)),
    { maxLength: 20 },
  )

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
    fc.assert(
      fc.property(
        boxesOf(fc.constant(false)),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (given, threshold) => {
          expect(joinParts(given, threshold)).toEqual(nms(given, threshold).map((at) => given[at]))
        },
      ),
    )
  })
  it('are the first of all where so many are wanted', () => {
    fc.assert(
      fc.property(boxesOf(fc.boolean()), fc.integer({ min: 0, max: 20 }), (given, most) => {
        expect(joinParts(given, 0.4, most)).toEqual(joinParts(given, 0.4).slice(0, most))
        expect(mergeBoxes(given, 0.4, most)).toEqual(mergeBoxes(given, 0.4).slice(0, most))
        expect(nms(given, 0.4, most)).toEqual(nms(given, 0.4).slice(0, most))
      }),
    )
  })
})
