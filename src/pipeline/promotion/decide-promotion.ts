import type { MetricName } from '../../evaluate/compare/picture-metrics.js'
import { type AllAnswers, type Answers, compareAnswers, type Named } from './compare-answers.js'
import type { PromoteConfig } from './promote-config.js'
import {
  type Candidate,
  type GuardOutcome,
  hasScore,
  isAbove,
  type Promotion,
  type PromotionScores,
} from './promotion.js'
import { promotionReason } from './promotion-reason.js'

/** Differences that should be the same may differ by how floating point rounds. */
const rounding = 1e-9

/**
 * Promotes the best candidate among those whose interval of the difference to the teacher lies above the
 * margin, on the set that decides, and that pass every guard; where no set decides, the student.
 *
 * @param candidates the student first
 * @throws UserError where a set is not among `answers`, or a record lacks a metric
 */
export function decidePromotion(
  config: PromoteConfig,
  teacher: Named,
  candidates: readonly [Named, ...Named[]],
  answers: AllAnswers,
  lineage: object,
): Promotion {
  const { set, metric, margin, level, resamplings, seed, guards, round } = config
  const scores = scoresOf(teacher, candidates, answers)
  if (set === undefined) return promoteAlways(config, teacher, candidates[0], scores, lineage)
  const compare = (options: { set: string; metric: MetricName; margin: number; level: number }) =>
    compareAnswers(teacher, candidates, answers, { ...options, resamplings, seed })
  const decisive = compare({ set, metric, margin, level })
  const guarded = guards.map((guard) =>
    compare({
      set: guard.set,
      metric: guard.metric,
      margin: -guard.lower_by,
      level: guard.level ?? level,
    }).map((comparison): GuardOutcome => {
      const { lower_by, level: own } = guard
      const lowest = own === undefined ? comparison.difference : comparison.interval?.[0]
      const holds = hasScore(comparison) && lowest !== undefined && lowest >= -lower_by - rounding
      return { ...comparison, lower_by, by_interval: own !== undefined, holds }
    }),
  )
  const compared = decisive.map((comparison, index): Candidate => {
    const { name, hash } = candidates[index]!
    const own = guarded.map((outcomes) => outcomes[index]!)
    return {
      name,
      hash,
      ...comparison,
      guards: own,
      passes: isAbove(comparison, margin) && own.every(({ holds }) => holds),
    }
  })
  const [student] = compared
  const promoted = best(compared.filter(({ passes }) => passes))
  const { name, hash, teacher: score } = { ...teacher, teacher: student!.teacher }
  const { name: next, hash: nextHash } = promoted ?? teacher
  return {
    round,
    promoted: promoted !== undefined,
    reason: promotionReason(promoted ?? best(compared)!, compared.length, margin),
    metric,
    set,
    margin,
    level,
    resamplings,
    seed,
    teacher: { name, hash, score },
    student: { name: student!.name, hash: student!.hash, score: student!.candidate },
    next: { name: next, hash: nextHash },
    candidates: compared,
    scores,
    lineage,
  }
}

/** Promotes a student that nothing is held out to compare by. */
function promoteAlways(
  { metric, margin, level, resamplings, seed, round }: PromoteConfig,
  { name, hash }: Named,
  student: Named,
  scores: PromotionScores,
  lineage: object,
): Promotion {
  const next = { name: student.name, hash: student.hash }
  return {
    round,
    promoted: true,
    reason: `${student.name} is promoted without a comparison, as \`always\` asks for`,
    ...{ metric, set: '', margin, level, resamplings, seed },
    teacher: { name, hash, score: -1 },
    student: { ...next, score: -1 },
    next,
    candidates: [],
    scores,
    lineage,
  }
}

/** The candidate with the best score, of equals the first. */
function best(candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.reduce<Candidate | undefined>(
    (first, next) => (first === undefined || next.candidate > first.candidate ? next : first),
    undefined,
  )
}

function scoresOf(
  teacher: Named,
  [student, ...means]: readonly [Named, ...Named[]],
  answers: AllAnswers,
): PromotionScores {
  const ofSet = (byModel: ReadonlyMap<string, Answers>) => {
    const of = ({ name }: Named) => byModel.get(name)!.scores
    const both = { teacher: of(teacher), student: of(student) }
    return means.length === 0
      ? both
      : { ...both, means: Object.fromEntries(means.map((mean) => [mean.name, of(mean)])) }
  }
  return Object.fromEntries([...answers].map(([set, byModel]) => [set, ofSet(byModel)]))
}
