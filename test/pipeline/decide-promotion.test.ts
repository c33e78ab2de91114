import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { UserError } from '../../src/base/user-error.js'
import { pictureMetric } from '../../src/evaluate/compare/picture-metrics.js'
import type { Evaluation } from '../../src/evaluate/evaluate-model.js'
import type { PictureOutcomes } from '../../src/evaluate/picture-outcomes.js'
import type { AllAnswers, Answers, Comparison } from '../../src/pipeline/promotion/compare-answers.js'
import { decidePromotion } from '../../src/pipeline/promotion/decide-promotion.js'
import { promoteConfig } from '../../src/pipeline/promotion/promote-config.js'
import { isAbove } from '../../src/pipeline/promotion/promotion.js'
import { drawAnswers, onlyPhrases, outcomesOf } from '../helpers/any-outcomes.js'

const teacher = { name: 'start', hash: 'a' }
const student = { name: 'round-1-student', hash: 'b' }
const mean = { name: 'round-1-mean-50', hash: 'c' }
const images = 200
/** Enough to tell sides of a margin apart. */
const resamplings = 400

/** Pictures with one phrase each, of which the first ones are found. */
function found(count: number): PictureOutcomes {
  const image = [...Array(images).keys()]
  return onlyPhrases(images, { image, rank: image.map((at) => (at < count ? 0 : -1)) })
}

function answersTo(outcomes: PictureOutcomes): Answers {
  const all = new Int32Array(outcomes.images).fill(1)
  const recall1 = pictureMetric('recall1', outcomes).over(all)
  const ap = pictureMetric('ap', outcomes).over(all)
  return { scores: { recall1, ap } as Evaluation, outcomes }
}

/** Of each set how many phrases the teacher, the student and a mean of both find. */
const answersOf = (sets: Readonly<Record<string, readonly number[]>>): AllAnswers =>
  new Map(
    Object.entries(sets).map(([set, counts]) => [
      set,
      new Map(counts.map((count, at) => [[teacher, student, mean][at]!.name, answersTo(found(count))])),
    ]),
  )

const decide = (
  sets: Readonly<Record<string, readonly number[]>>,
  config: Partial<z.input<typeof promoteConfig>> = {},
  candidates: Parameters<typeof decidePromotion>[2] = [student],
) =>
  decidePromotion(promoteConfig.parse({ set: 'novel', ...config }), teacher, candidates, answersOf(sets), {})

describe('promotion', () => {
  it('takes a student whose interval of the difference lies above the margin', () => {
    const made = decide({ novel: [80, 110] })
    expect(made).toMatchObject({
      promoted: true,
      next: student,
      level: 0.05,
      resamplings: 2000,
      teacher: { ...teacher, score: 0.4 },
      student: { ...student, score: 0.55 },
    })
    const [{ interval, differing, above }] = made.candidates as [(typeof made.candidates)[number]]
    expect(interval![0]).toBeGreaterThan(0.09)
    expect(interval![1]).toBeLessThan(0.22)
    expect([differing, above]).toEqual([30, 1])
    expect(made.reason).toMatch(
      /^round-1-student is promoted: recall1 on novel 55\.0 against 40\.0, \+15\.0 points, the 95 % interval \+\d+\.\d to \+\d+\.\d lies above 0\.0$/,
    )
    const refused = decide({ novel: [80, 110] }, { margin: 0.1 })
    expect(refused).toMatchObject({ promoted: false, next: teacher })
    expect(refused.reason).toMatch(
      /is not promoted: .* \+15\.0 points; the 95 % interval .* does not lie above 10\.0$/,
    )
    // The interval of a lower level is narrower.
    expect(decide({ novel: [80, 110] }, { margin: 0.1, level: 0.3 }).promoted).toBe(true)
  })

  it('asks for more than the margin, whichever side of 0 it lies on', () => {
    // +15 points, the interval from about +10.
    for (const [margin, promoted] of [
      [-0.05, true],
      [0.05, true],
      [0.12, false],
      [0.5, false],
    ] as const)
      expect(decide({ novel: [80, 110] }, { margin, resamplings })).toMatchObject({ promoted, margin })
    // A student that is 15 points worse may be so by 30, and not by 5.
    for (const [margin, promoted] of [
      [-0.3, true],
      [-0.05, false],
      [0.3, false],
    ] as const)
      expect(decide({ novel: [110, 80] }, { margin, resamplings })).toMatchObject({ promoted, margin })
  })

  it('counts the resamplings in which the difference exceeds the margin, or what a guard allows', () => {
    const aboveOf = (margin: number) =>
      decide({ novel: [80, 110] }, { margin, resamplings }).candidates[0]!.above
    expect([aboveOf(-0.15), aboveOf(0)]).toEqual([1, 1])
    expect(Math.abs(aboveOf(0.15) - 0.5)).toBeLessThan(0.1)
    expect(aboveOf(0.3)).toBe(0)
    const guardOf = (known: readonly number[], lower_by: number) =>
      decide({ novel: [80, 110], known }, { guards: [{ set: 'known', lower_by }], resamplings })
        .candidates[0]!.guards[0]!
    // 10 points lost, and gained: what is allowed is a loss.
    expect(Math.abs(guardOf([150, 130], 0.1).above - 0.5)).toBeLessThan(0.1)
    expect(guardOf([130, 150], 0.1)).toMatchObject({ above: 1, holds: true })
    expect(guardOf([150, 130], 0.3)).toMatchObject({ above: 1, holds: true })
    expect(guardOf([150, 130], 0.02)).toMatchObject({ above: 0, holds: false })
  })

  it('is above a margin only by more than it, the difference and all of its interval', () => {
    const of = (difference: number, low: number | null) =>
      ({ difference, interval: low === null ? null : [low, 1] }) as Comparison
    expect(isAbove(of(0.3, 0.2), 0.1)).toBe(true)
    expect(isAbove(of(0.3, 0.1), 0.1)).toBe(false)
    expect(isAbove(of(0.1, 0.2), 0.1)).toBe(false)
    expect(isAbove(of(0.3, null), 0.1)).toBe(false)
    expect(isAbove(of(-0.1, -0.2), -0.3)).toBe(true)
    expect(isAbove(of(-0.1, -0.2), 0.3)).toBe(false)
  })

  it('says where too few pictures tell the models apart', () => {
    expect(decide({ novel: [80, 83] }).reason).toBe(
      'round-1-student is not promoted: recall1 on novel 41.5 against 40.0, +1.5 points; only 3 of 200 pictures tell it from the teacher, too few for an interval at level 0.05',
    )
  })

  it('refuses what a guard forbids, as measured or by its interval', () => {
    const sets = { novel: [80, 110], known: [150, 145] }
    const guard = { set: 'known', lower_by: 0.02 }
    const lost = decide(sets, { guards: [guard] })
    expect(lost).toMatchObject({ promoted: false, next: teacher })
    expect(lost.reason).toMatch(
      /^round-1-student is not promoted: recall1 on known 72\.5 against 75\.0, -2\.5 points, where at most 2\.0 less is allowed/,
    )
    const kept = decide(sets, { guards: [{ ...guard, lower_by: 0.025 }] })
    expect(kept.promoted).toBe(true)
    expect(kept.reason).toMatch(
      /; recall1 on known 72\.5 against 75\.0, -2\.5 points \(at most 2\.5 less is allowed\)$/,
    )
    expect(kept.candidates[0]!.guards[0]).toMatchObject({ lower_by: 0.025, by_interval: false, holds: true })
    const wide = { novel: [80, 110], known: [150, 140] }
    const unsure = decide(wide, { guards: [{ set: 'known', lower_by: 0.06, level: 0.05 }] })
    expect(unsure.promoted).toBe(false)
    expect(unsure.reason).toMatch(/-5\.0 points; the 95 % interval -\d\.\d to -\d\.\d goes below -6\.0/)
    expect(decide(wide, { guards: [{ set: 'known', lower_by: 0.12, level: 0.05 }] }).promoted).toBe(true)
    const alike = { novel: [80, 110], known: [150, 150] }
    expect(decide(alike, { guards: [{ set: 'known', level: 0.05 }] }).promoted).toBe(true)
  })

  it('takes the best of those that pass', () => {
    const all = [student, mean] as const
    expect(decide({ novel: [80, 110, 115] }, {}, all).next).toEqual(mean)
    expect(decide({ novel: [80, 110, 110] }, {}, all).next).toEqual(student)
    const guards = [{ set: 'known', lower_by: 0.01 }]
    const guarded = decide({ novel: [80, 115, 110], known: [150, 140, 149] }, { guards }, all)
    expect(guarded).toMatchObject({ promoted: true, next: mean, student: { score: 0.575 } })
    expect(guarded.candidates.map(({ passes }) => passes)).toEqual([false, true])
    const none = decide({ novel: [80, 81, 82] }, {}, all)
    expect(none).toMatchObject({ promoted: false, next: teacher })
    expect(none.reason).toMatch(/^round-1-mean-50, the best of 2, is not promoted: /)
  })

  it('never takes a student that answers as its teacher does, and promotes nothing where nothing is to find', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom('ap', 'recall1'), (seed, metric) => {
        const own = answersTo(outcomesOf(drawAnswers(seed, 'a', 8), 8))
        const both = new Map([
          [teacher.name, own],
          [student.name, own],
        ])
        const config = promoteConfig.parse({ set: 'novel', metric, level: 0.5, resamplings: 100 })
        const made = decidePromotion(config, teacher, [student], new Map([['novel', both]]), {})
        expect(made).toMatchObject({ promoted: false, next: teacher })
      }),
      { numRuns: 30 },
    )
    const nothing = decide({ novel: [80, 110] }, { metric: 'ap' })
    expect(nothing.reason).toBe('round-1-student is not promoted: there is nothing to find for ap on novel')
    const guards = [{ set: 'known', metric: 'ap' as const }]
    expect(decide({ novel: [80, 110], known: [1, 1] }, { guards })).toMatchObject({ promoted: false })
  })

  it('names the record of an older version that lacks the metric', () => {
    const message = (model: string) =>
      new UserError(
        `promote: evaluations/${model}-on-novel.json has no "recall10": an older version wrote it. Remove it and run again, which evaluates ${model} anew, or decide by another metric.`,
      )
    const lacking = (model: string) => {
      const whole = { scores: { recall10: 0.5 } as Evaluation, outcomes: found(1) }
      const byModel = new Map(
        [teacher, student].map(({ name }) => [name, name === model ? answersTo(found(1)) : whole]),
      )
      const config = promoteConfig.parse({ set: 'novel', metric: 'recall10' })
      return () => decidePromotion(config, teacher, [student], new Map([['novel', byModel]]), {})
    }
    expect(lacking('start')).toThrow(message('start'))
    expect(lacking('round-1-student')).toThrow(message('round-1-student'))
    expect(() => decide({ novel: [1, 2] }, { set: 'seen' })).toThrow(
      'promote: set "seen" is not among its sets: novel.',
    )
  })
})
