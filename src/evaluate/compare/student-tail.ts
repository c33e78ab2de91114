/** The share of Student's t distribution with `freedom` degrees of freedom that lies above `t`, t >= 0. */
export function studentTail(t: number, freedom: number): number {
  // Abramowitz and Stegun, 26.7.3 and 26.7.4: finite sums for whole degrees of freedom.
  const angle = Math.atan(t / Math.sqrt(freedom))
  const cosine2 = Math.cos(angle) ** 2
  const isOdd = freedom % 2 === 1
  let term = isOdd ? Math.cos(angle) : 1
  let sum = freedom === 1 ? 0 : term
  for (let at = isOdd ? 3 : 2; at <= freedom - 2; at += 2) {
    term *= (cosine2 * (at - 1)) / at
    sum += term
  }
  const within = isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum
  return (1 - within) / 2
}

/** The t, 0 or more, above which `share` of Student's distribution lies; `share` is at most 0.5. */
export function studentQuantile(share: number, freedom: number): number {
  return bisect((t) => studentTail(t, freedom) > share)
}

/** The share of the normal distribution that lies above `z`, z >= 0, to 1e-7 of itself. */
export function normalTail(z: number): number {
  // Numerical Recipes, section 6.2: erfc by Chebyshev fitting.
  const x = z / Math.SQRT2
  const t = 1 / (1 + x / 2)
  const fit = coefficients.reduceRight((sum, coefficient) => sum * t + coefficient, 0)
  return (t * Math.exp(-x * x + fit)) / 2
}

const coefficients = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
]

/** The largest t, 0 to 1e9, up to which the condition holds. */
function bisect(holds: (t: number) => boolean): number {
  let [low, high] = [0, 1e9]
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2
    if (holds(middle)) low = middle
    else high = middle
  }
  return low
}
