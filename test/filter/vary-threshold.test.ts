import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFilter } from '../../src/filter/filter-proposals.js'
import type { Candidate, FilterImage } from '../../src/filter/rule/rule.js'
import { type RuleConfig, ruleNames } from '../../src/filter/rules.js'
import { varyThreshold } from '../../src/filter/vary-threshold.js'

const image: FilterImage = {
  width: 100,
  height: 100,
  phrases: ['a dog', 'a big dog', 'two cats', 'a dog'].map((text, index) => ({
    caption: index < 3 ? 0 : 1,
    text,
    start: index === 1 ? 0 : index,
    end: index + 1,
    head: index === 2 ? 'cat' : 'dog',
  })),
  negatives: [{ xyxy: [5, 5, 40, 40], score: 0.55 }],
}

const side = fc.integer({ min: 1, max: 60 })
const candidate: fc.Arbitrary<Candidate> = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 20 }), side, side, side, side)
  .map(([phrase, score, x, y, w, h]) => ({
    phrase,
    score: score / 20,
    xyxy: [x, y, x + w, y + h],
    label: null,
  }))
const candidates = fc.array(candidate, { maxLength: 12 })

const share = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10)
const count = fc.integer({ min: 1, max: 4 })
const score = share.map((min): RuleConfig => ({ rule: 'score', min }))
/** Every rule that needs no file, by its name. */
const arbitraries: Partial<Record<RuleConfig['rule'], fc.Arbitrary<RuleConfig>>> = {
  score,
  head_score: share.map((min) => ({ rule: 'head_score', min, heads: { dog: 0.3 } })),
  frequency_score: share.map((rare) => ({
    ...{ rule: 'frequency_score' as const, bounds: [10, 100] as [number, number] },
    ...{ rare, common: 0.5, frequent: 0.5 },
  })),
  ladder: share.map((iou) => ({
    ...{ rule: 'ladder' as const },
    passes: [
      { min: 0.6, iou },
      { min: 0.2, iou: 0.3 },
    ],
  })),
  image_gate: share.map((min) => ({ rule: 'image_gate', min })),
  area: share.map((min) => ({ rule: 'area', min: min / 10, max: 0.9 })),
  aspect: fc.constant({ rule: 'aspect', max: 2 }),
  border: fc.constant({ rule: 'border', margin: 1, sides: 1 }),
  label: fc.constant({ rule: 'label', synonyms: {} }),
  negative: share.map((iou) => ({ rule: 'negative', iou, phrases: ['two cats'] })),
  nms: share.map((iou) => ({ rule: 'nms', iou })),
  soft_nms: fc.record({
    rule: fc.constant('soft_nms' as const),
    method: fc.constantFrom('gaussian' as const, 'linear' as const),
    sigma: fc.constantFrom(0.2, 0.5),
    iou: share,
    min: share.map((min) => min / 4),
  }),
  cross_phrase_nms: share.map((iou) => ({ rule: 'cross_phrase_nms', iou })),
  duplicate: share.map((iou) => ({ rule: 'duplicate', iou })),
  nested: fc.record({
    rule: fc.constant('nested' as const),
    iou: share,
    keep: fc.constantFrom('outer' as const, 'inner' as const),
  }),
  number: fc.record({
    rule: fc.constant('number' as const),
    fewer: fc.constantFrom('drop' as const, 'keep' as const),
    more: fc.constantFrom('best' as const, 'keep' as const),
    singular: fc.boolean(),
  }),
  phrase_recall: share.map((min) => ({ rule: 'phrase_recall', min, max: 0.9 })),
  max_boxes: count.map((phrase) => ({ rule: 'max_boxes', phrase })),
  max_boxes_image: count.map((most) => ({ rule: 'max_boxes_image', image: most })),
}
const anyRule = fc.oneof(...Object.values(arbitraries))
const some = fc.array(anyRule, { maxLength: 3 })

const withMin = (rules: readonly RuleConfig[], min: number): RuleConfig[] =>
  rules.some(({ rule }) => rule === 'score')
    ? rules.map((rule) => (rule.rule === 'score' ? { ...rule, min } : rule))
    : [...rules, { rule: 'score', min }]
const plain = (boxes: readonly Candidate[]) =>
  boxes.map(({ phrase, xyxy, score }) => `${phrase} ${xyxy} ${score}`).sort()

describe('varyThreshold', () => {
  it('says of every box at which thresholds the filter keeps it', () => {
    let held = 0
    fc.assert(
      fc.property(candidates, some, fc.option(score), some, share, (given, before, own, after, min) => {
        const rules = [...before, ...(own ? [own] : []), ...after]
        const passing = varyThreshold(rules)?.(given, image)
        if (!passing) return
        const kept = passing.filter(({ from, to }) => from < min && min <= to)
        expect(plain(kept)).toEqual(plain(createFilter(withMin(rules, min))(given, image).kept))
        held += kept.length
      }),
      { numRuns: 2000 },
    )
    expect(held).toBeGreaterThan(500)
  })

  it('knows every rule of the filter', () => {
    const asked: readonly string[] = ['agreement', 'clip', 'calibrate']
    expect([...Object.keys(arbitraries), ...asked].sort()).toEqual([...ruleNames].sort())
  })

  it('answers nothing where the rules ask a model, or change scores between two thresholds', () => {
    const soft: RuleConfig = { rule: 'soft_nms', method: 'gaussian', sigma: 0.5, iou: 0.3, min: 0.1 }
    const low: RuleConfig = { rule: 'score', min: 0.2 }
    expect(varyThreshold([{ rule: 'clip', model: 'x', template: '{}', min: 0.5 }])).toBeUndefined()
    expect(varyThreshold([low, soft, low])).toBeUndefined()
    expect(varyThreshold([low, soft])).toBeDefined()
  })
})
