import { z } from 'zod'
import { UserError } from '../../base/user-error.js'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import { stageName } from './stage-kind.js'

/** What promotes a student: its score on a held-out set must beat the teacher's by the margin. */
export const promoteConfig = z.strictObject({
  set: stageName.describe('the held-out set that decides'),
  metric: z.enum(['ap', 'ap50', 'ap75', 'recall1', 'recall5', 'recall10']).default('recall1'),
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

/** Promotes the student where it beats the teacher by the margin on the set that decides. */
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
  const before = decisive.teacher[metric]
  const after = decisive.student[metric]
  const score = ({ name, hash }: Named, value: number) => ({ name, hash, score: value })
  return {
    round,
    promoted: after > before && after >= before + margin,
    metric,
    set,
    margin,
    teacher: score(teacher, before),
    student: score(student, after),
    scores,
    lineage,
  }
}
