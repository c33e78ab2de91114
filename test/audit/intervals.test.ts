import { describe, expect, it } from 'vitest'
import { stratifiedRatio } from '../../src/audit/stratified-ratio.js'
import { random } from '../../src/base/random.js'
import { betaQuantile, studentQuantile } from '../../src/statistics/beta-quantile.js'
import { clusterRatio } from '../../src/statistics/cluster-ratio.js'
import { shareInterval } from '../../src/statistics/share-interval.js'

describe('quantiles', () => {
  it('are those of tables', () => {
    expect(studentQuantile(1)).toBeCloseTo(12.7062, 4)
    expect(studentQuantile(10)).toBeCloseTo(2.22814, 5)
    expect(studentQuantile(1000)).toBeCloseTo(1.96234, 5)
    expect(betaQuantile(0.5, 1, 1)).toBeCloseTo(0.5, 12)
    expect(betaQuantile(0.025, 5, 6)).toBeCloseTo(0.187086, 6)
  })

  it('are where sums of binomial probabilities say', () => {
    for (const [a, b] of [
      [20, 11],
      [1, 300],
      [3, 140],
    ] as const) {
      const x = betaQuantile(0.975, a, b)
      const n = a + b - 1
      let probability = (1 - x) ** n
      let below = 0
      for (let k = 0; k < a; k++) {
        below += probability
        probability *= ((n - k) / (k + 1)) * (x / (1 - x))
      }
      expect(1 - below).toBeCloseTo(0.975, 9)
    }
  })
})

describe('the interval of a share', () => {
  const independent = (share: number, units: number) =>
    shareInterval({
      share,
      variance: (share * (1 - share)) / units,
      units,
      independent: units,
      degrees: units - 1,
    })

  it('is that of Clopper and Pearson for independent units', () => {
    const [low, high] = independent(0.5, 10)
    expect(low).toBeCloseTo(0.1871, 4)
    expect(high).toBeCloseTo(0.8129, 4)
    const [least, most] = independent(1, 20)
    expect(least).toBeCloseTo(0.8316, 4)
    expect(most).toBe(1)
  })

  it('says nothing where nothing is known, and closes where all is', () => {
    expect(shareInterval({ share: 1, variance: 0, units: 3, independent: 1, degrees: 0 })).toEqual([0, 1])
    const all = { share: 0.4, variance: 0, units: 5, independent: Number.POSITIVE_INFINITY, degrees: 4 }
    expect(shareInterval(all)).toEqual([0.4, 0.4])
  })
})

/** How many of 300 samples give an interval that holds the truth. */
function holds(truth: number, sample: (seed: number) => readonly [number, number] | null): number {
  let held = 0
  for (let seed = 0; seed < 300; seed++) {
    const interval = sample(seed)
    if (interval && interval[0] <= truth + 1e-12 && truth <= interval[1] + 1e-12) held++
  }
  return held / 300
}

describe('shares of pictures that agree with themselves', () => {
  // All labels of a picture are right or all are wrong; pictures have 1 to 12.
  const clusters = (seed: number, pictures: number) => {
    const draw = random('clusters', seed)
    return Array.from({ length: pictures }, () => {
      const units = 1 + draw.integer(12)
      return { units, hits: draw.next() < 0.8 ? units : 0 }
    })
  }

  it('are held in 93 of 100 samples of pictures, where independent units would not do', () => {
    const byPicture = holds(0.8, (seed) => {
      const ratio = clusterRatio()
      for (const { units, hits } of clusters(seed, 40)) ratio.add(units, hits)
      return ratio.result().interval
    })
    expect(byPicture).toBeGreaterThanOrEqual(0.93)
    const byLabel = holds(0.8, (seed) => {
      const ratio = clusterRatio()
      for (const { units, hits } of clusters(seed, 40))
        for (let at = 0; at < units; at++) ratio.add(1, at < hits ? 1 : 0)
      return ratio.result().interval
    })
    expect(byLabel).toBeLessThan(0.8)
  })

  it('are held where they are near 1', () => {
    const near = holds(0.97, (seed) => {
      const draw = random('near', seed)
      const ratio = clusterRatio()
      for (let picture = 0; picture < 30; picture++) {
        const units = 1 + draw.integer(4)
        ratio.add(units, draw.next() < 0.97 ? units : 0)
      }
      return ratio.result().interval
    })
    expect(near).toBeGreaterThanOrEqual(0.93)
  })
})

describe('shares of a stratified sample', () => {
  const strata = [
    { stratum: 'a', population: 1000, right: 930, rows: 30 },
    { stratum: 'b', population: 200, right: 60, rows: 40 },
    { stratum: 'c', population: 30, right: 29, rows: 30 },
    { stratum: 'd', population: 70, right: 70, rows: 10 },
  ]
  const known = new Map(
    strata.map(({ stratum, population, rows }) => [stratum, { population, judged: rows }]),
  )
  const truth = strata.reduce((sum, { right }) => sum + right, 0) / 1300

  it('are held in 93 of 100 samples, and their mean is the truth', () => {
    let total = 0
    const held = holds(truth, (seed) => {
      const draw = random('strata', seed)
      const rows = strata.flatMap(({ stratum, population, right, rows: count }) =>
        draw
          .shuffle(Array.from({ length: population }, (_, at) => (at < right ? 1 : 0)))
          .slice(0, count)
          .map((hits) => ({ stratum, units: 1, hits })),
      )
      const { share, interval } = stratifiedRatio(rows, known)
      total += share ?? 0
      return interval
    })
    expect(held).toBeGreaterThanOrEqual(0.93)
    expect(total / 300).toBeCloseTo(truth, 2)
  })

  it('are known to the last digit where all are judged', () => {
    const all = new Map([['a', { population: 4, judged: 4 }]])
    const rows = [1, 0, 1, 1].map((hits) => ({ stratum: 'a', units: 1, hits }))
    expect(stratifiedRatio(rows, all)).toEqual({ share: 0.75, interval: [0.75, 0.75] })
    expect(stratifiedRatio([], all)).toEqual({ share: null, interval: null })
  })
})
