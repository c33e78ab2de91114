import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { findFirst } from '../../src/base/find-first.js'
import { mapLimited } from '../../src/base/map-limited.js'

/** Work that says how many calls there were at once at most, and in all. */
function watched<T, R>(work: (item: T) => R) {
  const seen = { calls: 0, most: 0 }
  let now = 0
  const run = async (item: T): Promise<R> => {
    seen.calls++
    seen.most = Math.max(seen.most, ++now)
    await setTimeout(Math.random() * 3)
    now--
    return work(item)
  }
  return { seen, run }
}

const numbers = Array.from({ length: 100 }, (_, index) => index)

describe('mapping with a limit', () => {
  it('gives results in order, with no more calls at once', async () => {
    const { seen, run } = watched((index: number) => 2 * index)
    expect(await mapLimited(numbers, run, 7)).toEqual(numbers.map((index) => 2 * index))
    expect(seen).toEqual({ calls: 100, most: 7 })
  })

  it('fails with what failed, and begins no further calls', async () => {
    const { seen, run } = watched((index: number) => {
      if (index === 3) throw new Error('the third')
    })
    await expect(mapLimited(numbers, run, 2)).rejects.toThrow('the third')
    expect(seen.calls).toBeLessThan(20)
  })
})

describe('finding the first', () => {
  it('asks once where the first item has it', async () => {
    const { seen, run } = watched((index: number) => `of ${index}`)
    expect(await findFirst(numbers, run)).toBe('of 0')
    expect(seen.calls).toBe(1)
  })

  it('gives that of the first item in order, side by side up to the limit', async () => {
    const { seen, run } = watched((index: number) => (index >= 40 ? index : undefined))
    expect(await findFirst(numbers, run, 8)).toBe(40)
    expect(seen.most).toBe(8)
    expect(seen.calls).toBeLessThan(48)
  })

  it('gives undefined where none has it, after looking at each once', async () => {
    const looked: number[] = []
    const { run } = watched((index: number) => void looked.push(index))
    expect(await findFirst(numbers, run, 8)).toBeUndefined()
    expect(looked.toSorted((a, b) => a - b)).toEqual(numbers)
  })
})
