import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { fetchConfig } from '../../../src/ingest/fetch/fetch-config.js'
import { createFetcher, type Fetcher } from '../../../src/ingest/fetch/fetch-image.js'
import { isTransientReason } from '../../../src/ingest/fetch/transient.js'
import { imageServer, type Route } from '../../helpers/image-server.js'

/** The texts of robots.txt by host name; a number is a status. */
const robots: Readonly<Record<string, string | number | Buffer>> = {
  'open.example': 'User-agent: *\nDisallow: /private/\nAllow: /private/sign.jpg\n',
  'named.example': 'User-agent: groundmill\nDisallow: /\n\nUser-agent: *\nDisallow:\n',
  'others.example': 'User-agent: otherbot\nDisallow: /\n',
  'broken.example': 503,
  'moment.example': 503,
  'busy.example': 429,
  'forbidding.example': 403,
  'page.example': '<!doctype html><p>Disallow: everything',
  'slow.example': 'User-agent: *\nCrawl-delay: 0.2\n',
  'slower.example': 'User-agent: *\nCrawl-delay: 86400\n',
  // As an editor of Windows saves it.
  'wide.example': Buffer.from('\uFEFFUser-agent: *\nContent-Usage: train-ai=n\n', 'utf16le'),
  'vast.example': `User-agent: *\nDisallow: /a.jpg\n${'# filler\n'.repeat(100_000)}`,
}
let [underWay, most] = [0, 0]
const agents: string[] = []
const times: number[] = []
const asked: string[] = []
const slow: Route = (_, response) => {
  most = Math.max(most, ++underWay)
  setTimeout(() => {
    underWay--
    response.end('bytes')
  }, 20)
}
const tagged =
  (headers: Record<string, string | string[]>): Route =>
  (_, response) =>
    response.writeHead(200, headers).end('bytes')
const ok: Route = (request, response) => {
  times.push(performance.now())
  agents.push(String(request.headers['user-agent']))
  response.end('bytes')
}
const { url } = await imageServer({
  '/robots.txt': (request, response) => {
    const host = String(request.headers.host).split(':')[0]
    asked.push(host)
    const isOver = host === 'moment.example' && asked.filter((one) => one === host).length > 2
    const answer = isOver ? 404 : (robots[host] ?? 404)
    if (typeof answer === 'number') response.writeHead(answer).end()
    else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(answer))
  },
  '/a.jpg': ok,
  '/private/a.jpg': ok,
  '/private/sign.jpg': ok,
  '/to-named.jpg': (_, response) =>
    response.writeHead(302, { location: `http://named.example:${port}/a.jpg` }).end(),
  '/slow.jpg': slow,
  '/noai.jpg': tagged({ 'x-robots-tag': 'noai' }),
  '/noindex.jpg': tagged({ 'x-robots-tag': ['otherbot: nofollow', 'none'] }),
  '/mine.jpg': tagged({ 'x-robots-tag': 'groundmill: noimageai' }),
  '/theirs.jpg': tagged({ 'x-robots-tag': 'otherbot: noai, noindex' }),
  '/signal.jpg': tagged({ 'content-signal': 'search=yes, ai-train=no' }),
  '/folder/linked.jpg': tagged({ link: '<terms.xml>; rel="license"; type="application/rsl+xml"' }),
  '/to-linked.jpg': (_, response) =>
    response.writeHead(302, { location: `http://b.example:${port}/folder/linked.jpg` }).end(),
  '/folder/terms.xml': (_, response) =>
    response.end(
      Buffer.from(
        `\uFEFF<?xml version="1.0" encoding="UTF-16"?><rsl><content url="http://b.example:${port}/"><license><prohibits>all</prohibits></license></content></rsl>`,
        'utf16le',
      ),
    ),
  '/.well-known/tdmrep.json': (request, response) => {
    asked.push(String(request.url))
    response.end(
      '\uFEFF[{"location": "/theirs.jpg", "tdm-reservation": "1", "tdm-policy": "https://a.example/p"}, {"location": "/noai.jpg", "tdm-reservation": 2}, {"location": "*.jpg$", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]',
    )
  },
  '/unreserved.png': tagged({ 'tdm-reservation': '0' }),
  '/a.png': ok,
  '/reserved.jpg': tagged({ 'tdm-reservation': '1', 'tdm-policy': 'https://a.example/policy' }),
  '/wait.jpg': (_, response, visit) => {
    times.push(performance.now())
    if (visit === 1) response.writeHead(429, { 'retry-after': '1' }).end()
    else response.end('bytes')
  },
})
const port = Number(new URL(url).port)
const hosts = [...Object.keys(robots), 'a.example', 'b.example', 'plain.example']

async function withFetcher<T>(given: object, work: (fetcher: Fetcher) => Promise<T>): Promise<T> {
  const config = fetchConfig.parse({ retries: 0, allow_hosts: hosts, ...given })
  const fetcher = createFetcher(config, { lookup: async () => ({ addresses: ['127.0.0.1'], ttl: 60 }) })
  try {
    return await work(fetcher)
  } finally {
    await fetcher.close()
  }
}
const outcome = (host: string, path: string, given: object = {}) =>
  withFetcher(given, (fetcher) =>
    fetcher.fetch(`http://${host}:${port}${path}`).then(
      () => 'kept',
      (error: { reason: string }) => error.reason,
    ),
  )

describe('robots.txt', () => {
  it.each([
    ['open.example', '/a.jpg', 'kept'],
    ['open.example', '/private/a.jpg', 'robots'],
    ['open.example', '/private/sign.jpg', 'kept'],
    ['named.example', '/a.jpg', 'robots'],
    ['others.example', '/a.jpg', 'kept'],
    // RFC 9309: what is not there forbids nothing, a server in trouble everything.
    ['plain.example', '/a.jpg', 'kept'],
    ['forbidding.example', '/a.jpg', 'kept'],
    ['broken.example', '/a.jpg', 'robots_unreachable'],
    ['busy.example', '/a.jpg', 'http_429'],
    ['page.example', '/a.jpg', 'kept'],
    ['wide.example', '/a.jpg', 'opt_out_train_ai'],
    ['vast.example', '/a.jpg', 'robots'],
    ['plain.example', '/to-named.jpg', 'robots'],
  ])('of %s makes %s %s', async (host, path, reason) => {
    expect(await outcome(host, path)).toBe(reason)
  })

  it('that fails for a moment costs no picture, and one that goes on failing is asked for a few times', async () => {
    const before = asked.filter((host) => host === 'moment.example').length
    const reasons = (host: string, given: object) =>
      withFetcher(given, (fetcher) =>
        Promise.all(
          Array.from({ length: 40 }, () =>
            fetcher.fetch(`http://${host}:${port}/a.jpg`).then(
              () => 'kept',
              ({ reason }: { reason: string }) => reason,
            ),
          ),
        ),
      )
    expect(new Set(await reasons('moment.example', { retries: 2 }))).toEqual(new Set(['kept']))
    expect(asked.filter((host) => host === 'moment.example').length - before).toBeLessThan(6)
    asked.length = 0
    const failed = await reasons('broken.example', { retries: 1, host_failures: 4 })
    expect(failed.every(isTransientReason)).toBe(true)
    expect(asked.length).toBeLessThan(4)
  })

  it('is not asked for where it is switched off', async () => {
    asked.length = 0
    expect(await outcome('named.example', '/a.jpg', { robots: false })).toBe('kept')
    expect(asked).toEqual([])
  })

  it('names the crawler by what the user calls it', async () => {
    expect(await outcome('named.example', '/a.jpg', { user_agent: 'otherbot/2' })).toBe('kept')
    expect(await outcome('others.example', '/a.jpg', { user_agent: 'otherbot/2' })).toBe('robots')
  })

  it('is asked for once an origin', async () => {
    asked.length = 0
    await withFetcher({}, (fetcher) =>
      Promise.all(Array.from({ length: 9 }, () => fetcher.fetch(`http://open.example:${port}/a.jpg`))),
    )
    expect(asked).toEqual(['open.example'])
  })

  it('is waited for as long as its Crawl-delay says, up to a limit', async () => {
    const five = (host: string, given: object) =>
      withFetcher(given, async (fetcher) => {
        times.length = 0
        await Promise.all(Array.from({ length: 5 }, () => fetcher.fetch(`http://${host}:${port}/a.jpg`)))
        return (times.at(-1) as number) - times[0]
      })
    // Four gaps of 200 ms and of 100 ms; a busy machine may see the first request late.
    expect(await five('slow.example', {})).toBeGreaterThan(600)
    expect(await five('slower.example', { max_crawl_delay_s: 0.1 })).toBeGreaterThan(250)
  })
})

describe('a polite fetch', () => {
  it('says who asks and where to complain', async () => {
    await outcome('plain.example', '/a.jpg', { user_agent: 'tester/1', contact: 'mail@tester.example' })
    expect(agents.at(-1)).toBe('tester/1 (mail@tester.example)')
    await outcome('plain.example', '/a.jpg')
    expect(agents.at(-1)).toMatch(/^groundmill\/\d.*https:/)
  })

  it.each([
    ['/noai.jpg', 'opt_out_noai'],
    ['/noindex.jpg', 'opt_out_noindex'],
    ['/mine.jpg', 'opt_out_noimageai'],
    ['/theirs.jpg', 'kept'],
    ['/reserved.jpg', 'kept'],
  ])('keeps out what is opted out: %s is %s', async (path, reason) => {
    expect(await outcome('plain.example', path)).toBe(reason)
    expect(await outcome('plain.example', path, { opt_out: [] })).toBe('kept')
  })

  it('heeds a signal of a header, and the licence of the server that answers in the end', async () => {
    expect(await outcome('plain.example', '/signal.jpg')).toBe('opt_out_ai_train')
    expect(await outcome('plain.example', '/signal.jpg', { content_usage: [] })).toBe('kept')
    expect(await outcome('b.example', '/folder/linked.jpg')).toBe('license_required')
    // The licence of b.example says nothing of other servers.
    expect(await outcome('a.example', '/folder/linked.jpg')).toBe('kept')
    expect(await outcome('a.example', '/to-linked.jpg')).toBe('license_required')
  })

  it.each([
    ['/theirs.jpg', 'tdm_reserved'],
    ['/a.jpg', 'kept'],
    ['/a.png', 'tdm_reserved'],
    // A header counts for more.
    ['/unreserved.png', 'kept'],
  ])('that refuses what is reserved reads tdmrep.json: %s is %s', async (path, reason) => {
    expect(await outcome('plain.example', path, { tdm: 'refuse' })).toBe(reason)
    asked.length = 0
    expect(await outcome('plain.example', path)).toBe('kept')
    expect(asked).toEqual(['plain.example'])
  })

  it('tells of reserved rights, and refuses for them or not as it is told', async () => {
    const reserved = `http://plain.example:${port}/reserved.jpg`
    const tdm = { reserved: true, policy: 'https://a.example/policy' }
    expect(await withFetcher({}, (fetcher) => fetcher.fetch(reserved))).toMatchObject({ tdm })
    expect(await withFetcher({ tdm: 'ignore' }, (f) => f.fetch(reserved))).not.toHaveProperty('tdm')
    expect(await outcome('plain.example', '/reserved.jpg', { tdm: 'refuse' })).toBe('tdm_reserved')
  })

  it.each([
    [{ concurrency: 32, per_host: 3 }, ['a.example'], 3],
    [{ concurrency: 32, per_host: 3 }, ['a.example', 'b.example'], 6],
    [{ concurrency: 32, per_host: 8, per_address: 4 }, ['a.example', 'b.example'], 4],
    [{ concurrency: 5, per_host: 8 }, ['a.example', 'b.example'], 5],
  ])('with %j has so many requests under way to %j: %i', async (given, names, wanted) => {
    most = 0
    await withFetcher({ robots: false, ...given }, (fetcher) =>
      Promise.all(
        Array.from({ length: 24 }, (_, at) =>
          fetcher.fetch(`http://${names[at % names.length]}:${port}/slow.jpg`),
        ),
      ),
    )
    expect(most).toBe(wanted)
  })

  it('leaves a host alone that asks for a pause, also for its other pictures', async () => {
    await withFetcher({ retries: 1 }, async (fetcher) => {
      times.length = 0
      const first = fetcher.fetch(`http://plain.example:${port}/wait.jpg`)
      while (times.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      await new Promise((resolve) => setTimeout(resolve, 50))
      await Promise.all([first, fetcher.fetch(`http://plain.example:${port}/a.jpg`)])
      expect(times).toHaveLength(3)
      for (const time of times.slice(1)) expect(time - times[0]).toBeGreaterThan(900)
    })
  })
})
