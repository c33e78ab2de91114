import type { Rule } from './rule.js'

/** Keeps at most `phrase` boxes of each phrase, the best ones. */
export function maxBoxes({ phrase: most }: { readonly phrase: number }): Rule {
  return (candidates) => {
    const counts = new Map<number, number>()
    return candidates.filter(({ phrase }) => {
      const count = counts.get(phrase) ?? 0
      counts.set(phrase, count + 1)
      return count < most
    })
  }
}
