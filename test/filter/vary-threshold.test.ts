import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFilter } from '../../src/filter/filter-proposals.js'
import type { Candidate } from '../../src/filter/rule/rule.js'
import { type RuleConfig, ruleNames } from '../../src/filter/rules.js'
import { varyThreshold } from '../../src/filter/vary-threshold.js'
import { anyCandidate, anyImage, anyRule, anyTools } from '../helpers/any-rule.js'

const image = anyImage
const candidates = fc.array(anyCandidate(fc.constant(null)), { maxLength: 12 })
const share = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10)
const { agreement, clip, calibrate, ...arbitraries } = anyRule
const { score } = arbitraries
const some = fc.array(fc.oneof(...Object.values(arbitraries)), { maxLength: 3 })

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
        const passing = varyThreshold(rules, anyTools)?.(given, image)
        if (!passing) return
        const kept = passing.filter(({ from, to }) => from < min && min <= to)
        expect(plain(kept)).toEqual(plain(createFilter(withMin(rules, min), anyTools)(given, image).kept))
        held += kept.length
      }),
      { numRuns: 2000 },
    )
    expect(held).toBeGreaterThan(500)
  })

  it('knows every rule of the filter', () => {
    const asked: readonly string[] = Object.keys({ agreement, clip, calibrate })
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
