import type { Comparison } from './compare-answers.js'
import { type Candidate, type GuardOutcome, hasScore, isAbove } from './promotion.js'

/**
 * Why a candidate is promoted or not, in one line; scores and differences in percent.
 *
 * @param candidate the one that is promoted, or the best of those that are not
 * @param of how many candidates there were
 */
export function promotionReason(candidate: Candidate, of: number, margin: number): string {
  const { name, set, metric } = candidate
  const verdict = candidate.passes
    ? `${name} is promoted`
    : `${name}${of > 1 ? `, the best of ${of},` : ''} is not promoted`
  if (!hasScore(candidate)) return `${verdict}: there is nothing to find for ${metric} on ${set}`
  const decisive = `${scored(candidate)}, ${signed(candidate.difference)} points`
  if (!isAbove(candidate, margin))
    return `${verdict}: ${decisive}; ${doubt(candidate, `does not lie above ${percent(margin)}`)}`
  const failed = candidate.guards.find(({ holds }) => !holds)
  if (failed) return `${verdict}: ${lost(failed)} (${decisive})`
  const above = `${intervalText(candidate)} lies above ${percent(margin)}`
  return [`${verdict}: ${decisive}, ${above}`, ...candidate.guards.map(kept)].join('; ')
}

/** The scores of both models. */
const scored = ({ metric, set, teacher, candidate }: Comparison) =>
  `${metric} on ${set} ${percent(candidate)} against ${percent(teacher)}`

const intervalText = ({ level, interval }: Comparison) =>
  `the ${Number((100 * (1 - level)).toPrecision(6))} % interval ${interval?.map(signed).join(' to ')}`

/** Why a difference is not sure enough. */
function doubt(comparison: Comparison, fault: string): string {
  const { interval, differing, images, level } = comparison
  if (interval) return `${intervalText(comparison)} ${fault}`
  return `only ${differing} of ${images} pictures tell it from the teacher, too few for an interval at level ${level}`
}

/** How a guard fails. */
function lost(guard: GuardOutcome): string {
  const { set, metric, by_interval, lower_by } = guard
  if (!hasScore(guard)) return `there is nothing to find for ${metric} on ${set}, which guards`
  const fall = `${scored(guard)}, ${signed(guard.difference)} points`
  if (!by_interval) return `${fall}, where at most ${percent(lower_by)} less is allowed`
  return `${fall}; ${doubt(guard, `goes below ${signed(-lower_by)}`)}`
}

/** How a guard holds. */
function kept(guard: GuardOutcome): string {
  const sure = guard.by_interval ? `, ${intervalText(guard)}` : ''
  return `${scored(guard)}, ${signed(guard.difference)} points${sure} (at most ${percent(guard.lower_by)} less is allowed)`
}

const percent = (value: number) => (100 * value).toFixed(1)
const signed = (value: number) => `${value < 0 ? '-' : '+'}${percent(Math.abs(value))}`
