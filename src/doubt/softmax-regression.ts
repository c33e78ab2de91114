import { setImmediate } from 'node:timers/promises'
import { cholesky, type Solve } from '../statistics/cholesky.js'

/** An example with how much it counts as one of each class. */
export interface WeighedExample {
  readonly features: readonly number[]
  /** By class, 0 and more; they need not add up to 1. */
  readonly weights: readonly number[]
}

/** Gives each class's probability. */
export type Classifier = (features: readonly number[]) => number[]

const rounds = 60
const momentum = 0.9
/** Half of it times the square of a feature's weight is its penalty. */
const penalty = 1e-4
/**
 * The same of a product, as much as an example counts: of few examples a hundred products tell each from all others, also
 * what is wrong there from what is made wrong.
 */
const productPrior = 30
/** Deviations from the mean beyond which a feature says no more: its square would say far too much. */
const farthest = 4

/**
 * Multinomial logistic regression on features, their squares and the products of any two of them, with an L2
 * penalty: a convex problem of some hundred numbers, and always the same answer. Features are brought to mean 0 and
 * deviation 1 first.
 *
 * Steps are those of the bound of Böhning (1992) on the second derivative, which is the same in every round, with
 * Nesterov's momentum: features that say nearly the same take no longer than others. Between rounds others have a turn.
 *
 * @throws the signal's reason once it is aborted
 */
export async function softmaxRegression(
  examples: readonly WeighedExample[],
  signal?: AbortSignal,
): Promise<Classifier> {
  const classes = examples[0]?.weights.length ?? 0
  const scale = standardiser(examples.map(({ features }) => features))
  const terms = (features: readonly number[]) => withProducts(scale(features))
  const rows = examples.map(({ features }) => terms(features))
  const width = rows[0]?.length ?? 0
  const x = new Float64Array(rows.length * width)
  for (const [at, row] of rows.entries()) x.set(row, at * width)
  const totals = examples.map(({ weights }) => weights.reduce((sum, weight) => sum + weight, 0))
  const total = totals.reduce((sum, weight) => sum + weight, 0)
  const alone = 1 + (examples[0]?.features.length ?? 0)
  const ofProduct = Math.max(penalty, productPrior / Math.max(1, examples.length))
  const penalties = Float64Array.from({ length: width }, (_, at) => (at < alone ? penalty : ofProduct))
  const bounded = boundOf(x, { totals, total, penalties })
  const theta = new Float64Array(width * classes)
  const step = new Float64Array(width * classes)
  const gradient = new Float64Array(width * classes)
  const probabilities = new Float64Array(classes)
  for (let round = 0; round < rounds; round++) {
    await setImmediate()
    signal?.throwIfAborted()
    for (let at = 0; at < theta.length; at++) theta[at]! += momentum * step[at]!
    for (let at = 0; at < theta.length; at++) gradient[at] = penalties[at % width]! * theta[at]!
    for (let row = 0; row < examples.length; row++) {
      softmax(theta, x, row * width, width, probabilities)
      const { weights } = examples[row]!
      for (let c = 0; c < classes; c++) {
        const error = (totals[row]! * probabilities[c]! - weights[c]!) / total
        for (let at = 0; at < width; at++) gradient[c * width + at]! += error * x[row * width + at]!
      }
    }
    for (let c = 0; c < classes; c++) bounded(gradient.subarray(c * width, (c + 1) * width))
    for (let at = 0; at < theta.length; at++) {
      theta[at]! -= gradient[at]!
      step[at] = momentum * step[at]! - gradient[at]!
    }
  }
  return (features) => {
    const answer = new Float64Array(classes)
    softmax(theta, Float64Array.from(terms(features)), 0, width, answer)
    return [...answer]
  }
}

/** Brings features to mean 0 and deviation 1, none farther out than it may be; one that never changes becomes 0. */
function standardiser(rows: readonly (readonly number[])[]): (features: readonly number[]) => number[] {
  const columns = (rows[0] ?? []).map((_, at) => rows.map((row) => row[at]!))
  const scales = columns.map((column) => {
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length
    return { mean, factor: variance > 1e-12 ? 1 / Math.sqrt(variance) : 0 }
  })
  return (features) =>
    scales.map(({ mean, factor }, at) =>
      Math.max(-farthest, Math.min(farthest, (features[at]! - mean) * factor)),
    )
}

/** A 1, the features, and the products of any two of them. */
function withProducts(features: readonly number[]): number[] {
  const products = features.flatMap((one, at) => features.slice(at).map((other) => one * other))
  return [1, ...features, ...products]
}

/** Solves by half the mean of the rows' outer products: no second derivative of a class's loss is over that. */
function boundOf(
  x: Float64Array,
  {
    totals,
    total,
    penalties,
  }: { readonly totals: readonly number[]; readonly total: number; readonly penalties: Float64Array },
): Solve {
  const width = penalties.length
  const matrix = new Float64Array(width * width)
  totals.forEach((weight, row) => {
    const from = row * width
    for (let i = 0; i < width; i++) {
      const value = (0.5 * weight * x[from + i]!) / total
      for (let j = 0; j <= i; j++) matrix[i * width + j]! += value * x[from + j]!
    }
  })
  for (let i = 0; i < width; i++) matrix[i * width + i]! += penalties[i]!
  return cholesky(matrix, width)
}

/** The classes' probabilities for the row of `x` that begins at `start`. */
function softmax(
  theta: Float64Array,
  x: Float64Array,
  start: number,
  width: number,
  out: Float64Array,
): void {
  let most = Number.NEGATIVE_INFINITY
  for (let c = 0; c < out.length; c++) {
    let logit = 0
    for (let at = 0; at < width; at++) logit += theta[c * width + at]! * x[start + at]!
    out[c] = logit
    most = Math.max(most, logit)
  }
  let sum = 0
  for (let c = 0; c < out.length; c++) {
    out[c] = Math.exp(out[c]! - most)
    sum += out[c]!
  }
  for (let c = 0; c < out.length; c++) out[c]! /= sum
}
