import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filterConfig, type RuleConfig } from '../../src/filter/config.js'
import { createFilter } from '../../src/filter/filter-proposals.js'
import type { Candidate, FilterImage } from '../../src/filter/rule.js'
import { suppress } from '../../src/filter/rules/suppress.js'

const image: FilterImage = {
  width: 100,
  height: 100,
  phrases: ['a dog', 'a cat', 'a dog'].map((text, index) => ({
    caption: 0,
    text,
    start: index,
    end: index + 1,
    head: 'x',
  })),
}
const box = (phrase: number, score: number, ...xyxy: [number, number, number, number]): Candidate => ({
  phrase,
  score,
  xyxy,
})

const side = fc.integer({ min: 1, max: 60 })
const candidate = fc
  .tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 20 }), side, side, side, side)
  .map(([phrase, score, x, y, w, h]) =>
    box(phrase, score / 20, x, y, Math.min(100, x + w), Math.min(100, y + h)),
  )
const candidates = fc.array(candidate, { maxLength: 12 })

const keep = (rules: RuleConfig[], given: readonly Candidate[]) => createFilter(rules)(given, image)

describe('the filter', () => {
  it('adds up', () => {
    fc.assert(
      fc.property(candidates, (given) => {
        const { kept, dropped } = keep(filterConfig.parse({}).rules, given)
        const sum = Object.values(dropped).reduce((total, count) => total + count, 0)
        expect(kept.length + sum).toBe(given.length)
        for (const one of kept) expect(given).toContain(one)
      }),
    )
  })

  it('never keeps more at a higher score', () => {
    fc.assert(
      fc.property(
        candidates,
        fc.float({ min: 0, max: 1, noNaN: true }),
        fc.float({ min: 0, max: 1, noNaN: true }),
        (given, a, b) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)]
          const rules = (min: number): RuleConfig[] => [{ rule: 'score', min }]
          const lower = new Set(keep(rules(low), given).kept)
          for (const one of keep(rules(high), given).kept) expect(lower).toContain(one)
        },
      ),
    )
  })

  it('suppresses idempotently, within phrases and across them', () => {
    fc.assert(
      fc.property(candidates, fc.boolean(), (given, across) => {
        const rule = suppress({ iou: 0.4, across })
        const once = rule(given, image)
        expect(rule(once, image)).toEqual(once)
      }),
    )
  })

  it('leaves out by each rule what it is for', () => {
    const given = [
      box(0, 0.9, 10, 10, 30, 30),
      box(0, 0.8, 11, 10, 30, 30),
      box(1, 0.85, 10, 11, 30, 30),
      box(2, 0.9, 10, 10, 30, 30),
      box(1, 0.3, 60, 60, 90, 90),
      box(1, 0.7, 0, 0, 100, 100),
    ]
    const reasons = (...rules: RuleConfig[]) => keep(rules, given).dropped
    expect(reasons({ rule: 'score', min: 0.5 })).toEqual({ score: 1 })
    expect(reasons({ rule: 'nms', iou: 0.5 })).toEqual({ nms: 1 })
    // The second occurrence of "a dog" keeps the same box as the first.
    expect(reasons({ rule: 'cross_phrase_nms', iou: 0.5 })).toEqual({ cross_phrase_nms: 2 })
    expect(reasons({ rule: 'area', min: 0, max: 0.9 })).toEqual({ area: 1 })
    expect(reasons({ rule: 'image_gate', min: 0.95 })).toEqual({ image_gate: 6 })
    expect(reasons({ rule: 'max_boxes', phrase: 1, image: 2 })).toEqual({ max_boxes: 4 })
  })

  it('refuses a rule that it does not know', () => {
    expect(filterConfig.safeParse({ rules: [{ rule: 'magic' }] }).success).toBe(false)
    expect(filterConfig.safeParse({ rules: [{ rule: 'score', min: 2 }] }).success).toBe(false)
  })
})
