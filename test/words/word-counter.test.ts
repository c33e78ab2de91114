import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { wordCounter } from '../../src/words/word-counter.js'

/** Words of which the n-th is about 1 / n as often as the first. */
function drawn(count: number): string[] {
  const draw = random(3, 'words')
  return Array.from({ length: count }, () => `w${Math.floor(Math.exp(draw.next() * Math.log(50_000)))}`)
}

describe('a word counter', () => {
  const words = drawn(200_000)
  const exact = new Map<string, number>()
  for (const word of words) exact.set(word, (exact.get(word) ?? 0) + 1)

  it('counts exactly within its limit', () => {
    const counter = wordCounter(exact.size)
    for (const word of words) counter.add(word)
    expect(counter.more).toBe(0)
    expect(counter.counts).toEqual(exact)
  })

  it('holds no more words than its limit, and says by how much counts may be too low', () => {
    const counter = wordCounter(2000)
    let most = 0
    for (const word of words) {
      counter.add(word)
      most = Math.max(most, counter.counts.size)
    }
    expect(most).toBeLessThanOrEqual(2000)
    expect(counter.more).toBeGreaterThan(0)
    for (const [word, count] of exact) {
      const counted = counter.counts.get(word) ?? 0
      expect(counted).toBeLessThanOrEqual(count)
      expect(counted + counter.more).toBeGreaterThanOrEqual(count)
    }
    // The frequent ones stand in the order of their counts.
    const top = (counts: ReadonlyMap<string, number>) =>
      [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 50)
    expect(top(counter.counts)).toEqual(top(exact))
  })

  it('goes on where all words come once', () => {
    const counter = wordCounter(100)
    for (let index = 0; index < 10_000; index++) counter.add(`once ${index}`)
    expect(counter.counts.size).toBeLessThanOrEqual(100)
    counter.add('often', 1000)
    expect(counter.counts.get('often')).toBe(1000)
  })
})
