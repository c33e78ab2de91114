import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { softmaxRegression } from '../../src/doubt/softmax-regression.js'

/** Examples of two normal distributions whose means are two deviations apart, with a feature that says nothing. */
const examples = () => {
  const draw = random(3)
  return Array.from({ length: 2000 }, (_, at) => ({
    features: [100 * ((at % 2) * 2 + draw.normal()), 7],
    weights: at % 2 === 0 ? [1, 0] : [0, 1],
  }))
}

describe('softmax regression', () => {
  it('gives the probability of each class, as Bayes has it', async () => {
    const classify = await softmaxRegression(examples())
    for (const value of [-1, 0, 1, 1.5, 3]) {
      const [, second] = classify([100 * value, 7])
      // The logarithm of the ratio of the densities is 2 * (value - 1).
      expect(Math.abs(second - 1 / (1 + Math.exp(-2 * (value - 1))))).toBeLessThan(0.03)
    }
  })

  it('counts an example as much as it weighs', async () => {
    const classify = await softmaxRegression(
      examples().map(({ features, weights: [first, second] }) => ({
        features,
        weights: [first, 3 * second],
      })),
    )
    const [first, second] = classify([100, 7])
    expect(second).toBeCloseTo(0.75, 1)
    expect(first + second).toBeCloseTo(1, 10)
  })

  it('tells what no feature tells alone: that two have the same sign', async () => {
    const draw = random(4)
    const drawn = Array.from({ length: 1000 }, () => [draw.normal(), draw.normal()])
    const classify = await softmaxRegression(
      drawn.map(([a, b]) => ({ features: [a, b], weights: a * b > 0 ? [1, 0] : [0, 1] })),
    )
    const rightly = drawn.filter(([a, b]) => classify([a, b])[0] > 0.5 === a * b > 0)
    expect(rightly.length).toBeGreaterThan(950)
  })

  it('says no more of a feature that is farther out than any was', async () => {
    const classify = await softmaxRegression(examples())
    expect(classify([1e9, 7])[1]).toBeGreaterThan(0.99)
    expect(classify([1e9, 7])[1]).toBe(classify([1e6, 7])[1])
    expect(classify([-1e9, 7])[0]).toBeGreaterThan(0.99)
  })
})
