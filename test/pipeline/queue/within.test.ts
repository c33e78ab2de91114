import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { within } from '../../../src/pipeline/queue/within.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function ends(work: Promise<unknown>) {
  let isOver = false
  const over = within(100, work).then(() => {
    isOver = true
  })
  return { over, isOver: () => isOver }
}

it('waits for work that ends, however it does, and no longer', async () => {
  for (const work of [async () => 7, () => Promise.reject(new Error('no'))]) {
    await ends(work()).over
    expect(vi.getTimerCount()).toBe(0)
  }
})

it('waits for work that does not end for the time given', async () => {
  const { isOver } = ends(new Promise(() => {}))
  await vi.advanceTimersByTimeAsync(99)
  expect(isOver()).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(isOver()).toBe(true)
})
