import type { MetricName } from '../../evaluate/compare/picture-metrics.js'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import type { Comparison, Named } from './compare-answers.js'

/** How a candidate stands by one guard. */
export interface GuardOutcome extends Comparison {
  readonly lower_by: number
  /** Whether the whole interval must stay within `lower_by`, and not the difference as measured alone. */
  readonly by_interval: boolean
  readonly holds: boolean
}

/** A model that could be the next teacher. */
export interface Candidate extends Named, Comparison {
  readonly guards: readonly GuardOutcome[]
  /** Whether it may be promoted. */
  readonly passes: boolean
}

/** Scores of teacher and student on each held-out set, and of the means of both by their names. */
export type PromotionScores = Readonly<
  Record<
    string,
    {
      readonly teacher: Evaluation
      readonly student: Evaluation
      readonly means?: Readonly<Record<string, Evaluation>>
    }
  >
>

/** A round's outcome and where it came from. */
export interface Promotion {
  readonly round: number
  readonly promoted: boolean
  /** The decision and why, in words. */
  readonly reason: string
  readonly metric: MetricName
  readonly set: string
  readonly margin: number
  readonly level: number
  readonly resamplings: number
  readonly seed: number
  readonly teacher: Named & { readonly score: number }
  readonly student: Named & { readonly score: number }
  /** The next teacher: the candidate that is promoted, else the teacher. */
  readonly next: Named
  /** The student first. */
  readonly candidates: readonly Candidate[]
  readonly scores: PromotionScores
  readonly lineage: object
}

/** Whether a candidate is better than the teacher by more than the margin, beyond what chance explains. */
export const isAbove = ({ difference, interval }: Comparison, margin: number): boolean =>
  difference > margin && interval !== null && interval[0] > margin

/** Whether there was something to find. Scores of presence may be below 0, but are never -1 then. */
export const hasScore = ({ teacher }: Comparison): boolean => teacher !== -1
