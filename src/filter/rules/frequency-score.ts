import type { Rule } from './rule.js'

export interface FrequencyBounds {
  /** Phrases of the dataset with that head noun up to which a head is rare, and up to which it is common. */
  readonly bounds: readonly [number, number]
  /** Weakest score of a box of a rare, a common and a frequent head. */
  readonly rare: number
  readonly common: number
  readonly frequent: number
}

/**
 * Keeps boxes of at least a score that depends on how often the phrase's head noun comes in the dataset: a teacher is
 * less sure of what it has seen seldom, and what is seldom is what a self-trained student has most to gain from.
 *
 * @param frequency phrases of the dataset by head noun
 */
export function frequencyScore(
  { bounds, rare, common, frequent }: FrequencyBounds,
  frequency: ReadonlyMap<string, number>,
): Rule {
  const least = (head: string) => {
    const count = frequency.get(head) ?? 0
    return count <= bounds[0] ? rare : count <= bounds[1] ? common : frequent
  }
  return (candidates, { phrases }) =>
    candidates.filter(({ phrase, score }) => score >= least(phrases[phrase].head))
}
