import type { Candidate, Rule } from '../rule.js'

/** Keeps the best boxes: at most `phrase` of each phrase and `image` of the picture; at a tie the earlier ones. */
export function maxBoxes({ phrase, image }: { readonly phrase: number; readonly image: number }): Rule {
  return (candidates) => {
    const order = [...candidates].sort((a, b) => b.score - a.score)
    const counts = new Map<number, number>()
    const kept = new Set<Candidate>()
    for (const candidate of order) {
      const count = counts.get(candidate.phrase) ?? 0
      if (count >= phrase || kept.size >= image) continue
      counts.set(candidate.phrase, count + 1)
      kept.add(candidate)
    }
    return candidates.filter((candidate) => kept.has(candidate))
  }
}
