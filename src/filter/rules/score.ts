import type { Rule } from './rule.js'

/** Keeps boxes of at least `min` (GLIP: CAPTION_CONF 0.5). */
export function score({ min }: { readonly min: number }): Rule {
  return (candidates) => candidates.filter((candidate) => candidate.score >= min)
}
