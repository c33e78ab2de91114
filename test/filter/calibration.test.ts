import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import {
  calibrated,
  expectedCalibrationError,
  fitIsotonic,
  fitTemperature,
  type Judged,
  reliability,
} from '../../src/filter/rule/calibration.js'

const judgement = fc.record({
  score: fc.integer({ min: 0, max: 20 }).map((n) => n / 20),
  right: fc.boolean(),
})
const judgements = fc.array(judgement, { minLength: 1, maxLength: 40 })

/** Boxes whose true share right is `share(score)`. */
function draw(count: number, share: (score: number) => number): Judged[] {
  const stream = random(7, 'calibration')
  return Array.from({ length: count }, () => {
    const score = stream.next()
    return { score, right: stream.next() < share(score) }
  })
}
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const logit = (p: number) => Math.log(p / (1 - p))

describe('calibration', () => {
  it('rises with the score, within 0 to 1', () => {
    fc.assert(
      fc.property(judgements, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (judged, scores) => {
        for (const make of [fitIsotonic, fitTemperature]) {
          const map = make(judged)
          const values = scores.sort((a, b) => a - b).map((score) => calibrated(map, score))
          values.forEach((value, at) => {
            expect(value).toBeGreaterThanOrEqual(at === 0 ? 0 : values[at - 1])
            expect(value).toBeLessThanOrEqual(1)
          })
        }
      }),
    )
  })

  it('isotonic: no other rising steps are nearer in squares', () => {
    fc.assert(
      fc.property(
        judgements,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 21, maxLength: 21 }),
        (judged, other) => {
          const map = fitIsotonic(judged)
          const steps = other.sort((a, b) => a - b)
          const error = (of: (score: number) => number) =>
            judged.reduce((sum, { score, right }) => sum + (of(score) - (right ? 1 : 0)) ** 2, 0)
          const own = error((score) => calibrated(map, score))
          expect(own).toBeLessThanOrEqual(error((score) => steps[Math.round(score * 20)]) + 1e-9)
        },
      ),
    )
  })

  it('isotonic: is calibrated on what it was fitted on', () => {
    fc.assert(
      fc.property(judgements, (judged) => {
        const map = fitIsotonic(judged)
        const mapped = judged.map(({ score, right }) => ({ score: calibrated(map, score), right }))
        expect(expectedCalibrationError(mapped)).toBeLessThan(1e-9)
      }),
    )
  })

  it('temperature: finds what the scores were sharpened by', () => {
    for (const truth of [0.5, 1, 3]) {
      const judged = draw(20_000, (score) => sigmoid(logit(score) / truth))
      const map = fitTemperature(judged)
      expect(map).toMatchObject({ method: 'temperature', temperature: expect.closeTo(truth, 0) })
      expect(Math.abs((map as { temperature: number }).temperature / truth - 1)).toBeLessThan(0.05)
    }
  })

  it('lowers the error of a teacher that is too sure, on boxes it was not fitted on', () => {
    const judged = draw(8000, (score) => score ** 3)
    const [fitted, held] = [judged.slice(0, 4000), judged.slice(4000)]
    expect(expectedCalibrationError(held)).toBeGreaterThan(0.2)
    const map = fitIsotonic(fitted)
    const mapped = held.map(({ score, right }) => ({ score: calibrated(map, score), right }))
    expect(expectedCalibrationError(mapped)).toBeLessThan(0.04)
  })

  it('bins by equal width, the last with its upper limit', () => {
    const bins = reliability(
      [
        { score: 1, right: true },
        { score: 0.95, right: false },
        { score: 0, right: false },
      ],
      10,
    )
    expect(bins[9]).toEqual({ count: 2, score: 0.975, right: 0.5 })
    expect(bins[0]).toEqual({ count: 1, score: 0, right: 0 })
    expect(
      expectedCalibrationError([
        { score: 0.8, right: true },
        { score: 0.8, right: false },
      ]),
    ).toBeCloseTo(0.3, 12)
  })
})
