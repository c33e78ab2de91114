import { describe, expect, it } from 'vitest'
import { type FeatureRows, fitLinearProbe, largestAt, probeLoss } from '../../bench/linear-probe.js'
import { random } from '../../src/base/random.js'

/** Points round the centres of classes, each in turn, with noise of a deviation. */
function clouds(count: number, centres: readonly (readonly number[])[], noise: number, seed: number) {
  const draw = random(seed)
  const labels = Array.from({ length: count }, (_, row) => row % centres.length)
  const width = centres[0]!.length
  const data = Float64Array.from(
    labels.flatMap((label) => centres[label]!.map((at) => at + noise * draw.normal())),
  )
  return { rows: { count, width, data } as FeatureRows, labels }
}

const right = (predicted: readonly number[], labels: readonly number[]) =>
  predicted.filter((value, at) => value === labels[at]).length / labels.length

describe('a linear probe', () => {
  const centres = [
    [0, 0, 400],
    [6, 0, 400],
    [0, 6, 400],
    [6, 6, 400],
  ]

  it('tells apart what a line parts, whatever the scale of features and where one never changes', () => {
    const fitted = clouds(200, centres, 0.5, 1)
    const held = clouds(200, centres, 0.5, 2)
    const grown = (rows: FeatureRows): FeatureRows => ({
      ...rows,
      width: 3,
      data: rows.data.map((value, at) => (at % 3 === 0 ? 1e4 * value : at % 3 === 2 ? 7 : value)),
    })
    expect(right(fitLinearProbe(fitted.rows, fitted.labels, 4)(held.rows), held.labels)).toBe(1)
    const probe = fitLinearProbe(grown(fitted.rows), fitted.labels, 4)
    expect(right(probe(grown(held.rows)), held.labels)).toBe(1)
    expect(probe(grown(held.rows))).toEqual(
      fitLinearProbe(grown(fitted.rows), fitted.labels, 4)(grown(held.rows)),
    )
  })

  it('is at chance where labels are shuffled, and where no line parts the classes', () => {
    // Shuffled labels fit a noise of many features well, and say nothing of other rows: 0.25, deviation 0.01.
    const nowhere = Array.from({ length: 4 }, () => new Array(40).fill(0))
    const noise = clouds(100, nowhere, 1, 3)
    const shuffled = random(5).shuffle(noise.labels)
    const other = clouds(2000, nowhere, 1, 4)
    const ofNoise = fitLinearProbe(noise.rows, shuffled, 4)
    expect(right(ofNoise(noise.rows), shuffled)).toBeGreaterThan(0.8)
    expect(Math.abs(right(ofNoise(other.rows), other.labels) - 0.25)).toBeLessThan(0.04)
    // Exclusive or: opposite corners are of one class.
    const fitted = clouds(400, centres, 0.5, 3)
    const held = clouds(2000, centres, 0.5, 4)
    const crossed = (labels: readonly number[]) => labels.map((label) => (label === 0 || label === 3 ? 0 : 1))
    const probe = fitLinearProbe(fitted.rows, crossed(fitted.labels), 2)
    expect(right(probe(held.rows), crossed(held.labels))).toBeLessThan(0.8)
  })

  it('finds the Bayes classifier of two normal clouds', () => {
    // Centres two deviations apart: the best possible is Phi(1) = 0.8413.
    const two = [
      [-1, 0],
      [1, 0],
    ]
    const fitted = clouds(2000, two, 1, 6)
    const held = clouds(10_000, two, 1, 7)
    const accuracy = right(fitLinearProbe(fitted.rows, fitted.labels, 2)(held.rows), held.labels)
    expect(Math.abs(accuracy - 0.8413)).toBeLessThan(0.015)
  })

  it('has the derivatives that differences give', () => {
    const { rows, labels } = clouds(30, centres, 3, 8)
    const x = { ...rows, data: rows.data.map((value, at) => (at % 3 === 2 ? 1 : value)) }
    const draw = random(9)
    const weights = Float64Array.from({ length: 12 }, () => draw.normal())
    const { gradient } = probeLoss(x, labels, 4, weights)
    for (let at = 0; at < 12; at++) {
      const lossAt = (by: number) =>
        probeLoss(
          x,
          labels,
          4,
          weights.map((weight, index) => weight + (index === at ? by : 0)),
        ).loss
      expect(gradient[at]).toBeCloseTo((lossAt(1e-5) - lossAt(-1e-5)) / 2e-5, 7)
    }
    expect(largestAt([1, 3, 3])).toBe(1)
  })
})
