/**
 * Area under the ROC curve: the probability that one of `positives`, drawn at random, is larger than one of
 * `negatives`, equal ones counting half (Mann and Whitney's U by the number of pairs). In n log n.
 *
 * @param positives finite, as are `negatives`
 * @returns 0 to 1; -1 where either list is empty
 */
export function areaUnderCurve(positives: readonly number[], negatives: readonly number[]): number {
  if (positives.length === 0 || negatives.length === 0) return -1
  const sorted = Float64Array.from(negatives).sort()
  let below = 0
  let notAbove = 0
  let halves = 0
  for (const value of Float64Array.from(positives).sort()) {
    while ((sorted[below] ?? Number.POSITIVE_INFINITY) < value) below++
    while ((sorted[notAbove] ?? Number.POSITIVE_INFINITY) <= value) notAbove++
    halves += below + notAbove
  }
  return halves / (2 * positives.length * negatives.length)
}
