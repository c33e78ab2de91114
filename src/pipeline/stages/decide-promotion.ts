import { z } from 'zod'
import { UserError } from '../../base/user-error.js'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import { evaluationName, evaluationRecord } from './evaluation-record.js'
import { stageName } from './stage-kind.js'

/** What promotes a student: its score on a held-out set must beat the teacher's by the margin. */
export const promoteConfig = z.strictObject({
  set: stageName.describe('the held-out set that decides'),
  metric: z
    .enum(['ap', 'ap50', 'ap75', 'cgf1', 'pmf1', 'il_mcc', 'recall1', 'recall5', 'recall10'])
    .default('recall1'),
  margin: z.number().default(0).describe('the student must score this much higher, 0 to 1'),
  /** Filled in when rounds are laid out. */
  round: z.number().int().positive().default(1),
  student: stageName.optional(),
  sets: z.array(stageName).default([]),
})

export type PromoteConfig = z.infer<typeof promoteConfig>

/** A round's outcome and where it came from. */
export interface Promotion {
  readonly round: number
  readonly promoted: boolean
  readonly metric: string
  readonly set: string
  readonly margin: number
  readonly teacher: { readonly name: string; readonly hash: string; readonly score: number }
  readonly student: { readonly name: string; readonly hash: string; readonly score: number }
  readonly scores: Readonly<Record<string, { readonly teacher: Evaluation; readonly student: Evaluation }>>
  readonly lineage: object
}

interface Named {
  readonly name: string
  readonly hash: string
}

/**
 * Promotes the student where it beats the teacher by the margin on the set that decides.
 *
 * @throws UserError where that set is not among `scores`, or a record of it lacks the metric
 */
export function decidePromotion(
  { set, metric, margin, round }: PromoteConfig,
  teacher: Named,
  student: Named,
  scores: Promotion['scores'],
  lineage: object,
): Promotion {
  const decisive = scores[set]
  if (!decisive)
    throw new UserError(`promote: set "${set}" is not among its sets: ${Object.keys(scores).join(', ')}.`)
  const scoreOf = ({ name, hash }: Named, evaluation: Partial<Evaluation>) => {
    const score = evaluation[metric]
    if (score !== undefined) return { name, hash, score }
    const record = evaluationRecord(evaluationName(name, set))
    throw new UserError(
      `promote: ${record} has no "${metric}": an older version wrote it. Remove it and run again, which evaluates ${name} anew, or decide by another metric.`,
    )
  }
  const scoredTeacher = scoreOf(teacher, decisive.teacher)
  const scoredStudent = scoreOf(student, decisive.student)
  const before = scoredTeacher.score
  const after = scoredStudent.score
  return {
    round,
    promoted: after > before && after >= before + margin,
    metric,
    set,
    margin,
    teacher: scoredTeacher,
    student: scoredStudent,
    scores,
    lineage,
  }
}
