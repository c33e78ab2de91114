import { describe, expect, it } from 'vitest'
import { isBeforeTurning, turnBox } from '../../src/boxes/turn-box.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'

const [width, height] = [7, 4]

/** Where the pixel of the file that is shown at (x, y) lies, by orientation: CIPA DC-008, 4.6.5.1.6. */
const shownAt: Readonly<Record<number, (x: number, y: number) => readonly [number, number]>> = {
  1: (x, y) => [x, y],
  2: (x, y) => [width - 1 - x, y],
  3: (x, y) => [width - 1 - x, height - 1 - y],
  4: (x, y) => [x, height - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y) => [y, height - 1 - x],
  7: (x, y) => [width - 1 - y, height - 1 - x],
  8: (x, y) => [width - 1 - y, x],
}

const isIn = ([x1, y1, x2, y2]: Xyxy, x: number, y: number) => x >= x1 && x < x2 && y >= y1 && y < y2
/** From where to where a side of that length can reach. */
const spans = (most: number) =>
  Array.from({ length: most }, (_, from) =>
    Array.from({ length: most - from }, (__, size) => [from, from + size + 1] as const),
  ).flat()

describe('a box of a picture as it lies in its file', () => {
  it('holds the same pixels where the picture is shown, turned in any of the eight ways', () => {
    for (const [key, place] of Object.entries(shownAt)) {
      const orientation = Number(key)
      const [across, down] = orientation > 4 ? [height, width] : [width, height]
      const wrong = spans(width).flatMap(([x1, x2]) =>
        spans(height).filter(([y1, y2]) => {
          const turned = turnBox([x1, y1, x2, y2], { orientation, width, height })
          for (let y = -1; y <= down; y++)
            for (let x = -1; x <= across; x++)
              if (isIn(turned, x, y) !== isIn([x1, y1, x2, y2], ...place(x, y))) return true
          return false
        }),
      )
      expect([orientation, wrong]).toEqual([orientation, []])
    }
  })

  it('stays as it is by an orientation that there is not', () => {
    expect(turnBox([1, 2, 3, 4], { orientation: 0, width, height })).toEqual([1, 2, 3, 4])
  })
})

describe('a size that others give', () => {
  const wide = { width: 40, height: 30 }
  const high = { width: 30, height: 40 }

  it('is that before turning where it is wide and the picture is shown high, or the other way', () => {
    for (const orientation of [5, 6, 7, 8]) {
      expect(isBeforeTurning(wide, high, orientation)).toBe(true)
      expect(isBeforeTurning(high, wide, orientation)).toBe(true)
      expect(isBeforeTurning(wide, wide, orientation)).toBe(false)
      expect(isBeforeTurning({ width: 4, height: 3 }, high, orientation)).toBe(true)
    }
    for (const orientation of [0, 1, 2, 3, 4]) expect(isBeforeTurning(wide, high, orientation)).toBe(false)
  })

  it('tells nothing where it is none, or of a square', () => {
    const square = { width: 30, height: 30 }
    expect(isBeforeTurning(square, high, 6)).toBe(false)
    expect(isBeforeTurning(wide, square, 6)).toBe(false)
    expect(isBeforeTurning(high, square, 6)).toBe(false)
    expect(isBeforeTurning({ width: 0, height: 30 }, wide, 6)).toBe(false)
    expect(isBeforeTurning({ width: 40, height: 0 }, high, 6)).toBe(false)
    expect(isBeforeTurning({ width: 40, height: -30 }, high, 6)).toBe(false)
    expect(isBeforeTurning({ width: Number.NaN, height: 30 }, high, 6)).toBe(false)
  })
})
