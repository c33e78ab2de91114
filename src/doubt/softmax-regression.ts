/** An example with how much it counts as one of each class. */
export interface WeighedExample {
  readonly features: readonly number[]
  /** By class, 0 and more; they need not add up to 1. */
  readonly weights: readonly number[]
}

/** Gives each class's probability. */
export type Classifier = (features: readonly number[]) => number[]

const rounds = 150
const momentum = 0.9
const penalty = 1e-4

/**
 * Multinomial logistic regression with a small L2 penalty, on features brought to mean 0 and deviation 1, by
 * gradient descent with Nesterov's momentum: a convex problem of a few dozen numbers, and always the same answer.
 */
export function softmaxRegression(examples: readonly WeighedExample[]): Classifier {
  const classes = examples[0]?.weights.length ?? 0
  const scale = standardiser(examples.map(({ features }) => features))
  const width = (examples[0]?.features.length ?? 0) + 1
  const x = new Float64Array(examples.length * width)
  const weights = new Float64Array(examples.length * classes)
  examples.forEach((example, row) => {
    x.set(scale(example.features), row * width)
    weights.set(example.weights, row * classes)
  })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const theta = new Float64Array(width * classes)
  const step = new Float64Array(width * classes)
  const gradient = new Float64Array(width * classes)
  const probabilities = new Float64Array(classes)
  // No second derivative of the loss is over a half, and the squares of a row's features add up to their number.
  const rate = 1 / (0.5 * width + penalty)
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < theta.length; at++) theta[at]! += momentum * step[at]!
    gradient.fill(0)
    for (let row = 0; row < examples.length; row++) {
      softmax(theta, x, row * width, width, probabilities)
      let own = 0
      for (let c = 0; c < classes; c++) own += weights[row * classes + c]!
      for (let c = 0; c < classes; c++) {
        const error = (own * probabilities[c]! - weights[row * classes + c]!) / total
        for (let at = 0; at < width; at++) gradient[c * width + at]! += error * x[row * width + at]!
      }
    }
    for (let at = 0; at < theta.length; at++) {
      const change = -rate * (gradient[at]! + penalty * theta[at]!)
      theta[at]! += change
      step[at] = momentum * step[at]! + change
    }
  }
  return (features) => {
    const answer = new Float64Array(classes)
    softmax(theta, Float64Array.from(scale(features)), 0, width, answer)
    return [...answer]
  }
}

/** Brings features to mean 0 and deviation 1, and adds a 1; one that never changes becomes 0. */
function standardiser(rows: readonly (readonly number[])[]): (features: readonly number[]) => number[] {
  const columns = (rows[0] ?? []).map((_, at) => rows.map((row) => row[at]!))
  const scales = columns.map((column) => {
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length
    return { mean, factor: variance > 1e-12 ? 1 / Math.sqrt(variance) : 0 }
  })
  return (features) => [...scales.map(({ mean, factor }, at) => (features[at]! - mean) * factor), 1]
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
