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
    const hessian = Array.from({ length: size }, () => new Float64Array(size))
    features.forEach((row, at) => {
      const x = [1, ...row]
      const p = sigmoid(dot(beta, x))
      const residual = p - (right[at] ? 1 : 0)
      for (let i = 0; i < size; i++) {
        gradient[i]! += residual * x[i]!
        for (let j = 0; j < size; j++) hessian[i]![j]! += p * (1 - p) * x[i]! * x[j]!
      }
    })
    for (let i = 0; i < size; i++) {
      gradient[i]! += i === 0 ? 0 : ridge * beta[i]!
      hessian[i]![i]! += i === 0 ? 1e-9 : ridge
    }
    const change = solve(hessian, gradient)
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

/** Solves A x = b by elimination with the largest pivot of each column. */
function solve(a: readonly Float64Array[], b: Float64Array): number[] {
  const rows = a.map((row, at) => Float64Array.of(...row, b[at]!))
  const size = b.length
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let row = column + 1; row < size; row++)
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row
    ;[rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!]
    const top = rows[column]!
    if (top[column] === 0) continue
    for (let row = 0; row < size; row++) {
      if (row === column) continue
      const own = rows[row]!
      const share = own[column]! / top[column]!
      for (let at = column; at <= size; at++) own[at]! -= share * top[at]!
    }
  }
  return rows.map((row, at) => (row[at] === 0 ? 0 : row[size]! / row[at]!))
}
