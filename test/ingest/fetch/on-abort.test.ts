import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { onAbort } from '../../../src/ingest/fetch/on-abort.js'

it('thousands wait with one listener, and each is called once', () => {
  const stopping = new AbortController()
  const { signal } = stopping
  const called: number[] = []
  const stays = Array.from({ length: 3 }, (_, index) => onAbort(signal, () => called.push(index)))
  expect(getEventListeners(signal, 'abort').length).toBe(1)
  stays[1]?.()
  stopping.abort()
  stopping.abort()
  expect(called).toEqual([0, 2])
  for (const stay of stays) stay()
  expect(called).toEqual([0, 2])
})

it('nothing is left with a signal that nobody waits with', () => {
  const { signal } = new AbortController()
  const same = () => {}
  const [first, second] = [onAbort(signal, same), onAbort(signal, same)]
  first()
  expect(getEventListeners(signal, 'abort').length).toBe(1)
  second()
  expect(getEventListeners(signal, 'abort')).toEqual([])
  onAbort(undefined, same)()
})
