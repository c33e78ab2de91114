import type { Rule } from './rule.js'

/** Keeps boxes of at least the score that `heads` gives for the phrase's head noun, and of at least `min` for all others. */
export function headScore({
  heads,
  min,
}: {
  readonly heads: Readonly<Record<string, number>>
  readonly min: number
}): Rule {
  const bounds = new Map(Object.entries(heads).map(([head, bound]) => [head.toLowerCase(), bound]))
  return (candidates, { phrases }) =>
    candidates.filter(({ phrase, score }) => score >= (bounds.get(phrases[phrase].head) ?? min))
}
