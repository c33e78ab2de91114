import { expect, it } from 'vitest'
import { rateMeter } from '../../../src/pipeline/tasks/rate-meter.js'

it('gives units a second over the last minute, in bounded memory', () => {
  let now = 0
  const meter = rateMeter(() => now)
  expect(meter.rate()).toBe(0)
  for (; now <= 300_000; now += 10) meter.add('label', now / 100)
  expect(meter.rate()).toBeCloseTo(10, 1)
  // Twice as fast for two minutes: nothing is left of before.
  const before = now
  for (; now <= before + 120_000; now += 10) meter.add('label', before / 100 + (now - before) / 50)
  expect(meter.rate()).toBeCloseTo(20, 0)
})

it('forgets another stage, and a task that was begun again; what stands still grows slow', () => {
  let now = 0
  const meter = rateMeter(() => now)
  for (; now <= 10_000; now += 100) meter.add('chunk', now)
  for (; now <= 20_000; now += 100) meter.add('label', now / 100)
  expect(meter.rate()).toBeCloseTo(10, 0)
  meter.add('label', 5)
  now += 10_000
  meter.add('label', 15)
  expect(meter.rate()).toBeCloseTo(1, 1)
  now += 90_000
  expect(meter.rate()).toBeLessThan(0.11)
})
