import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { iou } from '../../src/boxes/iou.js'
import { filterConfig } from '../../src/filter/config.js'
import { createFilter } from '../../src/filter/filter-proposals.js'
import type { Candidate, FilterImage } from '../../src/filter/rule/rule.js'
import type { RuleConfig } from '../../src/filter/rules.js'
import { whyDropped } from '../../src/filter/why-dropped.js'

const image: FilterImage = {
  width: 100,
  height: 100,
  phrases: ['a dog', 'a cat', 'a dog', 'one dog'].map((text, index) => ({
    caption: index < 3 ? 0 : 1,
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
  label: null,
})

const side = fc.integer({ min: 1, max: 60 })
const candidate = fc
  .tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 20 }), side, side, side, side)
  .map(([phrase, score, x, y, w, h]) =>
    box(phrase, score / 20, x, y, Math.min(100, x + w), Math.min(100, y + h)),
  )
const candidates = fc.array(candidate, { maxLength: 12 })

const share = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10)
const count = fc.integer({ min: 1, max: 4 })
const anyRule: fc.Arbitrary<RuleConfig> = fc.oneof(
  fc.record({ rule: fc.constantFrom('score', 'image_gate'), min: share }),
  fc.record({ rule: fc.constantFrom('nms', 'cross_phrase_nms'), iou: share }),
  share.map((min) => ({ rule: 'area' as const, min: min / 10, max: 0.9 })),
  count.map((phrase) => ({ rule: 'max_boxes' as const, phrase })),
  count.map((most) => ({ rule: 'max_boxes_image' as const, image: most })),
)
/** Rules under which a box never stays or goes for the sake of a weaker one. */
const prefixRules: fc.Arbitrary<RuleConfig> = fc.oneof(
  anyRule,
  share.map((iou) => ({ rule: 'duplicate' as const, iou })),
  fc.record({
    rule: fc.constant('soft_nms' as const),
    method: fc.constantFrom('gaussian' as const, 'linear' as const),
    sigma: fc.constantFrom(0.2, 0.5),
    iou: share,
    min: share.map((min) => min / 4),
  }),
  share.map((min) => ({ rule: 'phrase_recall' as const, min, max: 1 })),
  fc.constant({ rule: 'number' as const, fewer: 'drop' as const, more: 'best' as const, singular: true }),
  fc.constant({ rule: 'aspect' as const, max: 3 }),
  fc.record({ rule: fc.constant('border' as const), margin: fc.constant(1), sides: fc.constantFrom(1, 2) }),
)
/** And those under which it may. */
const everyRule: fc.Arbitrary<RuleConfig> = fc.oneof(
  prefixRules,
  fc.record({
    rule: fc.constant('nested' as const),
    iou: share,
    keep: fc.constantFrom('outer' as const, 'inner' as const),
  }),
  share.map((min) => ({
    rule: 'ladder' as const,
    passes: [
      { min, iou: 0.5 },
      { min: min / 2, iou: 0.3 },
    ],
  })),
  fc.constant<RuleConfig>({ rule: 'negative', iou: 0.5, phrases: ['a cat'] }),
  share.map((min) => ({ rule: 'head_score' as const, min, heads: { x: 0.3 } })),
)
const namesDiffer = (a: Candidate, b: Candidate) =>
  a.phrase === b.phrase || image.phrases[a.phrase].text !== image.phrases[b.phrase].text

const keep = (rules: RuleConfig[], given: readonly Candidate[]) => createFilter(rules)(given, image)

it('boxes come best first, equal ones by phrase, place, label and contrast, however they were given', () => {
  const first = box(0, 0.5, 1, 1, 9, 9)
  const ordered: readonly Candidate[] = [
    box(3, 0.9, 50, 50, 60, 60),
    first,
    { ...first, contrast: 0.2 },
    { ...first, contrast: 0.3 },
    { ...first, label: 'cat' },
    { ...first, label: 'dog' },
    box(0, 0.5, 1, 1, 9, 10),
    box(0, 0.5, 1, 1, 10, 8),
    box(0, 0.5, 1, 2, 8, 8),
    box(0, 0.5, 2, 0, 7, 7),
    box(1, 0.5, 0, 0, 6, 6),
  ]
  const filter = createFilter([])
  expect(filter(ordered, image).kept).toEqual(ordered)
  expect(filter(ordered.toReversed(), image).kept).toEqual(ordered)
  expect(filter([...ordered.slice(5), ...ordered.slice(0, 5)], image).kept).toEqual(ordered)
})

describe('the filter', () => {
  it('adds up', () => {
    fc.assert(
      fc.property(candidates, fc.array(everyRule, { maxLength: 6 }), (given, rules) => {
        const { kept, dropped } = keep(rules, given)
        const sum = Object.values(dropped).reduce((total, count) => total + count, 0)
        expect(kept.length + sum).toBe(given.length)
        const place = ({ phrase, xyxy }: Candidate) => `${phrase} ${xyxy}`
        const places = given.map(place)
        for (const one of kept) expect(places).toContain(place(one))
        expect(kept.map(({ score }) => score)).toEqual(kept.map(({ score }) => score).sort((a, b) => b - a))
      }),
    )
  })

  it('says of every dropped box which rule dropped it, as the ledger counts', () => {
    fc.assert(
      fc.property(candidates, fc.array(everyRule, { maxLength: 5 }), (given, rules) => {
        const { kept, dropped } = createFilter(rules)(given, image)
        const told = whyDropped(rules)(given, image)
        expect(told.length + kept.length).toBe(given.length)
        const counts: Record<string, number> = {}
        for (const { reason } of told) counts[reason] = (counts[reason] ?? 0) + 1
        expect(counts).toEqual(dropped)
      }),
    )
  })

  it('never keeps a box at a higher threshold that it drops at a lower one, whatever rules come before and after', () => {
    const thresholds: fc.Arbitrary<(min: number) => RuleConfig> = fc.constantFrom<
      ((min: number) => RuleConfig)[]
    >(
      (min) => ({ rule: 'score', min }),
      (min) => ({ rule: 'image_gate', min }),
      (min) => ({ rule: 'head_score', min, heads: { owl: 0.1 } }),
      (min) => ({ rule: 'frequency_score', bounds: [1, 2], rare: min, common: min, frequent: min }),
      (min) => ({ rule: 'soft_nms', method: 'gaussian', sigma: 0.5, iou: 0.3, min }),
    )
    const some = fc.array(prefixRules, { maxLength: 3 })
    const level = fc.float({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(candidates, some, thresholds, some, level, level, (given, before, rule, after, a, b) => {
        const rules = (min: number) => [...before, rule(min), ...after]
        const place = ({ phrase, xyxy }: Candidate) => `${phrase} ${xyxy}`
        const count = (kept: readonly Candidate[], at: string) =>
          kept.filter((one) => place(one) === at).length
        const lower = keep(rules(Math.min(a, b)), given).kept
        const higher = keep(rules(Math.max(a, b)), given).kept
        for (const at of new Set(higher.map(place)))
          expect(count(lower, at)).toBeGreaterThanOrEqual(count(higher, at))
      }),
      { numRuns: 300 },
    )
  })

  it('suppresses idempotently, within phrases and across them', () => {
    fc.assert(
      fc.property(candidates, fc.constantFrom('nms', 'cross_phrase_nms', 'duplicate'), (given, rule) => {
        const once = keep([{ rule, iou: 0.4 }], given).kept
        expect(keep([{ rule, iou: 0.4 }], once).kept).toEqual(once)
        const alike = (a: Candidate, b: Candidate) => rule !== 'cross_phrase_nms' || namesDiffer(a, b)
        for (const [index, a] of once.entries()) {
          for (const b of once.slice(index + 1)) {
            if (rule === 'nms' && a.phrase !== b.phrase) continue
            if (rule === 'duplicate' && image.phrases[a.phrase].text !== image.phrases[b.phrase].text)
              continue
            if (alike(a, b)) expect(iou(a.xyxy, b.xyxy)).toBeLessThanOrEqual(0.4)
          }
        }
      }),
    )
  })

  it('keeps the same whatever the order of the proposals', () => {
    const shuffled = candidates.chain((given) =>
      fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
    )
    fc.assert(
      fc.property(shuffled, fc.array(everyRule, { maxLength: 5 }), ([given, other], rules) => {
        expect(keep(rules, other)).toEqual(keep(rules, given))
      }),
    )
  })

  it('keeps boxes inside the picture, whatever comes in', () => {
    const wild = fc.oneof(fc.integer({ min: -50, max: 150 }), fc.constant(Number.NaN))
    const anything = fc
      .tuple(fc.constantFrom(0.2, 0.9, Number.NaN), wild, wild, wild, wild)
      .map(([score, ...xyxy]) => box(0, score, ...xyxy))
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 8 }), (given) => {
        const { kept, dropped } = keep([], given)
        expect(kept.length + (dropped.outside ?? 0)).toBe(given.length)
        for (const { score, xyxy } of kept) {
          const [x1, y1, x2, y2] = xyxy
          expect(score).not.toBeNaN()
          expect(x1 >= 0 && x1 < x2 && x2 <= 100 && y1 >= 0 && y1 < y2 && y2 <= 100).toBe(true)
        }
      }),
    )
    expect(keep([], [box(0, 0.5, -10, 90, 20, 130)]).kept).toEqual([box(0, 0.5, 0, 90, 20, 100)])
  })

  it('drops nothing for another phrase that says the same words, nor for another caption', () => {
    const here = [10, 10, 30, 30] as const
    const rules: RuleConfig[] = [{ rule: 'cross_phrase_nms', iou: 0.5 }]
    expect(keep(rules, [box(0, 0.9, ...here), box(2, 0.8, ...here)]).dropped).toEqual({})
    expect(keep(rules, [box(0, 0.9, ...here), box(3, 0.8, ...here)]).dropped).toEqual({})
    expect(keep(rules, [box(0, 0.9, ...here), box(1, 0.8, ...here)]).kept).toEqual([box(0, 0.9, ...here)])
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
    expect(reasons({ rule: 'image_gate', min: 0.9 })).toEqual({})
    expect(reasons({ rule: 'area', min: 0, max: 0.9 })).toEqual({ area: 1 })
    expect(reasons({ rule: 'image_gate', min: 0.95 })).toEqual({ image_gate: 6 })
    expect(reasons({ rule: 'max_boxes', phrase: 1 })).toEqual({ max_boxes: 3 })
    const [limit, two]: RuleConfig[] = [
      { rule: 'max_boxes', phrase: 2 },
      { rule: 'max_boxes_image', image: 2 },
    ]
    expect(reasons(limit, two)).toEqual({ max_boxes: 1, max_boxes_image: 3 })
    expect(keep([two], given).kept).toEqual([given[0], given[3]])
  })

  it('refuses a rule that it does not know', () => {
    expect(filterConfig.safeParse({ rules: [{ rule: 'magic' }] }).success).toBe(false)
    expect(filterConfig.safeParse({ rules: [{ rule: 'score', min: 2 }] }).success).toBe(false)
    expect(filterConfig.safeParse({ rules: [{ rule: 'score', min: 0.2, max: 1 }] }).success).toBe(false)
    expect(filterConfig.safeParse({ rules: [{ rule: 'area', min: 0.5, max: 0.1 }] }).success).toBe(false)
    expect(filterConfig.safeParse({ gates: [] }).success).toBe(false)
  })
})
