import { describe, expect, it } from 'vitest'
import type { Comparison } from '../../../src/pipeline/promotion/compare-answers.js'
import {
  evaluationName,
  evaluationRecord,
  isEvaluationRecord,
  outcomesFile,
} from '../../../src/pipeline/promotion/evaluation-record.js'
import { isEvaluation } from '../../../src/pipeline/promotion/is-evaluation.js'
import { isPromotion } from '../../../src/pipeline/promotion/is-promotion.js'
import { parseOutcomes } from '../../../src/pipeline/promotion/parse-outcomes.js'
import { sharesOf } from '../../../src/pipeline/promotion/promote-config.js'
import type { Candidate, GuardOutcome, Promotion } from '../../../src/pipeline/promotion/promotion.js'
import { hasScore } from '../../../src/pipeline/promotion/promotion.js'
import { promotionReason } from '../../../src/pipeline/promotion/promotion-reason.js'
import { roundReport } from '../../../src/pipeline/promotion/round-report.js'

const scores = { ap: 0, ap50: 0, recall1: 0, recall5: 0, recall10: 0 }

describe('the record of an evaluation', () => {
  it('is named after the model and the set', () => {
    expect(evaluationName('teacher', 'novel')).toBe('teacher-on-novel')
    expect(evaluationRecord('a')).toBe('evaluations/a.json')
    expect(outcomesFile('a')).toBe('evaluations/a.outcomes.json')
    expect(isEvaluationRecord(evaluationRecord('a'))).toBe(true)
    expect(isEvaluationRecord(outcomesFile('a'))).toBe(false)
    expect(isEvaluationRecord('evaluations/a.lock')).toBe(false)
  })

  it('holds scores', () => {
    expect(isEvaluation(scores)).toBe(true)
    expect(isEvaluation({ ...scores, cgf1: 1, more: 'x' })).toBe(true)
    for (const other of [null, {}, { ...scores, ap: '0' }, { ...scores, cgf1: null }])
      expect(isEvaluation(other), JSON.stringify(other)).toBe(false)
  })
})

describe('what became of answers', () => {
  const rows = [
    [0, 1],
    [2, 3],
  ]
  const two = [0, 1]
  const category = { truths: [0, 1, 1], image: two, score: [0.9, 0.1], matched: two, ignored: two }
  const pairs = {
    ...{ truePresent: two, falseAbsent: two, falsePresent: two, trueAbsent: two },
    ...{ matched: rows, missed: rows, wrongOfPresent: rows },
  }
  const good = { images: 2, phrases: { image: [0, 1, 1], rank: [0, -1, 4] }, categories: [category], pairs }

  it('is taken as it is where its lists belong together', () => {
    expect(parseOutcomes(good)).toBe(good)
    const nothing = { ...category, image: [], score: [], matched: [], ignored: [] }
    const of = { ...good, categories: [category, nothing] }
    expect(parseOutcomes(of)).toBe(of)
  })

  it('is refused where one list is of another length than those beside it', () => {
    for (const key of ['image', 'score', 'matched', 'ignored'] as const) {
      const shorter = { ...category, [key]: [0] }
      expect(parseOutcomes({ ...good, categories: [category, shorter] }), key).toMatch(/different lengths/)
    }
    for (const key of Object.keys(pairs) as (keyof typeof pairs)[]) {
      const shorter = { ...pairs, [key]: pairs[key].slice(1) }
      expect(parseOutcomes({ ...good, pairs: shorter }), key).toMatch(/different lengths/)
    }
    expect(parseOutcomes({ ...good, phrases: { image: [0, 1], rank: [0] } })).toMatch(/different lengths/)
  })

  it('is refused where it speaks of a picture that the set does not have', () => {
    for (const changed of [{ truths: [0, 2] }, { image: [2, 0] }])
      expect(parseOutcomes({ ...good, categories: [{ ...category, ...changed }] })).toMatch(/does not have/)
    expect(parseOutcomes({ ...good, phrases: { image: [0, 1, 2], rank: [0, 0, 0] } })).toMatch(
      /does not have/,
    )
    expect(parseOutcomes(null)).toEqual(expect.any(String))
  })
})

describe('shares of the student in means', () => {
  it('are quarters where all are asked for, and those that are named, but neither model itself', () => {
    expect(sharesOf({ average: true })).toEqual([0.25, 0.5, 0.75])
    expect(sharesOf({ average: false })).toEqual([])
    expect(sharesOf({ average: [0.9, 1, 0, 0.1, 0.9, 0.1, 0.5] })).toEqual([0.1, 0.5, 0.9])
  })
})

const comparison: Comparison = {
  ...{ set: 'novel', metric: 'recall1' as const, teacher: 0.4, candidate: 0.55, difference: 0.15 },
  ...{ interval: [0.1, 0.2] as const, level: 0.05, above: 1, images: 200, differing: 30 },
}
const passing: Candidate = { ...comparison, name: 'student', hash: 'b', guards: [], passes: true }
const named = { name: 'student', hash: 'b' }
const promotion: Promotion = {
  ...{
    round: 1,
    promoted: true,
    reason: 'so',
    metric: 'recall1' as const,
    set: 'novel',
    margin: 0,
    level: 0.05,
  },
  ...{ resamplings: 100, seed: 0, teacher: { name: 'start', hash: 'a', score: 0.4 } },
  student: { ...named, score: 0.55 },
  next: named,
  candidates: [passing],
  scores: { novel: { teacher: scores as never, student: scores as never } },
  lineage: { inputs: {} },
}

describe('the decision of a round', () => {
  it('is told from what is damaged', () => {
    expect(isPromotion(promotion)).toBe(true)
    expect(isPromotion({ ...promotion, scores: { novel: { teacher: scores, student: {} } } })).toBe(false)
    expect(isPromotion({ ...promotion, candidates: [{ ...passing, interval: [1] }] })).toBe(false)
    expect(isPromotion(null)).toBe(false)
  })

  it('is reported with the scores by set, and how right its labels are', () => {
    const report = roundReport(promotion)
    expect(Object.keys(report)).toEqual(['round', 'novel', 'teacher', 'student', 'promoted', 'promotion'])
    expect(report).toMatchObject({ round: 1, teacher: 'start', student: 'student', promoted: true })
    expect(report.novel).toEqual(promotion.scores.novel)
    const { scores: _, lineage: __, ...decision } = promotion
    expect(report.promotion).toEqual(decision)
    const labels = { pictures: 1, kinds: [] } as never
    expect(roundReport(promotion, labels)).toEqual({ ...report, labels })
  })
})

describe('why a candidate is promoted or not', () => {
  const guard: GuardOutcome = {
    ...comparison,
    ...{ set: 'known', teacher: 0.7, candidate: 0.65, difference: -0.05 },
    interval: [-0.08, 0],
    ...{ lower_by: 0.1, by_interval: true, holds: true },
  }
  const refused = { ...passing, passes: false }

  it('names the scores, their difference and its interval', () => {
    expect(promotionReason(passing, 1, 0.05)).toBe(
      'student is promoted: recall1 on novel 55.0 against 40.0, +15.0 points, the 95 % interval +10.0 to +20.0 lies above 5.0',
    )
    expect(promotionReason({ ...passing, level: 0.1 }, 2, 0)).toContain('the 90 % interval')
    expect(promotionReason({ ...passing, level: 0.07 }, 2, 0)).toContain('the 93 % interval')
    expect(promotionReason(refused, 2, 0.15)).toBe(
      'student, the best of 2, is not promoted: recall1 on novel 55.0 against 40.0, +15.0 points; the 95 % interval +10.0 to +20.0 does not lie above 15.0',
    )
    const alike = { ...refused, interval: null, differing: 3 }
    expect(promotionReason(alike, 1, 0)).toMatch(
      /^student is not promoted: .*; only 3 of 200 pictures tell it from the teacher, .* at level 0\.05$/,
    )
    expect(promotionReason({ ...refused, teacher: -1 }, 1, 0)).toBe(
      'student is not promoted: there is nothing to find for recall1 on novel',
    )
    expect(hasScore({ ...refused, teacher: -0.5 })).toBe(true)
  })

  it('names the guards, those that hold and the one that fails', () => {
    const plain = { ...guard, by_interval: false }
    expect(promotionReason({ ...passing, guards: [guard, plain] }, 1, 0)).toMatch(
      /lies above 0\.0; recall1 on known 65\.0 against 70\.0, -5\.0 points, the 95 % interval -8\.0 to \+0\.0 \(at most 10\.0 less is allowed\); recall1 on known 65\.0 against 70\.0, -5\.0 points \(at most 10\.0 less is allowed\)$/,
    )
    const reason = (failed: Partial<GuardOutcome>) =>
      promotionReason({ ...refused, guards: [guard, { ...guard, holds: false, ...failed }] }, 1, 0)
    expect(reason({ lower_by: 0.06 })).toBe(
      'student is not promoted: recall1 on known 65.0 against 70.0, -5.0 points; the 95 % interval -8.0 to +0.0 goes below -6.0 (recall1 on novel 55.0 against 40.0, +15.0 points)',
    )
    expect(reason({ by_interval: false, lower_by: 0.02 })).toContain(
      '-5.0 points, where at most 2.0 less is allowed (',
    )
    expect(reason({ interval: null, differing: 2 })).toContain('only 2 of 200 pictures')
    expect(reason({ teacher: -1 })).toContain('there is nothing to find for recall1 on known, which guards (')
  })
})
