import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { iou } from '../../src/boxes/iou.js'
import { nms } from '../../src/boxes/nms.js'

const place = fc.integer({ min: 0, max: 12 })
const size = fc.integer({ min: 1, max: 12 })
const boxes = fc.array(
  fc.tuple(place, place, size, size, fc.integer({ min: 0, max: 10 })).map(([x, y, w, h, score]) => ({
    xyxy: [x, y, x + w, y + h] as [number, number, number, number],
    score,
  })),
  { maxLength: 15 },
)

describe('non-maximum suppression', () => {
  it('keeps what overlaps no better box, and drops only what overlaps a kept one', () => {
    fc.assert(
      fc.property(boxes, fc.constantFrom(0, 0.3, 0.5, 1), (given, threshold) => {
        const kept = nms(given, threshold)
        given.forEach((one, index) => {
          const by = kept.filter((other) => other !== index && iou(given[other].xyxy, one.xyxy) > threshold)
          if (kept.includes(index)) expect(by).toEqual([])
          else expect(by.some((other) => given[other].score >= one.score)).toBe(true)
        })
      }),
    )
  })

  it('gives the best first, and of equals the earlier', () => {
    const xyxy = [0, 0, 5, 5] as const
    const away = [20, 20, 25, 25] as const
    const given = [
      { xyxy: away, score: 0.4 },
      { xyxy, score: 0.7 },
      { xyxy, score: 0.7 },
    ]
    expect(nms(given, 0.5)).toEqual([1, 0])
  })
})
