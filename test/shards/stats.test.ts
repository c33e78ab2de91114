import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyStats, mergeStats, type ShardStats, statsBuilder, sumStats } from '../../src/shards/stats.js'

const word = fc.constantFrom('dog', 'zebra', '__proto__', 'constructor', '1')
const edges = fc.constantFrom([1, 2, 3], [2], [2, 4], [], [0.5, 2])

/** Statistics that a builder made: of one histogram, whose edges differ from part to part. */
const part: fc.Arbitrary<ShardStats> = fc
  .record({
    edges,
    events: fc.array(fc.tuple(word, fc.double({ min: -1, max: 5, noNaN: true })), { maxLength: 8 }),
  })
  .map(({ edges, events }) => {
    const builder = statsBuilder()
    for (const [name, value] of events) {
      builder.count(name)
      builder.tally('heads', name, 2)
      builder.observe('score', edges, value)
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
        expect(total(sum.histograms.score?.counts)).toBe(events)
      }),
    )
  })

  it('put a value into the bin between the edges around it', () => {
    const builder = statsBuilder()
    for (const value of [0, 1, 1.5, 2, 7]) builder.observe('h', [1, 2], value)
    expect(builder.build().histograms.h).toEqual({ edges: [1, 2], counts: [1, 2, 2] })
  })

  it('of other edges add up over the edges that both have', () => {
    const a = { ...emptyStats, histograms: { h: { edges: [1, 2, 3], counts: [1, 10, 100, 1000] } } }
    const b = { ...emptyStats, histograms: { h: { edges: [0, 2, 5], counts: [2, 20, 200, 2000] } } }
    expect(mergeStats(a, b).histograms.h).toEqual({ edges: [2], counts: [33, 3300] })
  })
})
