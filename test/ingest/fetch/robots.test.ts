import { afterEach, describe, expect, it, vi } from 'vitest'
import { fetchConfig } from '../../../src/ingest/fetch/fetch-config.js'
import { localHostLimiter } from '../../../src/ingest/fetch/local-host-limiter.js'
import { Reject } from '../../../src/ingest/fetch/reject.js'
import { createRobots, type RobotsAnswer } from '../../../src/ingest/fetch/robots.js'
import { Transient } from '../../../src/ingest/fetch/transient.js'

afterEach(() => {
  vi.useRealTimers()
})

/** Robots whose server answers as a test says, what it was asked for, and the waits for Crawl-delay. */
function robotsOf(answer: () => RobotsAnswer, given: object = {}) {
  const asked: string[] = []
  const delays: [string, number][] = []
  const limiter = {
    ...localHostLimiter(),
    delay: async (key: string, ms: number) => void delays.push([key, ms]),
  }
  const robots = createRobots(fetchConfig.parse(given), limiter, async ({ href }) => {
    asked.push(href)
    return answer()
  })
  const check = (url: string, signal?: AbortSignal) =>
    robots.check(new URL(url), signal).then(
      () => 'asked for',
      (error: Error) => error,
    )
  return { check, asked, delays }
}
const throwing = (error: unknown) => () => {
  throw error
}
const page = 'http://a.example:8080/b/c.jpg?d'

describe('robots.txt', () => {
  it('is asked for once an origin and held against path and query', async () => {
    const { check, asked } = robotsOf(() => ({ status: 200, text: 'User-agent: *\nDisallow: /b/c.jpg?d' }))
    expect(await check(page)).toMatchObject({ reason: 'robots' })
    expect(await check('http://a.example:8080/b/c.jpg?e')).toBe('asked for')
    expect(await check('http://a.example:8080/b/c.jpg')).toBe('asked for')
    expect(asked).toEqual(['http://a.example:8080/robots.txt'])
    expect(await check('http://a.example/b/c.jpg?d')).toMatchObject({
      message: 'http://a.example/robots.txt forbids http://a.example/b/c.jpg?d',
    })
    expect(asked).toHaveLength(2)
  })

  it('keeps out what is not to be trained on, and gives the licences that it names', async () => {
    const text = 'License: /l.xml\nUser-agent: *\nContent-Usage: /b/ train-ai=n, search=n\n'
    const refused = await robotsOf(() => ({ status: 200, text })).check(page)
    expect(refused).toMatchObject({
      reason: 'opt_out_train_ai',
      message: `http://a.example:8080/robots.txt says train-ai: no of ${page}`,
    })
    const uses = (content_usage: string[]) => robotsOf(() => ({ status: 200, text }), { content_usage })
    expect(await uses(['search']).check(page)).toMatchObject({ reason: 'opt_out_search' })
    expect(await uses([]).check(page)).toBe('asked for')
    const robots = createRobots(fetchConfig.parse({}), localHostLimiter(), async () => ({
      status: 200,
      text,
    }))
    expect(await robots.check(new URL('http://a.example/'))).toEqual(['/l.xml'])
  })

  it.each([
    [200, 'robots'],
    [204, undefined],
    [404, undefined],
    [499, undefined],
    [500, 'robots_unreachable'],
    [501, 'robots_unreachable'],
  ])('with status %i: %s', async (status, reason) => {
    const { check } = robotsOf(() => ({ status, text: 'User-agent: *\nDisallow: /' }))
    const said = await check(page)
    if (reason === undefined) expect(said).toBe('asked for')
    else expect(said).toMatchObject({ reason })
    expect(said instanceof Transient).toBe(reason === 'robots_unreachable')
  })

  it.each([
    [new Transient('http_503', 'busy', 700), 'robots_unreachable', 700],
    [new Transient('http_429', 'too many', 700), 'http_429', 700],
    [new Transient('timeout', 'too long'), 'timeout', undefined],
    [new Reject('bad_encoding', 'zstd'), 'robots_unreachable', undefined],
    [new Reject('bad_response', 'no HTTP'), 'robots_unreachable', undefined],
  ])('that fails for the moment is asked for again: %s', async (error, reason, retryAfter) => {
    const { check, asked } = robotsOf(throwing(error))
    for (const _ of [1, 2]) {
      const said = (await check(page)) as Transient
      expect(said).toBeInstanceOf(Transient)
      expect(said.reason).toBe(reason)
      expect(said.retryAfter).toBe(retryAfter)
      expect(said.message).toBe(`${page}: ${error.message}`)
    }
    expect(asked).toHaveLength(2)
  })

  it('whose host may not be asked fails as the picture would, and is remembered for a minute', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { check, asked } = robotsOf(throwing(new Reject('forbidden_address', 'it is at 10.0.0.1')))
    const refused = { reason: 'forbidden_address', message: `${page}: it is at 10.0.0.1` }
    expect(await check(page)).toMatchObject(refused)
    expect(await check(page)).not.toBeInstanceOf(Transient)
    vi.setSystemTime(Date.now() + 59_999)
    expect(await check(page)).toMatchObject(refused)
    expect(asked).toHaveLength(1)
    vi.setSystemTime(Date.now() + 1)
    await check(page)
    expect(asked).toHaveLength(2)
  })

  it('is asked for again after a day', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { check, asked } = robotsOf(() => ({ status: 404, text: '' }))
    await check(page)
    vi.setSystemTime(Date.now() + 86_399_999)
    await check(page)
    expect(asked).toHaveLength(1)
    vi.setSystemTime(Date.now() + 1)
    await check(page)
    expect(asked).toHaveLength(2)
  })

  it('whose redirects have no end forbids nothing', async () => {
    const { check } = robotsOf(throwing(new Reject('too_many_redirects', 'round and round')))
    expect(await check(page)).toBe('asked for')
  })

  it('says nothing of the server where it was no answer', async () => {
    const fault = new TypeError('a fault of ours')
    expect(await robotsOf(throwing(fault)).check(page)).toBe(fault)
    const end = new Error('enough')
    const ended = robotsOf(throwing(new Transient('timeout', 'too long')))
    expect(await ended.check(page, AbortSignal.abort(end))).toBe(end)
  })

  it.each([
    ['0.5', 500],
    ['0', undefined],
    ['-1', undefined],
    ['86400', 3000],
    ['x', undefined],
  ])('with a Crawl-delay of %s has each page wait for its turn: %s ms', async (seconds, ms) => {
    const { check, delays } = robotsOf(
      () => ({ status: 200, text: `User-agent: *\nCrawl-delay: ${seconds}\nDisallow: /no` }),
      { max_crawl_delay_s: 3 },
    )
    expect(await check(page)).toBe('asked for')
    await check('http://a.example:8080/no')
    expect(delays).toEqual(ms === undefined ? [] : [['origin:http://a.example:8080', ms]])
  })
})
