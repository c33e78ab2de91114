/**
 * Quantiles of the beta distribution and of Student's t, by bisection of the regularised incomplete beta
 * function.
 */

/** Where the distribution function of Beta(a, b) reaches `share`, both in 0 to 1; a and b are over 0. */
export function betaQuantile(share: number, a: number, b: number): number {
  if (share <= 0) return 0
  if (share >= 1) return 1
  let low = 0
  let high = 1
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (incompleteBeta(middle, a, b) < share) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** The value that |t| exceeds with a probability of 5 %, for `degrees` of freedom, at least 1. */
export function studentQuantile(degrees: number): number {
  const known = students.get(degrees)
  if (known !== undefined) return known
  const x = betaQuantile(0.05, degrees / 2, 0.5)
  const t = Math.sqrt((degrees * (1 - x)) / x)
  if (students.size < 10_000) students.set(degrees, t)
  return t
}

const students = new Map<number, number>()

/**
 * I_x(a, b), the distribution function of Beta(a, b) at `x` in 0 to 1: the continued fraction of DLMF 8.17.22,
 * summed by the method of Lentz.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  // The fraction converges fast on this side of the mean alone.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a)
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  const tiny = 1e-300
  const away = (value: number) => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / away(1 - ((a + b) * x) / (a + 1))
  let fraction = d
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    fraction *= c * d
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    fraction *= c * d
    if (Math.abs(c * d - 1) < 1e-14) break
  }
  return (front * fraction) / a
}

/** Of the Lanczos approximation with g = 7. */
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** The logarithm of the gamma function of a number over 0. */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const [first = 0, ...rest] = lanczos
  const z = x - 1
  const sum = rest.reduce((total, coefficient, at) => total + coefficient / (z + at + 1), first)
  const t = z + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum)
}
