/** np.linspace(0, 1, 101), with its rounding. */
const recallThresholds = Array.from({ length: 101 }, (_, index) => (index === 100 ? 1 : index * 0.01))

/** np.spacing(1) */
export const epsilon = 2 ** -52

/**
 * Sum of the precisions at the 101 recall thresholds, as COCOeval.accumulate samples them: at each threshold
 * the best precision at that recall or a higher one, 0 where the recall is never reached.
 *
 * Precision rises at true positives only, so it is computed there alone.
 *
 * @param falsePositivesBefore for each true positive, best score first: how many false positives come before
 * it
 * @param truePositives how many there are
 * @param needed from `truePositivesNeeded`
 */
export function sumOfPrecisions(
  falsePositivesBefore: Int32Array,
  truePositives: number,
  needed: Int32Array,
  scratch: Float64Array,
): number {
  let best = 0
  for (let count = truePositives; count > 0; count--) {
    best = Math.max(best, count / (falsePositivesBefore[count - 1]! + count + epsilon))
    scratch[count - 1] = best
  }
  let sum = 0
  for (const count of needed) {
    if (count <= truePositives) sum += scratch[count - 1]!
  }
  return sum
}

/** How many true positives it takes, at least one, to reach each recall threshold. */
export function truePositivesNeeded(positives: number): Int32Array {
  let count = 0
  return Int32Array.from(recallThresholds, (threshold) => {
    while (count / positives < threshold) count++
    return Math.max(1, count)
  })
}

/** How many of the recall thresholds `count` true positives reach; none where there are none. */
export function thresholdsReached(count: number, positives: number): number {
  if (count === 0) return 0
  const recall = count / positives
  let reached = Math.min(recallThresholds.length, Math.floor(100 * recall) + 1)
  // The thresholds are rounded: the guess may be one off.
  while (reached > 0 && recallThresholds[reached - 1]! > recall) reached--
  while (reached < recallThresholds.length && recallThresholds[reached]! <= recall) reached++
  return reached
}

export const recallPoints = recallThresholds.length
