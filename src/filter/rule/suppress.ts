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
    const group = groupOf(candidate)
    const kept = groups.get(group)
    if (!kept) {
      groups.set(group, [candidate])
      return true
    }
    for (const other of kept) if (conflict(other, candidate)) return false
    kept.push(candidate)
    return true
  })
}
