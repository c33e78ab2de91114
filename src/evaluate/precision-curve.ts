/** np.linspace(0, 1, 101), with its rounding. */
const recallThresholds = Array.from({ length: 101 }, (_, index) => (index === 100 ? 1 : index * 0.01))

/** np.spacing(1) */
const epsilon = 2 ** -52

/**
 * Sum of the precisions at the 101 recall thresholds, as COCOeval.accumulate samples them: at each threshold the best
 * precision at that recall or a higher one, 0 where the recall is never reached.
 *
 * Precision is highest where a detection was right, so only these places are kept.
 *
 * @param wrongBefore for each detection that was right, best score first: how many before it were wrong
 * @param right how many were right
 * @param needed from `rightNeeded`
 */
export function sumOfPrecisions(
  wrongBefore: Int32Array,
  right: number,
  needed: Int32Array,
  scratch: Float64Array,
): number {
  let best = 0
  for (let count = right; count > 0; count--) {
    best = Math.max(best, count / (wrongBefore[count - 1]! + count + epsilon))
    scratch[count - 1] = best
  }
  let sum = 0
  for (const count of needed) if (count <= right) sum += scratch[count - 1]!
  return sum
}

/** How many detections must be right, at least one, to reach each recall threshold. */
export function rightNeeded(positives: number): Int32Array {
  let count = 0
  return Int32Array.from(recallThresholds, (threshold) => {
    while (count / positives < threshold) count++
    return Math.max(1, count)
  })
}

export const recallPoints = recallThresholds.length
