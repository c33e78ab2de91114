import { describe, expect, it } from 'vitest'
import { WeightedSemaphore } from '../../src/pictures/weighted-semaphore.js'

const soon = () => new Promise((resolve) => setImmediate(resolve))

describe('a weighted semaphore', () => {
  it('is never held above its capacity, and serves in order', async () => {
    const semaphore = new WeightedSemaphore(() => 10)
    const served: string[] = []
    const take = async (name: string, weight: number) => {
      const release = await semaphore.acquire(weight)
      served.push(name)
      return release
    }
    const first = await take('first', 4)
    const second = await take('second', 6)
    const heavy = take('heavy', 8)
    const light = take('light', 1)
    await soon()
    expect(served).toEqual(['first', 'second'])
    second()
    await soon()
    // There is room for the light one, which has come later.
    expect(served).toEqual(['first', 'second'])
    first()
    first()
    await Promise.all([heavy, light])
    expect(served).toEqual(['first', 'second', 'heavy', 'light'])
    const next = take('next', 2)
    await soon()
    expect(served).toHaveLength(4)
    ;(await light)()
    await next
  })

  it('lets what is heavier than it all alone, and follows a capacity that changes', async () => {
    let capacity = 10
    const semaphore = new WeightedSemaphore(() => capacity)
    const whole = await semaphore.acquire(99)
    let isServed = false
    const other = semaphore.acquire(1).then((release) => {
      isServed = true
      return release
    })
    await soon()
    expect(isServed).toBe(false)
    whole()
    await other
    capacity = 2
    await semaphore.acquire(1)
    let isThird = false
    void semaphore.acquire(1).then(() => {
      isThird = true
    })
    await soon()
    expect(isThird).toBe(false)
  })
})
