import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  isTransientReason,
  isTransientStatus,
  pauseAfter,
  retryAfter,
  Transient,
  transientCount,
} from '../../../src/ingest/fetch/transient.js'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('Retry-After', () => {
  const now = Date.UTC(2033, 0, 1)
  it.each<[string | string[] | undefined, number | undefined]>([
    [undefined, undefined],
    [['5'], undefined],
    ['', undefined],
    ['soon', undefined],
    ['-', undefined],
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5000],
    ['5\t', 5000],
    ['9'.repeat(400), undefined],
    ['Sat, 01 Jan 2033 00:00:07 GMT', 7000],
    ['Sat, 01 Jan 2033 00:00:00 GMT', 0],
    ['Fri, 31 Dec 2032 23:59:59 GMT', 0],
    // Ends as a number of seconds does.
    ['Sat Jan 01 2033 00:00:09 +0000', 9000],
    ['2033-01-01T00:00:03Z', 3000],
  ])('%j asks for %j ms', (header, pause) => {
    expect(retryAfter(header, now)).toBe(pause)
  })

  it('as a date is held against the clock', () => {
    const pause = retryAfter(new Date(Date.now() + 60_000).toUTCString())
    expect(pause).toBeGreaterThan(50_000)
    expect(pause).toBeLessThanOrEqual(60_000)
  })
})

describe('the pause before another try', () => {
  const failure = (asked?: number) => new Transient('http_503', 'busy', asked)

  it('is what the server asks for, up to a limit', () => {
    expect(pauseAfter(failure(0), 3, 1000)).toBe(0)
    expect(pauseAfter(failure(700), 0, 1000)).toBe(700)
    expect(pauseAfter(failure(1000), 0, 1000)).toBe(1000)
    expect(pauseAfter(failure(1001), 0, 1000)).toBeUndefined()
  })

  it('is drawn from a time that doubles, up to a limit', () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    expect([0, 1, 2, 3, 9].map((attempt) => pauseAfter(failure(), attempt, 3000))).toEqual([
      250, 500, 1000, 1500, 1500,
    ])
    random.mockReturnValue(0)
    expect(pauseAfter(failure(), 5, 3000)).toBe(0)
  })
})

describe('what may pass', () => {
  it.each([
    [200, false],
    [400, false],
    [404, false],
    [408, true],
    [410, false],
    [425, true],
    [429, true],
    [499, false],
    [500, true],
    [501, false],
    [502, true],
    [505, false],
    [506, false],
    [508, false],
    [510, false],
    [530, true],
    [599, true],
    [600, false],
  ])('of status %i: %s', (status, may) => {
    expect(isTransientStatus(status)).toBe(may)
    expect(isTransientReason(`http_${status}`)).toBe(may)
  })

  it.each([
    ...['connection', 'dns', 'timeout', 'robots_unreachable', 'host_down', 'not_tried', 'damaged'].map(
      (reason) => [reason, true] as const,
    ),
    ...['robots', 'too_large', 'no_such_host', '', 'http_', 'http_5030', 'xhttp_503', 'http_5x3'].map(
      (reason) => [reason, false] as const,
    ),
  ])('for the reason %j: %s', (reason, may) => {
    expect(isTransientReason(reason)).toBe(may)
  })

  it('is counted', () => {
    expect(transientCount({ timeout: 3, http_404: 5, http_503: 7 })).toBe(10)
    expect(transientCount({})).toBe(0)
  })
})
