import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { iou } from '../../src/boxes/iou.js'
import { mergeBoxes, overlapOfSmaller } from '../../src/boxes/merge-boxes.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'

type Numbers = readonly [number, number, number, number, number]

/** What SAHI makes of the same boxes: bench/parity/sahi_boxes.py. */
const { merged: cases } = JSON.parse(
  readFileSync(new URL('fixtures/sahi.json', import.meta.url), 'utf8'),
) as {
  readonly merged: readonly {
    readonly boxes: readonly Numbers[]
    readonly threshold: number
    readonly merged: readonly Numbers[]
  }[]
}

const scored = ([x1, y1, x2, y2, score]: Numbers) => ({ xyxy: [x1, y1, x2, y2] as Xyxy, score })

describe('greedy non-maximum merging', () => {
  it.each(cases.map((one, at) => [at, one] as const))('makes what SAHI makes: case %i', (_, one) => {
    const own = mergeBoxes(one.boxes.map(scored), one.threshold)
    const flat = own.map(({ xyxy, score }) => [...xyxy, score])
    expect(flat.length).toBe(one.merged.length)
    expect(flat.length).toBeLessThan(one.boxes.length)
    flat.forEach((box, at) => {
      one.merged[at]?.forEach((value, side) => {
        expect(box[side]).toBeCloseTo(value, 5)
      })
    })
  })

  it('joins the halves of a thing, and leaves what is beside it', () => {
    const halves = [scored([0, 0, 60, 40, 0.8]), scored([50, 0, 70, 40, 0.9]), scored([200, 0, 240, 40, 0.3])]
    expect(mergeBoxes(halves, 0.5)).toEqual([scored([0, 0, 70, 40, 0.9]), scored([200, 0, 240, 40, 0.3])])
    expect(mergeBoxes(halves, 0.6)).toHaveLength(3)
    expect(mergeBoxes([], 0.5)).toEqual([])
  })

  it('gives boxes that hold all that was given, each with a score that was given', () => {
    const side = fc.integer({ min: 0, max: 100 })
    const size = fc.integer({ min: 1, max: 50 })
    const box = fc
      .tuple(side, side, size, size, fc.integer({ min: 0, max: 100 }))
      .map(([x, y, w, h, score]) => scored([x, y, x + w, y + h, score / 100]))
    fc.assert(
      fc.property(
        fc.array(box, { maxLength: 20 }),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        (boxes, least) => {
          const merged = mergeBoxes(boxes, least)
          expect(merged.length <= boxes.length).toBe(true)
          expect(merged.map(({ score }) => score)).toEqual(
            merged.map(({ score }) => score).sort((a, b) => b - a),
          )
          for (const { score } of merged) expect(boxes.some((one) => one.score === score)).toBe(true)
          // With nothing but equal boxes merged, it is suppression.
          if (least === 1) expect(merged.length).toBeGreaterThan(0)
        },
      ),
    )
  })
})

it('the overlap of the smaller is 1 where it lies in the larger, and no less than the IoU', () => {
  expect(overlapOfSmaller([0, 0, 100, 100], [10, 10, 20, 20])).toBe(1)
  expect(overlapOfSmaller([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0)
  expect(overlapOfSmaller([0, 0, 10, 10], [5, 0, 15, 10])).toBe(0.5)
  expect(overlapOfSmaller([0, 0, 0, 10], [0, 0, 10, 10])).toBe(0)
  const a: Xyxy = [0, 0, 10, 20]
  const b: Xyxy = [4, 4, 30, 9]
  expect(overlapOfSmaller(a, b)).toBeGreaterThan(iou(a, b))
})
