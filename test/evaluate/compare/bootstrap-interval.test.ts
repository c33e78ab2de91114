import { describe, expect, it } from 'vitest'
import { type BootstrapOptions, pairedBootstrap } from '../../../src/evaluate/compare/paired-bootstrap.js'
import { pictureMetric } from '../../../src/evaluate/compare/picture-metrics.js'
import { onlyPhrases } from '../../helpers/any-outcomes.js'

const images = 100
/** A model that finds what is in these pictures. */
const finds = (isFound: (image: number) => boolean) => {
  const image = [...Array(images).keys()]
  return pictureMetric(
    'recall1',
    onlyPhrases(images, { image, rank: image.map((at) => (isFound(at) ? 0 : -1)) }),
  )
}
const teacher = finds((at) => at < 40)
const student = finds((at) => at < 60)

function compare(options: Partial<BootstrapOptions> = {}, models = [student], base = teacher) {
  return pairedBootstrap(base, models, {
    images,
    level: 0.05,
    resamplings: 999,
    seed: 0,
    margin: 0,
    ...options,
  })
}

describe('the interval of a difference', () => {
  it('lies around it, as wide as the spread of the drawings asks', () => {
    const [{ difference, interval, differing }] = compare()
    expect(difference).toBeCloseTo(0.2, 12)
    expect(differing).toBe(20)
    // The deviation of 100 drawings of 0 or 1 with the mean 0.2 is 0.04; Student's t of 19 is 2.09.
    expect(Math.abs(interval![0] - (0.2 - 0.04 * 2.09))).toBeLessThan(0.02)
    expect(Math.abs(interval![1] - (0.2 + 0.04 * 2.09))).toBeLessThan(0.02)
    const [narrow] = compare({ level: 0.5 })
    expect(narrow.interval![0]).toBeGreaterThan(interval![0])
    expect(narrow.interval![1]).toBeLessThan(interval![1])
  })

  it('turns about 0 with the two models', () => {
    const [one] = compare()
    const [other] = compare({}, [teacher], student)
    expect(other.difference).toBe(-one.difference)
    other.interval!.forEach((end, at) => {
      expect(end).toBeCloseTo(-one.interval![1 - at], 12)
    })
  })

  it('is counted beyond the margin, the sign of which matters', () => {
    const aboveOf = (margin: number) => compare({ margin })[0].above
    expect(aboveOf(-0.2)).toBe(1)
    expect(Math.abs(aboveOf(0.2) - 0.5)).toBeLessThan(0.1)
    expect(aboveOf(0.4)).toBe(0)
    // What only equals the margin does not exceed it.
    expect(compare({ margin: 0 }, [teacher])[0].above).toBe(0)
  })

  it('is wider where several models are to hold together, and no wider for the same one twice', () => {
    const [alone] = compare()
    const [first, second] = compare({}, [student, student])
    expect(first).toEqual(alone)
    expect(second).toEqual(alone)
    const others = [student, finds((at) => at % 5 < 3), finds((at) => at >= 40), finds((at) => at % 3 > 0)]
    const [together] = compare({}, others)
    expect(together.difference).toBe(alone.difference)
    expect(together.interval![0]).toBeLessThan(alone.interval![0])
    expect(together.interval![1]).toBeGreaterThan(alone.interval![1])
  })

  it('takes just as many resamplings as the level needs', () => {
    expect(compare({ level: 0.05, resamplings: 39 })).toHaveLength(1)
    expect(() => compare({ level: 0.05, resamplings: 38 })).toThrow('39 resamplings at least, and 38')
  })

  it('is none of one picture that tells the models apart, and 0 of none', () => {
    const [one] = compare({}, [finds((at) => at < 41)])
    expect(one).toMatchObject({ differing: 1, interval: undefined })
    expect(compare({}, [teacher])[0]).toEqual({ difference: 0, interval: [0, 0], above: 0, differing: 0 })
  })
})
