/** Rows of features [n, d], row by row. */
export interface FeatureRows {
  readonly count: number
  readonly width: number
  readonly data: Float64Array
}

/** Predicts a class for each row. */
export type LinearProbe = (rows: FeatureRows) => number[]

/** Weight of the squared weights in the loss; constants are not weighed down. */
const decay = 0.01
/** The fit ends where no derivative of the loss is larger, or after so many steps. */
const tolerance = 1e-3
const mostSteps = 200

/**
 * Fits a multinomial logistic regression on features of mean 0 and deviation 1: what a linear map can read of
 * them (Alain and Bengio 2016). The loss is the mean cross entropy and `decay` / 2 times the squared weights.
 *
 * Each step is Newton's with a fixed bound in the place of the Hessian, X^T X / 2n + decay I for every class
 * (Böhning 1992), after Nesterov's momentum, which starts anew where it points uphill. Nothing is drawn:
 * equal rows give equal probes.
 *
 * @param labels of the rows, 0 to `classes` - 1
 */
export function fitLinearProbe(rows: FeatureRows, labels: readonly number[], classes: number): LinearProbe {
  const scale = columnScale(rows)
  const x = standardised(rows, scale)
  const factor = choleskyFactor(curvatureBound(x))
  let weights = new Float64Array(x.width * classes)
  let ahead = weights
  let momentum = 1
  for (let step = 0; step < mostSteps; step++) {
    const { gradient } = probeLoss(x, labels, classes, ahead)
    if (gradient.every((value) => Math.abs(value) < tolerance)) break
    const moved = solveColumns(factor, gradient, classes).map((value, at) => ahead[at]! - value)
    const uphill = gradient.reduce((sum, value, at) => sum + value * (moved[at]! - weights[at]!), 0) > 0
    const next = uphill ? 1 : (1 + Math.sqrt(1 + 4 * momentum ** 2)) / 2
    const share = uphill ? 0 : (momentum - 1) / next
    const before = weights
    weights = moved
    ahead = moved.map((value, at) => value + share * (value - before[at]!))
    momentum = next
  }
  const fitted = ahead
  return (asked) => {
    const scores = scoresOf(standardised(asked, scale), fitted, classes)
    return Array.from({ length: asked.count }, (_, row) =>
      largestAt(scores.subarray(row * classes, (row + 1) * classes)),
    )
  }
}

/** Where the largest value stands; of equal ones the first. */
export function largestAt(values: ArrayLike<number>): number {
  let best = 0
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at
  return best
}

/**
 * The loss of a probe and its derivatives.
 *
 * @param x the last column is the constant 1
 * @param weights [d, classes]
 */
export function probeLoss(
  x: FeatureRows,
  labels: readonly number[],
  classes: number,
  weights: Float64Array,
): { readonly loss: number; readonly gradient: Float64Array } {
  const { count, width, data } = x
  const penalised = (width - 1) * classes
  const gradient = weights.map((weight, at) => (at < penalised ? decay * weight : 0))
  let loss = 0
  for (let at = 0; at < penalised; at++) loss += (decay / 2) * weights[at]! ** 2
  const scores = scoresOf(x, weights, classes)
  for (let row = 0; row < count; row++) {
    const own = scores.subarray(row * classes, (row + 1) * classes)
    const label = labels[row]!
    const highest = own[largestAt(own)]!
    const ofLabel = own[label]! - highest
    let sum = 0
    for (let at = 0; at < classes; at++) {
      own[at] = Math.exp(own[at]! - highest)
      sum += own[at]!
    }
    loss += (Math.log(sum) - ofLabel) / count
    for (let at = 0; at < classes; at++) own[at] = (own[at]! / sum - (at === label ? 1 : 0)) / count
    for (let column = 0; column < width; column++) {
      const value = data[row * width + column]!
      const to = column * classes
      for (let at = 0; at < classes; at++) gradient[to + at]! += value * own[at]!
    }
  }
  return { loss, gradient }
}

/** X W [n, classes]. */
function scoresOf({ count, width, data }: FeatureRows, weights: Float64Array, classes: number): Float64Array {
  const scores = new Float64Array(count * classes)
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < width; column++) {
      const value = data[row * width + column]!
      const from = column * classes
      for (let at = 0; at < classes; at++) scores[row * classes + at]! += value * weights[from + at]!
    }
  }
  return scores
}

interface ColumnScale {
  readonly mean: Float64Array
  /** One over the deviation; 0 for a column that does not change, which says nothing. */
  readonly factor: Float64Array
}

function columnScale({ count, width, data }: FeatureRows): ColumnScale {
  const mean = new Float64Array(width)
  const squares = new Float64Array(width)
  for (let at = 0; at < data.length; at++) mean[at % width]! += data[at]! / count
  for (let at = 0; at < data.length; at++)
    squares[at % width]! += (data[at]! - mean[at % width]!) ** 2 / count
  return { mean, factor: squares.map((square) => (square > 1e-12 ? 1 / Math.sqrt(square) : 0)) }
}

/** Rows on that scale, with the constant 1 as a last column. */
function standardised({ count, width, data }: FeatureRows, { mean, factor }: ColumnScale): FeatureRows {
  const scaled = new Float64Array(count * (width + 1)).fill(1)
  for (let row = 0; row < count; row++)
    for (let at = 0; at < width; at++)
      scaled[row * (width + 1) + at] = (data[row * width + at]! - mean[at]!) * factor[at]!
  return { count, width: width + 1, data: scaled }
}

/** X^T X / 2n + decay I [d, d]: the constant too, which only makes its steps a little shorter. */
function curvatureBound({ count, width, data }: FeatureRows): Float64Array {
  const bound = new Float64Array(width * width)
  for (let row = 0; row < count; row++)
    for (let i = 0; i < width; i++) {
      const value = data[row * width + i]! / (2 * count)
      for (let j = 0; j <= i; j++) bound[i * width + j]! += value * data[row * width + j]!
    }
  for (let i = 0; i < width; i++) bound[i * width + i]! += decay
  return bound
}

/** The lower triangle L with L L^T = `matrix`, of which only the lower triangle is read. */
function choleskyFactor(matrix: Float64Array): Float64Array {
  const size = Math.sqrt(matrix.length)
  const factor = new Float64Array(matrix.length)
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i * size + j]!
      for (let k = 0; k < j; k++) rest -= factor[i * size + k]! * factor[j * size + k]!
      factor[i * size + j] = i === j ? Math.sqrt(rest) : rest / factor[j * size + j]!
    }
  return factor
}

/** (L L^T)^-1 B, B [d, columns]. */
function solveColumns(factor: Float64Array, right: Float64Array, columns: number): Float64Array {
  const size = Math.sqrt(factor.length)
  const solved = right.slice()
  const reduce = (i: number, k: number, by: number) => {
    for (let at = 0; at < columns; at++) solved[i * columns + at]! -= by * solved[k * columns + at]!
  }
  const divide = (i: number) => {
    for (let at = 0; at < columns; at++) solved[i * columns + at]! /= factor[i * size + i]!
  }
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) reduce(i, k, factor[i * size + k]!)
    divide(i)
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) reduce(i, k, factor[k * size + i]!)
    divide(i)
  }
  return solved
}
