import { nameList } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { pairedBootstrap } from '../../evaluate/compare/paired-bootstrap.js'
import { type MetricName, pictureMetric } from '../../evaluate/compare/picture-metrics.js'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import type { PictureOutcomes } from '../../evaluate/picture-outcomes.js'
import { evaluationName, evaluationRecord } from './evaluation-record.js'

/** A model with its hash. */
export interface Named {
  readonly name: string
  readonly hash: string
}

/** What a model scored on a set, and what became of its answers picture by picture. */
export interface Answers {
  readonly scores: Evaluation
  readonly outcomes: PictureOutcomes
}

/** Answers of each model by the names of the set and of the model. */
export type AllAnswers = ReadonlyMap<string, ReadonlyMap<string, Answers>>

/** A candidate against the teacher by one metric on one set; scores are 0 to 1, -1 where nothing is to find. */
export interface Comparison {
  readonly set: string
  readonly metric: MetricName
  readonly teacher: number
  readonly candidate: number
  /** Candidate less teacher. */
  readonly difference: number
  /** Of the difference; null where too few pictures tell the two apart. */
  readonly interval: readonly [low: number, high: number] | null
  readonly level: number
  /** Share of the resamplings in which the difference exceeds what is asked of it. */
  readonly above: number
  readonly images: number
  /** Pictures that tell the two apart. */
  readonly differing: number
}

export interface ComparisonOptions {
  readonly set: string
  readonly metric: MetricName
  /** What the difference should exceed. */
  readonly margin: number
  readonly level: number
  readonly resamplings: number
  readonly seed: number
}

/**
 * Compares each candidate with the teacher. The intervals of all candidates hold together.
 *
 * @throws UserError where the set is not among the answers or a record lacks the metric
 */
export function compareAnswers(
  teacher: Named,
  candidates: readonly Named[],
  answers: AllAnswers,
  { set, metric, margin, level, resamplings, seed }: ComparisonOptions,
): Comparison[] {
  const ofSet = answers.get(set)
  if (!ofSet) throw new UserError(`promote: set "${set}" is not among its sets: ${nameList(answers.keys())}.`)
  const answersOf = ({ name }: Named) => {
    const { scores, outcomes } = ofSet.get(name) as Answers
    const score = (scores as Partial<Evaluation>)[metric]
    if (score !== undefined) return { score, images: outcomes.images, over: pictureMetric(metric, outcomes) }
    const record = evaluationRecord(evaluationName(name, set))
    throw new UserError(
      `promote: ${record} has no "${metric}": an older version wrote it. Remove it and run again, which evaluates ${name} anew, or decide by another metric.`,
    )
  }
  const before = answersOf(teacher)
  const after = candidates.map(answersOf)
  const { images } = before
  const differences = pairedBootstrap(
    before.over,
    after.map(({ over }) => over),
    { images, margin, level, resamplings, seed },
  )
  return differences.map(({ difference, interval = null, above, differing }, index) => ({
    set,
    metric,
    teacher: before.score,
    candidate: after[index]!.score,
    difference,
    interval,
    level,
    above,
    images,
    differing,
  }))
}
