import { describe, expect, it } from 'vitest'
import { watchHealth } from '../../../src/ingest/fetch/crawl-health.js'

/** A watch over a list of so many rows, which has seen these fetches. */
function seen(rows: number, share: number, ...fetches: [number, string | undefined][]) {
  const health = watchHealth(rows, share)
  for (const [times, reason] of fetches) for (let time = 0; time < times; time++) health.add(reason)
  return health
}

describe('a crawl', () => {
  it.each([
    // Of a short list two hundred fetches are looked at, of a longer one half of its rows, up to two thousand.
    [10, 100],
    [400, 100],
    [401, 100.5],
    [1000, 250],
    [4000, 1000],
    [100_000, 1000],
  ])('of %i rows is in trouble where more than %d of its last fetches fail', (rows, most) => {
    const health = seen(rows, 0.5, [Math.floor(most), 'timeout'])
    expect(health.trouble).toBeUndefined()
    health.add('timeout')
    expect(health.trouble).toBe(
      `${Math.floor(most) + 1} of the last ${Math.floor(most) + 1} fetches failed (timeout ${Math.floor(most) + 1})`,
    )
  })

  it('names the three reasons that are most frequent', () => {
    const { trouble } = seen(
      10,
      0.5,
      ...([
        [10, 'http_503'],
        [30, undefined],
        [20, 'connection'],
        [5, 'dns'],
        [90, 'timeout'],
      ] as [number, string | undefined][]),
    )
    expect(trouble).toBe('125 of the last 155 fetches failed (timeout 90, connection 20, http_503 10)')
  })

  it('does not count what another time would not change', () => {
    expect(seen(10, 0, [300, 'http_404'], [300, undefined], [300, 'robots']).trouble).toBeUndefined()
    expect(seen(10, 0, [300, 'http_404'], [1, 'timeout']).trouble).toBe(
      '1 of the last 200 fetches failed (timeout 1)',
    )
  })

  it('is well again when its failures are so long ago that they are not looked at', () => {
    const health = seen(10, 0.5, [150, 'timeout'], [50, undefined])
    expect(health.trouble).toMatch(/^150 of the last 200/)
    for (let time = 0; time < 49; time++) health.add(undefined)
    expect(health.trouble).toMatch(/^101 of the last 200/)
    health.add(undefined)
    expect(health.trouble).toBeUndefined()
    // Around the window more than once, what goes out of it is still counted right.
    for (let time = 0; time < 1000; time++) health.add('dns')
    expect(health.trouble).toBe('200 of the last 200 fetches failed (dns 200)')
  })

  it('is never in trouble where all of its fetches may fail', () => {
    expect(seen(10, 1, [1000, 'timeout']).trouble).toBeUndefined()
  })

  it('begins anew when it is told to', () => {
    const health = seen(10, 0.5, [333, 'timeout'])
    health.reset()
    expect(health.trouble).toBeUndefined()
    for (let time = 0; time < 101; time++) health.add('dns')
    expect(health.trouble).toBe('101 of the last 101 fetches failed (dns 101)')
  })
})
