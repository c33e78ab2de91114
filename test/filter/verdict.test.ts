import { describe, expect, it } from 'vitest'
import { createFilter } from '../../src/filter/filter-proposals.js'
import { namedText } from '../../src/filter/rule/named-span.js'
import type { Candidate, FilterImage, StageVerdict } from '../../src/filter/rule/rule.js'
import { type RuleConfig, ruleSchema } from '../../src/filter/rules.js'

const phrase = (text: string, start: number) => ({
  ...{ caption: 0, text, start, end: start + text.length, head: text.split(' ').at(-1) as string },
})
const image: FilterImage = {
  ...{ width: 100, height: 100 },
  phrases: [phrase('a red cat', 0), phrase('a dog', 14)],
}
const box = (phrase: number, x: number, score = 0.3): Candidate => ({
  ...{ phrase, score, xyxy: [x, 0, x + 20, 20], label: null },
})
const said = (
  verdict: StageVerdict['verdict'],
  probability: number,
  more: Partial<StageVerdict> = {},
): StageVerdict => ({
  ...{ phrase: 0, xyxy: [0, 0, 20, 20], verdict, probability, redrawn: null, start: null, end: null },
  ...{ judge: 'judge', person: false, reason: null, at: null, stage: 'verified' },
  ...more,
})
const person = { person: true, judge: 'alice', stage: 'people' }

function kept(
  candidates: readonly Candidate[],
  verdicts: readonly StageVerdict[],
  rule: Record<string, unknown> = {},
) {
  const rules = [ruleSchema.parse({ rule: 'verdict', ...rule }) as RuleConfig]
  return createFilter(rules)(candidates, { ...image, verdicts }).kept
}

describe('the rule verdict', () => {
  it('keeps what is accepted, drops what is rejected, and what nobody judged unless it is told to keep that', () => {
    const boxes = [box(0, 0), box(0, 50), box(1, 0)]
    const verdicts = [said('accept', 0.8), said('reject', 0.2, { xyxy: [50, 0, 70, 20] })]
    expect(kept(boxes, verdicts)).toEqual([box(0, 0)])
    expect(kept(boxes, verdicts, { unjudged: 'keep' })).toEqual([box(0, 0), box(1, 0)])
    expect(kept(boxes, verdicts, { min: 0.1 })).toHaveLength(2)
    expect(kept(boxes, verdicts, { min: 0.9 })).toEqual([])
  })

  it('reads verdicts about a box that is nearly the same, and about this very box before those', () => {
    const near = said('accept', 0.9, { xyxy: [0, 0, 20, 21] })
    expect(kept([box(0, 0)], [near])).toHaveLength(1)
    expect(kept([box(0, 0)], [said('accept', 0.9, { xyxy: [0, 0, 20, 23] })])).toEqual([])
    expect(kept([box(0, 0)], [said('accept', 0.9, { xyxy: [0, 0, 20, 23] })], { iou: 0.8 })).toHaveLength(1)
    expect(kept([box(0, 0)], [near, said('reject', 0.1)])).toEqual([])
    // A verdict about another phrase's box is none about this one.
    expect(kept([box(1, 0)], [said('accept', 0.9)])).toEqual([])
  })

  it('gives the probability for a score where it is asked, and takes the mean of several judges', () => {
    const verdicts = [said('accept', 0.8), said('accept', 0.6, { judge: 'other', stage: 'second' })]
    const [one] = kept([box(0, 0)], verdicts, { as: 'score' })
    expect(one?.score).toBeCloseTo(0.7)
    const [other] = kept([box(0, 0)], verdicts, { as: 'score', by: 'second' })
    expect(other?.score).toBe(0.6)
    expect(kept([box(0, 0)], verdicts)[0]?.score).toBe(0.3)
  })

  it('believes people before machines, and gives them what they accept, as they drew and named it', () => {
    expect(kept([box(0, 0)], [said('accept', 0.99), said('reject', 0, person)])).toEqual([])
    expect(kept([box(0, 0)], [said('reject', 0.01), said('accept', 1, person)])).toEqual([
      { ...box(0, 0), score: 1, origin: 'review:alice' },
    ])
    const redrawn = said('redraw', 0, { ...person, redrawn: [1, 1, 30, 30], start: 6, end: 9 })
    expect(kept([box(0, 0)], [redrawn])).toEqual([
      {
        ...box(0, 0),
        ...{ score: 1, xyxy: [1, 1, 30, 30], origin: 'review:alice' },
        relabelled: { rule: 'verdict', start: 6, end: 9 },
      },
    ])
  })

  it('takes the words that a person chose for another phrase where they are one, else for words of the caption', () => {
    const words = (start: number, end: number) => said('accept', 1, { ...person, start, end })
    expect(kept([box(0, 0)], [words(14, 19)])).toMatchObject([{ phrase: 1 }])
    expect(kept([box(0, 0)], [words(14, 19)])[0]).not.toHaveProperty('relabelled')
    const [outside] = kept([box(0, 0)], [words(10, 13)])
    expect(outside).toMatchObject({ phrase: 0, relabelled: { start: 10, end: 13 } })
    expect(namedText(image, outside as Candidate)).toBe('a red cat')
  })

  it('keeps one box of several that a person speaks of: the very box, else the nearest', () => {
    const at = (x: number) => ({ ...box(0, x), score: 1 - x })
    const redrawn = said('redraw', 0, { ...person, redrawn: [5, 5, 30, 30] })
    const one = { phrase: 0, score: 1, xyxy: [5, 5, 30, 30], origin: 'review:alice' }
    expect(kept([at(-0.5), at(0), at(0.5)], [redrawn])).toMatchObject([one])
    expect(kept([at(0.4), at(0.2)], [said('accept', 1, person)])).toMatchObject([
      { xyxy: [0.2, 0, 20.2, 20], score: 1, origin: 'review:alice' },
    ])
    // Of what machines accept all is kept.
    expect(kept([at(0.4), at(0.2)], [said('accept', 0.9)])).toHaveLength(2)
  })

  it('drops phrases that name nothing to be seen, and on demand those that lack a box', () => {
    const boxes = [box(0, 0), box(1, 0)]
    const both = [said('accept', 0.9), said('accept', 0.9, { phrase: 1 })]
    const unseen = said('unseen', 0, { xyxy: null })
    expect(kept(boxes, [...both, unseen])).toEqual([box(1, 0)])
    const lacking = said('incomplete', 0.3, { xyxy: null })
    expect(kept(boxes, [...both, lacking])).toHaveLength(2)
    expect(kept(boxes, [...both, lacking], { complete: 0.5 })).toEqual([])
    expect(kept(boxes, [...both, lacking], { complete: 0.2 })).toEqual([box(0, 0)])
    const whole = said('complete', 1, { ...person, xyxy: null })
    expect(kept(boxes, [...both, lacking, whole], { complete: 0.5 })).toEqual([box(0, 0)])
  })
})
