import type { Candidate } from './rule.js'

/**
 * Greedy suppression: each candidate is kept unless one kept before it, of the same group, conflicts with it.
 *
 * @param candidates best first
 */
export function suppress(
  candidates: readonly Candidate[],
  groupOf: (candidate: Candidate) => number,
  conflict: (a: Candidate, b: Candidate) => boolean,
): readonly Candidate[] {
  const groups = new Map<number, Candidate[]>()
  return candidates.filter((candidate) => {
    const kept = groups.get(groupOf(candidate))
    if (!kept) {
      groups.set(groupOf(candidate), [candidate])
      return true
    }
    if (kept.some((other) => conflict(other, candidate))) return false
    kept.push(candidate)
    return true
  })
}
