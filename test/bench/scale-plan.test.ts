import { describe, expect, it } from 'vitest'
import { type MeasuredRates, planRound } from '../../bench/scale/plan.js'
import { rates, ratesOf } from '../../bench/scale/rates.js'

const measured: MeasuredRates = {
  ...{ planning: 1e6, records: 1000, recordBytes: 20_000, markBytes: 60, shardNameBytes: 13 },
  ...{
    dedup: 1e-4,
    dedupGrowth: 2e-12,
    dedupBytes: 80,
    captions: 50_000,
    chunk: 1 / 2000,
    filter: 1 / 4000,
    regions: 3,
  },
  ...{ rowBytes: { images: 100, phrases: 60, proposals: 300 }, taskReads: 7, taskWrites: 3, cocoBytes: 200 },
}
const given = ratesOf([
  ...['shard size=5000', 'kept of a list=0.5', 'bytes of a picture=100000', 'prompts a picture=1'],
  ...['teacher on a GPU=4', 'seconds of a request=1', 'requests at once=1000', 'cores of a machine=10'],
])

describe('the plan of a round', () => {
  const plan = planRound({ pairs: 10e6, machines: 2, gpus: 5 }, given, measured)
  const hours = Object.fromEntries(plan.steps.map((step) => [step.name, step.hours]))

  it('counts shards, tasks and pictures', () => {
    expect([plan.shards, plan.tasks, plan.pictures]).toEqual([2000, 10_000, 5e6])
  })

  it('takes hours by the slowest of what a step needs', () => {
    // 10 M requests of 1 s, 2,000 at once; 5 M pictures at 130 a core second on 20 cores take less.
    expect(hours.crawl).toBeCloseTo(5000 / 3600)
    expect(plan.steps.find(({ name }) => name === 'crawl')?.limit).toContain('concurrency')
    expect(hours.teach).toBeCloseTo(5e6 / 4 / 5 / 3600)
    expect(hours.chunk).toBeCloseTo(5e6 / 2000 / 20 / 3600)
    // 0.1 ms a picture, and 2 ps for each of those that are known: 2.5 M on average.
    expect(hours.dedup).toBeCloseTo((500 + 5e6 * 2.5e6 * 2e-12) / 3600)
    expect(plan.first.name).toBe('teach')
    expect(plan.firstAlone.name).toBe('dedup')
  })

  it('does not let more machines help what one process does', () => {
    const more = planRound({ pairs: 10e6, machines: 200, gpus: 500 }, given, measured)
    expect(more.firstAlone).toEqual(plan.firstAlone)
    expect(more.steps.find(({ name }) => name === 'teach')?.hours).toBeCloseTo((hours.teach ?? 0) / 100)
  })

  it('adds storage up in the units that it names', () => {
    const { figures } = plan
    expect(figures['storage, pictures']?.value).toBeCloseTo(5e6 * 100_100e-12, 6)
    expect(figures['storage, all else']?.value).toBeCloseTo(5e6 * 360e-12, 6)
    expect(figures['GPU hours']?.value).toBeCloseTo(5e6 / 4 / 3600)
    expect(figures['memory, dedup']?.value).toBeCloseTo(0.4)
    expect(figures['dataset.json']?.value).toBeCloseTo(0.026)
    // A shard's pictures are 250 MB: 15 parts, and two calls more.
    expect(figures['requests, class A']?.value).toBe(10_000 * 3 + 2000 * (15 + 2) + 5 * 4)
  })

  it('refuses a rate that there is not', () => {
    expect(() => ratesOf(['nothing=1'])).toThrow('kept of a list')
    expect(() => ratesOf(['kept of a list=none'])).toThrow('positive')
    expect(Object.keys(rates).length).toBe(Object.keys(given).length)
  })
})
