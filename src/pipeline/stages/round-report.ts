import type { Promotion } from './promotion.js'

/** What `report.json` says of the last round: the scores by held-out set, and the decision. */
export interface RoundReport {
  readonly round: number
  readonly teacher: string
  readonly student: string
  readonly promoted: boolean
  readonly promotion: Omit<Promotion, 'scores' | 'lineage'>
  readonly [set: string]: unknown
}

/** The report of a round. */
export function roundReport({ scores, lineage: _, ...promotion }: Promotion): RoundReport {
  const { round, teacher, student, promoted } = promotion
  return { round, ...scores, teacher: teacher.name, student: student.name, promoted, promotion }
}
