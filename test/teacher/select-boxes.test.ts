import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { selectBoxes, withinOptions } from '../../src/teacher/select-boxes.js'

interface Case {
  readonly scores: readonly number[]
  readonly boxes: readonly number[]
  readonly centerness: readonly number[]
  readonly starts: readonly number[]
  readonly phrases: readonly (readonly number[])[]
  readonly covered: { readonly width: number; readonly height: number }
  /** Phrase, corners with the last pixel inside, score. */
  readonly expected: readonly (readonly number[])[]
}

/** bench/parity/select_boxes.py */
const fixture: {
  settings: { threshold: number; level_candidates: number; boxes: number }
  cases: Case[]
} = JSON.parse(readFileSync(new URL('fixtures/select-boxes.json', import.meta.url), 'utf8'))

const select = (one: Case, settings = fixture.settings) =>
  selectBoxes(
    {
      scores: Float32Array.from(one.scores),
      boxes: Float32Array.from(one.boxes),
      objectness: Float32Array.from(one.centerness),
      length: 6,
    },
    one.starts,
    one.phrases,
    one.covered,
    settings,
    0.6,
  )

describe('boxes of the official network', () => {
  it.each(fixture.cases)('are selected as by the official code', (one) => {
    const selected = select(one)
    expect(selected.map(({ phrase }) => phrase)).toEqual(one.expected.map(([phrase]) => phrase))
    one.expected.forEach(([, x1, y1, x2, y2, score], index) => {
      // The official boxes end with their last pixel, these behind it.
      const corners = [x1, y1, x2 + 1, y2 + 1]
      selected[index].xyxy.forEach((value, side) => {
        expect(value, `box ${index}, side ${side}`).toBeCloseTo(corners[side], 3)
      })
      expect(selected[index].score).toBeCloseTo(score, 3)
    })
  })

  it('that tie for the last place all stay', () => {
    const [one] = fixture.cases
    const even = {
      ...one,
      scores: one.scores.map(() => 0.5),
      centerness: one.centerness.map(() => 0.5),
      phrases: [[0]],
    }
    const all = select(even, { ...fixture.settings, boxes: 1000 })
    expect(select(even, { ...fixture.settings, boxes: 3 })).toEqual(all)
    expect(all.length).toBeGreaterThan(3)
  })

  it('reach a caller in pixels of the picture, as many and as strong as were asked for', () => {
    const picture = { width: 90, height: 90, data: new Uint8Array(), scale: 1 }
    const box = (phrase: number, x: number, score: number) =>
      ({ phrase, xyxy: [x, 1, x + 4, 9], score }) as const
    const selected = [
      box(0, 0, 0.9),
      box(0, 1, 0.8),
      box(1, 2, 0.7),
      box(0, 3, 0.6),
      box(1, 48, 0.5),
      box(1, 5, 0.1),
    ]
    const twice = (xyxy: readonly number[]) =>
      xyxy.map((value) => 2 * value) as unknown as [number, number, number, number]
    expect(withinOptions(selected, picture, twice, { floor: 0.2, max_boxes: 2, nms: 0.6 })).toEqual([
      { phrase: 0, xyxy: [0, 2, 8, 18], score: 0.9 },
      { phrase: 0, xyxy: [2, 2, 10, 18], score: 0.8 },
      { phrase: 1, xyxy: [4, 2, 12, 18], score: 0.7 },
    ])
  })
})
