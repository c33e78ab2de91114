import { cholesky } from '../../statistics/cholesky.js'
import { sigmoid } from '../../statistics/logistic.js'

/** A logistic regression: the probability is sigmoid(bias + weights . features). */
export interface Logistic {
  readonly weights: readonly number[]
  readonly bias: number
}

/** Keeps weights finite where the examples can be told apart without an error. */
const ridge = 1e-2
const mostSteps = 50

/**
 * Fits a logistic regression by Newton's method (iteratively reweighted least squares), with an L2 penalty of
 * `ridge` on each weight.
 *
 * @param features a row for each example, all of one length
 * @param right what each example is
 */
export function fitLogistic(features: readonly (readonly number[])[], right: readonly boolean[]): Logistic {
  const size = (features[0]?.length ?? 0) + 1
  const beta = new Float64Array(size)
  for (let step = 0; step < mostSteps; step++) {
    const gradient = new Float64Array(size)
    const hessian = new Float64Array(size * size)
    features.forEach((row, at) => {
      const x = [1, ...row]
      const p = sigmoid(dot(beta, x))
      const residual = p - (right[at] ? 1 : 0)
      for (let i = 0; i < size; i++) {
        gradient[i]! += residual * x[i]!
        for (let j = 0; j <= i; j++) hessian[i * size + j]! += p * (1 - p) * x[i]! * x[j]!
      }
    })
    for (let i = 0; i < size; i++) {
      gradient[i]! += i === 0 ? 0 : ridge * beta[i]!
      hessian[i * size + i]! += i === 0 ? 1e-9 : ridge
    }
    const change = gradient
    cholesky(hessian, size)(change)
    // Far from the optimum a whole step may overshoot.
    const longest = Math.max(...change.map(Math.abs))
    const scale = longest > 5 ? 5 / longest : 1
    for (let i = 0; i < size; i++) beta[i]! -= scale * change[i]!
    if (longest < 1e-8) break
  }
  return { bias: beta[0]!, weights: [...beta.subarray(1)] }
}

/** The probability of an example. */
export const logisticOf = ({ weights, bias }: Logistic, features: readonly number[]): number =>
  sigmoid(weights.reduce((sum, weight, at) => sum + weight * features[at]!, bias))

const dot = (a: ArrayLike<number>, b: readonly number[]) =>
  b.reduce((sum, value, at) => sum + a[at]! * value, 0)
