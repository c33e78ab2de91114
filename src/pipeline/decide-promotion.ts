import type { Evaluation } from '../evaluate/evaluate-model.js'
import type { PromoteConfig } from './config.js'

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
  const before = scores[set].teacher[metric]
  const after = scores[set].student[metric]
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
