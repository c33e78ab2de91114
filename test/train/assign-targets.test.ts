import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { iou } from '../../src/boxes/iou.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import type { Anchors } from '../../src/model/network/anchors.js'
import { assignTargets } from '../../src/train/examples/assign-targets.js'

function anchorsOf(levels: readonly (readonly Xyxy[])[], inset = 0): Anchors {
  const boxes = levels.flat()
  const levelStarts = [0, ...levels.map((_, level) => levels.slice(0, level + 1).flat().length)]
  return { count: boxes.length, boxes: Float32Array.from(boxes.flat()), levelStarts, inset }
}

/** What of a box as wide as 10 an anchor of the same place covers that is `width` wide. */
const wide = (width: number): Xyxy => [5 - width / 2, 0, 5 + width / 2, 10]
const box: Xyxy = [0, 0, 10, 10]
const assignedOf = (anchors: Anchors, ...boxes: readonly Xyxy[]) => [
  ...assignTargets(anchors, Float32Array.from(boxes.flat())).assigned,
]

const centre = ([x1, y1, x2, y2]: Xyxy) => [(x1 + x2) / 2, (y1 + y2) / 2] as const

/** The rule as the paper writes it: Zhang et al. 2020, algorithm 1, for sides that float32 holds exactly. */
function plainTargets(levels: readonly (readonly Xyxy[])[], boxes: readonly Xyxy[], inset: number) {
  const all = levels.flat()
  const taken = all.map(() => ({ box: -1, overlap: 0 }))
  boxes.forEach((target, index) => {
    const [x, y] = centre(target)
    const candidates = levels.flatMap((level, at) => {
      const start = levels.slice(0, at).flat().length
      const far = level.map((anchor) => {
        const [ax, ay] = centre(anchor)
        return (ax - x) ** 2 + (ay - y) ** 2
      })
      const near = [...level.keys()].sort((a, b) => far[a] - far[b] || a - b)
      return near.slice(0, 9).map((anchor) => start + anchor)
    })
    const overlaps = candidates.map((anchor) => iou(all[anchor], target))
    const n = overlaps.length
    const mean = overlaps.reduce((sum, one) => sum + one, 0) / n
    const variance = overlaps.reduce((sum, one) => sum + (one - mean) ** 2, 0) / Math.max(1, n - 1)
    candidates.forEach((anchor, at) => {
      const [ax, ay] = centre(all[anchor])
      const [x1, y1, x2, y2] = target
      const isInside = Math.min(ax - x1, ay - y1, x2 - ax, y2 - ay) - inset > 0.01
      if (!isInside || overlaps[at] < mean + Math.sqrt(variance)) return
      if (Math.fround(overlaps[at]) > taken[anchor].overlap)
        taken[anchor] = { box: index, overlap: Math.fround(overlaps[at]) }
    })
  })
  return taken.map((one) => one.box)
}

/** Whole sides, and no square on another's place, so that hardly anything hangs on how floats round. */
const square = (scale: number) =>
  fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }))
    .map(([x, y]): Xyxy => [x, y, x + scale, y + scale])
const level = (scale: number) =>
  fc.uniqueArray(square(scale), { minLength: 1, maxLength: 30, selector: String })
const target = fc
  .tuple(...[40, 40, 24, 24].map((max) => fc.integer({ min: 1, max })))
  .map(([x, y, width, height]): Xyxy => [x, y, x + width, y + height])

describe('ATSS', () => {
  it('asks for the mean and the unbiased deviation of the overlaps', () => {
    // Of two the deviation is more than what lies between the mean and the better: none answers for the box.
    expect(assignedOf(anchorsOf([[wide(9), wide(2)]]), box)).toEqual([-1, -1])
    // Of three, one far better than two, it is less; so it is of one alone, which differs from none.
    expect(assignedOf(anchorsOf([[wide(9), wide(2), wide(2)]]), box)).toEqual([0, -1, -1])
    expect(assignedOf(anchorsOf([[wide(9)]]), box)).toEqual([0])
    // Of two good ones and two bad ones none, of two good ones and three bad ones both.
    expect(assignedOf(anchorsOf([[wide(9), wide(9), wide(2), wide(2)]]), box)).toEqual([-1, -1, -1, -1])
    const five = anchorsOf([[wide(9), wide(9), wide(2), wide(2), wide(2)]])
    expect(assignedOf(five, box)).toEqual([0, 0, -1, -1, -1])
  })

  it('does as the paper writes it, of any anchors and boxes', () => {
    fc.assert(
      fc.property(
        fc.tuple(level(8), level(16)),
        fc.array(target, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(0, 0.5),
        (levels, boxes, inset) => {
          const found = assignTargets(anchorsOf(levels, inset), Float32Array.from(boxes.flat()))
          expect([...found.assigned]).toEqual(plainTargets(levels, boxes, inset))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('takes the nine nearest of a level, of equally near ones the earlier', () => {
    const far = (x: number): Xyxy => [x, 0, x + 10, 10]
    const specks = Array.from({ length: 8 }, (): Xyxy => [4.5, 4.5, 5.5, 5.5])
    const none = specks.map(() => -1)
    expect(assignedOf(anchorsOf([[far(1), far(-1), ...specks]]), box)).toEqual([0, -1, ...none])
    expect(assignedOf(anchorsOf([[...specks, far(-1), far(1)]]), box)).toEqual([...none, 0, -1])
    // Of another level it is one of nine again.
    expect(assignedOf(anchorsOf([[far(1), ...specks], [far(-1)]]), box)).toEqual([0, ...none, 0])
  })

  it('gives each anchor its centerness: how far off the middle of its box it stands, both ways', () => {
    const at = (x: number, y: number): Xyxy => [x - 4, y - 4, x + 4, y + 4]
    const one = (place: Xyxy, of: Xyxy, inset = 0) =>
      assignTargets(anchorsOf([[place]], inset), Float32Array.from(of)).centerness[0]
    expect(one(at(5, 5), box)).toBe(1)
    // A quarter of the way across: 2.5 of 7.5.
    expect(one(at(2.5, 5), box)).toBeCloseTo(Math.sqrt(1 / 3), 6)
    expect(one(at(5, 7.5), box)).toBeCloseTo(Math.sqrt(1 / 3), 6)
    expect(one(at(7.5, 2.5), box)).toBeCloseTo(1 / 3, 6)
    expect(one(at(2.5, 5), box, 0.5)).toBeCloseTo(Math.sqrt(2 / 7), 6)
    expect(one(at(20, 5), box)).toBe(0)
  })

  it('leaves out what stands within a hundredth of a pixel of an edge, of the inset one where there is one', () => {
    const at = (x: number): Xyxy => [x - 4, 1, x + 4, 9]
    expect(assignedOf(anchorsOf([[at(0.125)]]), box)).toEqual([0])
    expect(assignedOf(anchorsOf([[at(2 ** -7)]]), box)).toEqual([-1])
    expect(assignedOf(anchorsOf([[at(0.5)]], 0.5), box)).toEqual([-1])
    expect(assignedOf(anchorsOf([[at(9.5)]], 0.5), box)).toEqual([-1])
    expect(assignedOf(anchorsOf([[at(9.25)]], 0.5), box)).toEqual([0])
  })

  it('gives an anchor to the box that it overlaps most, of equal ones to the first', () => {
    const better: Xyxy = [0, 0, 9, 10]
    expect(assignedOf(anchorsOf([[wide(8)]]), box, box)).toEqual([0])
    expect(assignedOf(anchorsOf([[[0, 0, 9, 10]]]), box, better)).toEqual([1])
    expect(assignedOf(anchorsOf([[[0, 0, 9, 10]]]), better, box)).toEqual([0])
  })
})
