import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { type Detection, DetectionTable, detectionTable } from '../../src/evaluate/box-table.js'
import { descending } from '../../src/evaluate/stable-order.js'

const draw = random('detections')

describe('a table of detections', () => {
  it('holds what is added, however much, and ids of any size', () => {
    const added = Array.from({ length: 5000 }, (_, at): Detection => {
      const bbox = [draw.next(), draw.next(), draw.next(), draw.next()] as const
      return { image: 2 ** 40 + at, category: draw.integer(9) - 1, bbox, score: draw.next() }
    })
    const table = detectionTable(added)
    expect([...table]).toEqual(added)
    expect(table).toHaveLength(5000)
    expect(detectionTable(table)).toBe(table)
    const { image, bbox } = table.columns()
    expect([image.length, bbox.length]).toEqual([5000, 20_000])
    expect([...new DetectionTable()]).toEqual([])
  })
})

describe('places by falling score', () => {
  it.each([0, 1, 8, 9, 17, 1000])('keep equal ones as they came, and have NaN last: %i', (length) => {
    const values = Float64Array.from({ length: 1000 }, () =>
      draw.pick([0, 0.25, -1, draw.next(), Number.NaN]),
    )
    const from = Int32Array.from(draw.shuffle([...values.keys()]).slice(0, length))
    const before = from.slice()
    const rank = (at: number) => (Number.isNaN(values[at]) ? Number.NEGATIVE_INFINITY : (values[at] ?? 0))
    const expected = [...from].sort((a, b) => rank(b) - rank(a) || 0)
    expect([...descending(values, from)]).toEqual(expected)
    expect(from).toEqual(before)
  })
})
