import type { Rule } from './rule.js'

/** Keeps a picture's boxes only where one of them reaches `min` (OWL-ST's first threshold). */
export function imageGate({ min }: { readonly min: number }): Rule {
  return (candidates) => (candidates.some((candidate) => candidate.score >= min) ? candidates : [])
}
