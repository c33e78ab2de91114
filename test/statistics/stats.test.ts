import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  amendStats,
  emptyStats,
  mergeStats,
  type ShardStats,
  statsBuilder,
  sumStats,
} from '../../src/statistics/stats.js'

const word = fc.constantFrom('dog', 'zebra', '__proto__', 'constructor', '1')
const edges = fc.constantFrom([1, 2, 3], [2], [2, 4], [], [0.5, 2])

/**
 * Statistics that a builder made: of one histogram, whose edges differ from part to part. Sums of quarters
 * are exact.
 */
const part: fc.Arbitrary<ShardStats> = fc
  .record({
    edges,
    events: fc.array(
      fc.tuple(
        word,
        fc.integer({ min: -4, max: 20 }).map((quarters) => quarters / 4),
      ),
      { maxLength: 8 },
    ),
  })
  .map(({ edges, events }) => {
    const builder = statsBuilder({ score: { edges } }, ['hosts'])
    for (const [name, value] of events) {
      builder.count(name)
      builder.tally('heads', name, 2)
      builder.observe('score', value)
    }
    return builder.build()
  })

const total = (counts: Readonly<Record<string, number>> | readonly number[] = {}) =>
  Object.values(counts).reduce((sum: number, count: number) => sum + count, 0)

describe('statistics', () => {
  it('add up alike in any order', () => {
    fc.assert(
      fc.property(part, part, part, (a, b, c) => {
        expect(mergeStats(a, b)).toEqual(mergeStats(b, a))
        expect(mergeStats(mergeStats(a, b), c)).toEqual(mergeStats(a, mergeStats(b, c)))
        expect(sumStats([a, b, c])).toEqual(mergeStats(mergeStats(a, b), c))
        expect(mergeStats(emptyStats, a)).toEqual(a)
        expect(JSON.stringify(mergeStats(a, b))).toBe(JSON.stringify(mergeStats(b, a)))
      }),
    )
  })

  it('lose nothing when they add up', () => {
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const sum = sumStats(parts)
        const events = parts.reduce((all, { counts }) => all + total(counts), 0)
        expect(total(sum.counts)).toBe(events)
        expect(total(sum.tallies.heads)).toBe(2 * events)
        if (parts.length > 0) expect(sum.tallies.hosts).toEqual({})
        expect(total(sum.histograms.score?.counts)).toBe(events)
      }),
    )
  })

  it('put a value into the bin between the edges around it', () => {
    const builder = statsBuilder({ h: { edges: [1, 2] }, none: { edges: [] } })
    for (const value of [0, 1, 1.5, 2, 7]) builder.observe('h', value)
    const moments = { sum: 11.5, squares: 56.25, min: 0, max: 7 }
    const nothing = { sum: 0, squares: 0, min: null, max: null }
    expect(builder.build().histograms).toEqual({
      h: { edges: [1, 2], counts: [1, 2, 2], moments },
      none: { edges: [], counts: [0], moments: nothing },
    })
  })

  it('of other edges add up over the edges that both have', () => {
    const a = { ...emptyStats, histograms: { h: { edges: [1, 2, 3], counts: [1, 10, 100, 1000] } } }
    const b = { ...emptyStats, histograms: { h: { edges: [0, 2, 5], counts: [2, 20, 200, 2000] } } }
    expect(mergeStats(a, b).histograms.h).toEqual({ edges: [2], counts: [33, 3300] })
  })

  it('of an older program have no moments, nor has their sum; later rows add only to what was recorded', () => {
    const builder = statsBuilder({ h: { edges: [1] }, other: { edges: [1] } }, ['hosts'])
    builder.observe('h', 2)
    builder.tally('hosts', 'example.org')
    builder.count('images')
    const later = builder.build()
    const made = { ...emptyStats, histograms: { h: { edges: [1], counts: [3, 4] } } }
    expect(mergeStats(made, later).histograms.h).toEqual({ edges: [1], counts: [3, 5] })
    expect(amendStats(made, later)).toEqual({
      counts: { images: 1 },
      histograms: { h: { edges: [1], counts: [3, 5] } },
      tallies: {},
    })
  })
})
