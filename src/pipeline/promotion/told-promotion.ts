import { toldScores } from '../../evaluate/compare/told-scores.js'
import type { Comparison } from './compare-answers.js'
import { hasScore, type Promotion } from './promotion.js'

/** A comparison with null for scores where there was nothing to find. */
const toldComparison = (comparison: Comparison) =>
  hasScore(comparison)
    ? comparison
    : { ...comparison, teacher: null, candidate: null, difference: null, interval: null }

/** A decision as people and files are told it: null for scores where there was nothing to find (`toldScores`). */
export const toldPromotion = <Decision extends Omit<Promotion, 'scores' | 'lineage'>>(
  promotion: Decision,
) => ({
  ...promotion,
  teacher: { ...promotion.teacher, score: toldScores(promotion.teacher.score) },
  student: { ...promotion.student, score: toldScores(promotion.student.score) },
  candidates: promotion.candidates.map((candidate) => ({
    ...candidate,
    ...toldComparison(candidate),
    guards: candidate.guards.map((guard) => ({ ...guard, ...toldComparison(guard) })),
  })),
})
