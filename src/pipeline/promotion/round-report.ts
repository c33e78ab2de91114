import type { AuditSummary } from '../../audit/audit-labels.js'
import { toldScores } from '../../evaluate/compare/told-scores.js'
import type { Promotion } from './promotion.js'
import { toldPromotion } from './told-promotion.js'

/** The report of a run's last round. */
export const reportFile = 'report.json'

/** What `report.json` says of the last round: the scores by held-out set, null for what has none, and the decision. */
export interface RoundReport {
  readonly round: number
  readonly teacher: string
  readonly student: string
  readonly promoted: boolean
  readonly promotion: ReturnType<typeof toldPromotion<Omit<Promotion, 'scores' | 'lineage'>>>
  /** How right the labels of the round are, where the pipeline names a truth. */
  readonly labels?: AuditSummary
  readonly [set: string]: unknown
}

/** The report of a round. */
export function roundReport(
  { scores, lineage: _, ...promotion }: Promotion,
  labels?: AuditSummary,
): RoundReport {
  const { round, teacher, student, promoted } = promotion
  const decision = {
    ...{ teacher: teacher.name, student: student.name, promoted },
    promotion: toldPromotion(promotion),
  }
  return { round, ...toldScores(scores), ...decision, ...(labels && { labels }) }
}
