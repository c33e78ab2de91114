import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { summarise, type Tally, tallySum, topWords } from '../../src/statistics/tally.js'

const word = fc.oneof(fc.constantFrom('__proto__', 'constructor', '1'), fc.string({ maxLength: 2 }))
const words = fc.array(fc.tuple(word, fc.integer({ min: 1, max: 9 })), { maxLength: 30 })

const sum = (parts: readonly Tally[], limit?: number) => {
  const sum = tallySum(limit)
  for (const part of parts) sum.add(part)
  return sum.result()
}
const whole = (pairs: readonly (readonly [string, number])[]): Tally => ({ words: Object.fromEntries(pairs) })

describe('tallies', () => {
  it('are exact where nothing is cut, and bound every count where something is', () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 8 }), fc.integer({ min: 1, max: 6 }), (shards, limit) => {
        const parts = shards.map(whole)
        const truth = new Map<string, number>()
        for (const part of parts)
          for (const [word, count] of Object.entries(part.words))
            truth.set(word, (truth.get(word) ?? 0) + count)
        expect(new Map(Object.entries(sum(parts).words))).toEqual(truth)
        expect(sum(parts).tail).toBeUndefined()

        // Cut in each shard, and again in the sum.
        const cut = sum(
          parts.map((part) => sum([part], limit)),
          limit,
        )
        expect(Object.keys(cut.words).length).toBeLessThanOrEqual(limit)
        const more = cut.tail?.more ?? 0
        for (const [word, count] of truth) {
          const own = Object.hasOwn(cut.words, word) ? cut.words[word] : 0
          expect(own).toBeLessThanOrEqual(count)
          expect(own + more).toBeGreaterThanOrEqual(count)
        }
        // So few words are all sampled.
        const { total, different, once } = summarise(cut)
        const counts = [...truth.values()]
        expect({ total, different, once }).toEqual({
          total: counts.reduce((all, count) => all + count, 0),
          different: truth.size,
          once: counts.filter((count) => count === 1).length,
        })
      }),
    )
  })

  it('tell the length of a long tail over shards within a few hundredths', () => {
    // Of 60,000 words the first 20,000 come in every shard, the others once.
    const shards = Array.from({ length: 20 }, (_, shard) =>
      whole([
        ...Array.from({ length: 20_000 }, (_, at) => [`common ${at}`, at < 10 ? 100 : 1] as const),
        ...Array.from({ length: 2000 }, (_, at) => [`rare ${2000 * shard + at}`, 1] as const),
      ]),
    )
    const cut = sum(
      shards.map((shard) => sum([shard], 500)),
      500,
    )
    const { total, different, once, isEstimated } = summarise(cut)
    expect(isEstimated).toBe(true)
    expect(total).toBe(20 * (20_000 + 10 * 99 + 2000))
    expect(Math.abs(different / 60_000 - 1)).toBeLessThan(0.1)
    expect(Math.abs(once / 40_000 - 1)).toBeLessThan(0.1)
    expect(topWords(cut, 10).map(([word]) => word)).toEqual(
      Array.from({ length: 10 }, (_, at) => `common ${at}`),
    )
    expect(Object.keys(cut.tail?.sample ?? {}).length).toBeLessThanOrEqual(1024)
  })
})
