/** The logistic function: the probability of a logit. */
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/**
 * The logarithm of the odds of a probability.
 *
 * @param least probabilities are clamped into `least` to 1 - `least`: at 0 and 1 the odds have no end
 */
export function logit(probability: number, least = 1e-6): number {
  const inside = Math.min(1 - least, Math.max(least, probability))
  return Math.log(inside / (1 - inside))
}
