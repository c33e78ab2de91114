import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { createFilter } from '../../src/filter/filter-proposals.js'
import { reviewOrigin } from '../../src/filter/rule/reviewed.js'
import { type Candidate, type FilterImage, noSource } from '../../src/filter/rule/rule.js'
import { type OfferedVerdicts, ruleStages } from '../../src/filter/rule-stages.js'
import { ruleSchema } from '../../src/filter/rules.js'

const image: FilterImage = {
  ...{ width: 200, height: 200 },
  phrases: [0, 1].map((at) => ({ caption: 0, text: 'a cat', start: 6 * at, end: 6 * at + 5, head: 'cat' })),
  sources: ['a', 'b', 'c'].map((stage) => ({ stage, teacher: `teacher-${stage}` })),
}
const box = (source: number, xyxy: Xyxy, score: number, phrase = 0): Candidate => ({
  ...{ phrase, xyxy, score, label: null, source },
})
const at = (x: number): Xyxy => [x, 0, x + 40, 40]

function agree(candidates: readonly Candidate[], rule: Record<string, unknown> = {}) {
  const filter = createFilter([ruleSchema.parse({ rule: 'consensus', ...rule })])
  return filter(candidates, image)
}

describe('the rule consensus', () => {
  it('keeps one box where enough stages found one, with the mean of their scores', () => {
    const { kept, dropped } = agree([
      ...[box(0, at(0), 0.9), box(1, at(2), 0.6), box(2, at(100), 0.8)],
      ...[box(0, at(0), 0.5, 1), box(1, at(120), 0.5, 1)],
    ])
    expect(kept).toHaveLength(1)
    expect(kept[0]).toMatchObject({ phrase: 0, xyxy: at(0), origin: 'teacher-a+teacher-b' })
    expect(kept[0]?.score).toBeCloseTo((0.9 + 0.6) / 3)
    // Beside a surer box of its stage a weak one counts by its share of that.
    const weaker = [box(0, at(0), 0.9), box(0, at(100), 0.3), box(1, at(2), 0.6), box(1, at(102), 0.6)]
    expect(agree(weaker).kept.map(({ score }) => score.toFixed(4))).toEqual(['0.5000', '0.2333'])
    expect(agree(weaker, { relative: false }).kept.map(({ score }) => score.toFixed(4))).toEqual([
      '0.5000',
      '0.3000',
    ])
    expect(dropped).toEqual({ consensus: 4 })
    expect(agree([box(2, at(100), 0.8)], { least: 1 }).kept).toHaveLength(1)
    expect(agree([box(0, at(0), 0.9), box(1, at(2), 0.6)], { least: 3 }).kept).toEqual([])
  })

  it('outvotes no person, who takes the place of what machines have there', () => {
    const added = { ...box(noSource, at(100), 1), origin: reviewOrigin('ann') }
    const alone = { ...box(0, at(0), 1), origin: reviewOrigin('ann') }
    const others = [box(0, at(102), 0.9), box(1, at(103), 0.8), box(1, at(160), 0.7), box(2, at(160), 0.7)]
    const { kept, disagreement } = agree([added, alone, ...others])
    expect(kept.slice(0, 2)).toEqual([alone, added])
    expect(kept.slice(2)).toMatchObject([{ xyxy: at(160), origin: 'teacher-b+teacher-c' }])
    expect(disagreement).toEqual(agree([alone, ...others]).disagreement)
  })

  it('counts a stage once, however many boxes it has there', () => {
    expect(agree([box(0, at(0), 0.9), box(0, at(1), 0.8), box(0, at(2), 0.7)]).kept).toEqual([])
  })

  it('names a teacher once that two stages have asked', () => {
    const sources = image.sources?.map((source) => ({ ...source, teacher: 'one' }))
    const filter = createFilter([ruleSchema.parse({ rule: 'consensus' })])
    const { kept } = filter([box(0, at(0), 0.9), box(1, at(0), 0.8)], { ...image, sources })
    expect(kept.map(({ origin }) => origin)).toEqual(['one'])
  })

  it('names who gave a box of a grounding, and leaves alone what a person added', () => {
    const { kept } = agree([
      { ...box(0, at(0), 1), origin: 'y' },
      { ...box(1, at(0), 0.9), origin: 'x+teacher-c' },
      ...[box(2, at(0), 0.8), box(1, at(100), 0.9)],
      { phrase: 0, xyxy: at(100), score: 1, label: null, source: -1, origin: 'review:ann' },
    ])
    expect(kept.map(({ xyxy, origin }) => [xyxy, origin])).toEqual([
      [at(100), 'review:ann'],
      [at(0), 'y+x+teacher-c'],
    ])
  })

  it('weighs the sides of fused boxes by their scores', () => {
    const [one] = agree([box(0, at(0), 0.9), box(1, at(4), 0.3)], { boxes: 'fused' }).kept
    expect(one?.xyxy.map((side) => Math.round(1000 * side) / 1000)).toEqual([1, 0, 41, 40])
  })

  it('says how far stages disagree on each phrase: not at all, wholly, and in between', () => {
    const of = (candidates: readonly Candidate[]) => agree(candidates).disagreement
    const all = [0, 1, 2].map((source) => box(source, at(0), 0.7))
    expect(of(all)).toMatchObject([{ phrase: 0 }])
    expect(of(all)?.[0]?.value).toBeCloseTo(0)
    const apart = [0, 1, 2].map((source) => box(source, at(50 * source), 0.7))
    expect(of(apart)?.[0]?.value).toBeCloseTo(1)
    const [most] = of([...all.slice(0, 2), box(2, at(120), 0.7)]) ?? []
    expect(most?.value).toBeGreaterThan(0.5)
    expect(most?.value).toBeLessThan(1)
    expect(of([...all, box(1, at(150), 0.01)])?.[0]?.value).toBeLessThan(0.05)
  })

  it('does not depend on the order of the stages', () => {
    const anyBox = fc.record({
      source: fc.integer({ min: 0, max: 2 }),
      x: fc.integer({ min: 0, max: 100 }),
      // Different scores: of equal ones the first stage's would be the best.
      score: fc.integer({ min: 1, max: 10_000 }),
    })
    const distinct = fc.uniqueArray(anyBox, { selector: ({ score }) => score, maxLength: 12 })
    fc.assert(
      fc.property(distinct, fc.constantFrom('best', 'fused'), (given, boxes) => {
        const turned = (by: number) =>
          agree(
            given.map(({ source, x, score }) => box((source + by) % 3, at(x), score / 10_000)),
            { boxes },
          )
        const plain = ({ kept, disagreement }: ReturnType<typeof agree>) => [
          kept.map(({ xyxy, score }) => [...xyxy, score].map((value) => value.toFixed(6))),
          disagreement?.map(({ value }) => value.toFixed(6)),
        ]
        expect(plain(turned(1))).toEqual(plain(turned(0)))
      }),
      { numRuns: 300 },
    )
  })

  it('reads the stages that it names, and says what is missing', () => {
    const proposals = (stage: string, phrases = 'phrases') => ({
      family: 'proposals' as const,
      stage,
      phrases,
    })
    const rule = (more: object = {}) => [ruleSchema.parse({ rule: 'consensus', ...more })]
    const boxes = [
      proposals('a'),
      proposals('b'),
      { family: 'grounding' as const, stage: 'k', phrases: 'phrases' },
    ]
    const none: readonly OfferedVerdicts[] = []
    expect(ruleStages(rule(), { boxes, verdicts: none }, 'It')).toMatchObject({
      proposals: 'a',
      phrases: 'phrases',
    })
    expect(ruleStages(rule({ of: ['k', 'b'] }), { boxes, verdicts: none }, 'It')).toEqual({
      ...{ phrases: 'phrases', proposals: 'b' },
      others: [{ family: 'grounding', stage: 'k' }],
    })
    const only = (of: readonly string[]) => () => ruleStages(rule({ of }), { boxes, verdicts: none }, 'It')
    expect(only(['a', 'x'])).toThrow('It: the rule `consensus` compares "x", which is none of the proposals')
    expect(() => ruleStages(rule(), { boxes: [proposals('a')], verdicts: none }, 'It')).toThrow(
      'wants boxes of 2 stages',
    )
    expect(() => ruleStages([], { boxes, verdicts: none }, 'It')).toThrow(
      'The rule `consensus` compares several',
    )
    expect(() =>
      ruleStages(rule(), { boxes: [proposals('a'), proposals('b', 'other')], verdicts: none }, 'It'),
    ).toThrow('compares boxes of the same phrases')
    const verdict = [ruleSchema.parse({ rule: 'verdict', by: 'people' })]
    const read = (stages: readonly string[], phrases?: string) => {
      const verdicts = stages.map((stage) => ({ stage, phrases }))
      return ruleStages(verdict, { boxes: [proposals('a')], verdicts }, 'It')
    }
    expect(read(['people', 'verified']).verdicts).toEqual(['people'])
    expect(() => read(['verified'])).toThrow('reads "people", which is none of the stages of verdicts')
    expect(() => read(['people'], 'other')).toThrow('the verdicts "people" of "other"')
  })
})
