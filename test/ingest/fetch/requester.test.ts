import { getEventListeners } from 'node:events'
import { request } from 'undici'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { createAddressGuard } from '../../../src/ingest/fetch/address-guard.js'
import { fetchConfig } from '../../../src/ingest/fetch/fetch-config.js'
import { createFetcher } from '../../../src/ingest/fetch/fetch-image.js'
import { guardedAgent } from '../../../src/ingest/fetch/guarded-agent.js'
import { HostLimitError } from '../../../src/ingest/fetch/host-limiter.js'
import { localHostLimiter } from '../../../src/ingest/fetch/local-host-limiter.js'
import { Reject } from '../../../src/ingest/fetch/reject.js'
import {
  createRequester,
  type RequesterParts,
  type RequestOptions,
} from '../../../src/ingest/fetch/requester.js'
import { createResolver } from '../../../src/ingest/fetch/resolve-host.js'
import { Transient } from '../../../src/ingest/fetch/transient.js'
import { imageServer } from '../../helpers/image-server.js'

const accepted: string[] = []
const held: (() => void)[] = []
const { url, visits, visited } = await imageServer({
  ...Object.fromEntries(
    [299, 300, 301, 302, 303, 307, 308, 399, 400, 404].map((status) => [
      `/${status}`,
      (_, response) => response.writeHead(status, { location: '/end' }).end('here'),
    ]),
  ),
  '/end': (request, response) => {
    accepted.push(String(request.headers.accept))
    response.end('there')
  },
  '/304': (_, response) => response.writeHead(304).end(),
  '/nowhere': (_, response) => response.writeHead(302).end('here'),
  '/twice': (_, response) => response.writeHead(302, { location: '/302' }).end(),
  '/broken': (_, response) => response.writeHead(302, { location: 'http://' }).end(),
  '/letter': (_, response) =>
    response.writeHead(302, { location: Buffer.from('/ü').toString('latin1') }).end(),
  '/%C3%BC': (_, response) => response.end('letter'),
  '/silent': () => {},
  '/first': (_, response, visit) => {
    if (visit === 1) response.writeHead(502).end()
    else response.end('there')
  },
  '/later': (_, response) => {
    held.push(() => response.writeHead(503, { 'retry-after': '3600' }).end())
  },
  '/robots.txt': (request, response) => {
    accepted.push(String(request.headers.accept))
    response.writeHead(404).end()
  },
})
const port = Number(new URL(url).port)

afterEach(() => {
  vi.restoreAllMocks()
})
const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})

function requesterOf(given: object = {}, parts: RequesterParts = {}) {
  const config = fetchConfig.parse({ retries: 0, max_pause_ms: 1, allow_hosts: ['127.0.0.1'], ...given })
  const requester = createRequester(config, { limiter: localHostLimiter(), ...parts } as Parameters<
    typeof createRequester
  >[1])
  closing.push(() => requester.close())
  const get = (address: string, options: Partial<RequestOptions<string>> = {}) =>
    requester.get(address, {
      accept: 'text/*',
      signal: undefined,
      read: async (response, start) => {
        const text = await response.body.text()
        if (response.statusCode >= 500) throw requester.tryLater(start.href, response)
        return `${response.statusCode} ${text}`
      },
      ...options,
    })
  return { ...requester, get }
}
const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    (error: Reject) => error.reason,
  )

describe('an answer', () => {
  it.each([
    [299, '299 here'],
    [300, '200 there'],
    [301, '200 there'],
    [302, '200 there'],
    [303, '200 there'],
    [307, '200 there'],
    [308, '200 there'],
    [399, '200 there'],
    [400, '400 here'],
    [404, '404 here'],
    [304, '304 '],
    ['nowhere', '302 here'],
    ['letter', '200 letter'],
  ])('with a place to go to is followed there where its status is a redirect: %s', async (path, said) => {
    expect(await requesterOf().get(`${url}/${path}`)).toBe(said)
  })

  it('is followed as often as it may be, every hop asked for beforehand', async () => {
    const hops: string[] = []
    let from: string | undefined
    const { get } = requesterOf({ max_redirects: 2 })
    const said = get(`${url}/twice`, {
      before: async ({ pathname }) => void hops.push(pathname),
      read: async ({ body }, start) => {
        from = start.pathname
        return body.text()
      },
    })
    expect(await said).toBe('there')
    expect(hops).toEqual(['/twice', '/302', '/end'])
    expect(from).toBe('/twice')
    expect(accepted.at(-1)).toBe('text/*')
    const refused = requesterOf({ max_redirects: 1 }).get(`${url}/twice`)
    await expect(refused).rejects.toMatchObject({ reason: 'too_many_redirects' })
    await expect(refused).rejects.toThrow(`${url}/twice redirected more than 1 times`)
    expect(await requesterOf({ max_redirects: 0 }).get(`${url}/end`)).toBe('200 there')
    expect(await reasonOf(requesterOf().get(`${url}/broken`))).toBe('bad_url')
  })

  it('that may change has its host left alone for a pause that may be waited for', () => {
    const pauses: unknown[] = []
    const limiter = { ...localHostLimiter(), pause: (key: string, ms: number) => void pauses.push([key, ms]) }
    const { tryLater } = requesterOf({ max_pause_ms: 2000 }, { limiter })
    const later = (asked?: string) =>
      tryLater('http://a.example:81/a.jpg', {
        statusCode: 503,
        headers: asked === undefined ? {} : { 'retry-after': asked },
      })
    expect(later()).toBeInstanceOf(Transient)
    expect(later()).toMatchObject({ reason: 'http_503', message: 'http://a.example:81/a.jpg answered 503' })
    expect([later(), later('0'), later('soon')].map(({ retryAfter }) => retryAfter)).toEqual([
      ...[undefined, 0, undefined],
    ])
    expect(pauses).toEqual([])
    expect([later('1'), later('2'), later('3')].map(({ retryAfter }) => retryAfter)).toEqual([
      1000, 2000, 3000,
    ])
    expect(pauses).toEqual([
      ['host:a.example', 1000],
      ['host:a.example', 2000],
    ])
  })
})

describe('a request', () => {
  it.each<[{ code?: string; syscall?: string; name?: string }, string, boolean]>([
    [{ code: 'ENOTFOUND', syscall: 'queryA' }, 'no_such_host', false],
    [{ code: 'ENODATA' }, 'no_such_host', false],
    [{ code: 'ESERVFAIL', syscall: 'queryA' }, 'dns', true],
    [{ code: 'ETIMEOUT', syscall: 'queryA' }, 'dns', true],
    [{ code: 'EAI_AGAIN', syscall: 'getaddrinfo' }, 'dns', true],
    [{ code: 'ETIMEDOUT', syscall: 'connect' }, 'timeout', true],
    [{ code: 'ETIMEOUT' }, 'timeout', true],
    [{ code: 'UND_ERR_CONNECT_TIMEOUT' }, 'timeout', true],
    [{ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' }, 'timeout', true],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'tls', false],
    [{ code: 'CERT_HAS_EXPIRED' }, 'tls', false],
    [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'tls', false],
    [{ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }, 'tls', false],
    [{ code: 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR' }, 'connection', true],
    [{ code: 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING' }, 'connection', true],
    [{ code: 'UND_ERR_HEADERS_OVERFLOW' }, 'bad_response', false],
    [{ name: 'HTTPParserError', code: 'HPE_INVALID_CONSTANT' }, 'bad_response', false],
    [{ code: 'ECONNRESET', syscall: 'read' }, 'connection', true],
    [{}, 'connection', true],
  ])('that fails with %j is rejected: %s, may pass: %s', async (given, reason, mayPass) => {
    const lookup = async () => {
      throw Object.assign(new Error('so it is'), given)
    }
    const failed = requesterOf({}, { lookup }).get('http://a.example/a.jpg')
    await expect(failed).rejects.toMatchObject({ reason, message: 'http://a.example/a.jpg: so it is' })
    expect(await failed.catch((error) => error instanceof Transient)).toBe(mayPass)
  })

  it('says why it failed, where that stands in the cause or the code', async () => {
    const failing = (error: Error) =>
      requesterOf({}, { lookup: () => Promise.reject(error) }).get('http://a.example/a.jpg')
    const cause = new Error('the cause')
    await expect(failing(new Error('', { cause }))).rejects.toThrow('a.jpg: the cause')
    await expect(failing(Object.assign(new Error(''), { code: 'ECONNRESET' }))).rejects.toThrow(
      'a.jpg: ECONNRESET',
    )
  })

  it('is tried again as often as it may be, and for none but what may pass', async () => {
    const lookups = async (retries: number, code: string) => {
      const lookup = async () => {
        throw Object.assign(new Error(code), { code })
      }
      const requester = requesterOf({ retries, host_failures: 50 }, { lookup })
      await reasonOf(requester.get('http://a.example/a.jpg'))
      return requester.dns.lookups
    }
    expect(await lookups(0, 'ECONNRESET')).toBe(1)
    expect(await lookups(3, 'ECONNRESET')).toBe(4)
    expect(await lookups(3, 'CERT_HAS_EXPIRED')).toBe(1)
  })

  it('is not tried again where the name servers fail everybody', async () => {
    const lookup = async () => {
      throw Object.assign(new Error('queryA ESERVFAIL'), { code: 'ESERVFAIL', syscall: 'queryA' })
    }
    const { get, dns } = requesterOf({ retries: 1, host_failures: 1000 }, { lookup })
    for (let time = 0; time < 31; time++) await reasonOf(get('http://a.example/', { isPart: true }))
    expect(dns.lookups).toBe(31)
    expect(await reasonOf(get('http://a.example/'))).toBe('dns')
    expect(dns.lookups).toBe(32)
    // What has nothing to do with them is.
    let asked = 0
    const before = async () => {
      asked++
      throw new Transient('timeout', 'so it is')
    }
    expect(await reasonOf(get('http://b.example/', { before }))).toBe('timeout')
    expect(asked).toBe(2)
  })

  it('whose host is down meanwhile tells of what it answered, another that it was not asked', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const { get } = requesterOf({ retries: 1, max_pause_ms: 60, host_failures: 2 })
    const later = reasonOf(get(`${url}/later`))
    await visited('/later', visits.get('/later') ? 0 : 1)
    const first = reasonOf(get(`${url}/first`))
    await visited('/first', visits.get('/first') ? 0 : 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    held[0]?.()
    expect(await later).toBe('http_503')
    expect(await first).toBe('http_502')
    expect(await reasonOf(get(`${url}/end`))).toBe('host_down')
    expect(visits.get('/first')).toBe(1)
  })

  it('that takes too long has failed, and one that is ended has not', async () => {
    const { get } = requesterOf({ timeout_ms: 40 })
    const start = performance.now()
    await expect(get(`${url}/silent`)).rejects.toThrow(`${url}/silent took over 40 ms`)
    expect(performance.now() - start).toBeGreaterThan(38)
    const abort = new AbortController()
    const asked = visited('/silent')
    const ended = requesterOf().get(`${url}/silent`, { signal: abort.signal })
    await asked
    abort.abort(new Error('enough'))
    await expect(ended).rejects.toThrow('enough')
    const before = visits.get('/end')
    await expect(requesterOf().get(`${url}/end`, { signal: abort.signal })).rejects.toThrow('enough')
    expect(visits.get('/end')).toBe(before)
  })

  it('leaves no listener with its signal', async () => {
    const { signal } = new AbortController()
    const lookup = async () => ({ addresses: ['127.0.0.1'], ttl: 60 })
    const { get } = requesterOf({ allow_hosts: ['a.example'] }, { lookup })
    expect(await get(`http://a.example:${port}/302`, { signal })).toBe('200 there')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('is no failure of its host where there are no places, or it was ours', async () => {
    const limiter = { ...localHostLimiter(), acquire: () => Promise.reject(new HostLimitError('gone')) }
    const { get } = requesterOf({ retries: 3 }, { limiter })
    await expect(get(`${url}/end`)).rejects.toThrow(HostLimitError)
    const { get: other } = requesterOf()
    const refuse = async () => {
      throw new Reject('robots', 'forbidden')
    }
    expect(await reasonOf(other(`${url}/end`, { before: refuse }))).toBe('robots')
  })

  it('waits for places of its host and of its address, the narrower first', async () => {
    const keys: unknown[] = []
    const local = localHostLimiter()
    const limiter: typeof local = {
      ...local,
      acquire(key, limit, options) {
        keys.push([key, limit, options.holdMs])
        return local.acquire(key, limit, options)
      },
    }
    const lookup = async () => ({ addresses: ['127.0.0.1', '127.0.0.2'], ttl: 60 })
    const given = { per_host: 3, per_address: 5, timeout_ms: 4000, allow_hosts: ['a.example'] }
    await requesterOf(given, { limiter, lookup }).get(`http://a.example:${port}/end`)
    expect(keys).toEqual([
      ['host:a.example', 3, 4000],
      ['address:127.0.0.1', 5, 4000],
    ])
  })
})

describe('an agent', () => {
  it('connects to no private address that is written out, whoever asks it', async () => {
    const config = fetchConfig.parse({})
    const agentOf = (allow_hosts: string[]) => {
      const agent = guardedAgent(config, {
        guard: createAddressGuard({ allow_hosts, allow_ports: [] }),
        resolver: createResolver(config.dns),
      })
      closing.push(() => agent.destroy())
      return agent
    }
    const before = visits.get('/end') ?? 0
    await expect(request(`${url}/end`, { dispatcher: agentOf([]) })).rejects.toMatchObject({
      reason: 'forbidden_address',
    })
    expect(visits.get('/end') ?? 0).toBe(before)
    const { body } = await request(`${url}/end`, { dispatcher: agentOf([`127.0.0.1:${port}`]) })
    expect(await body.text()).toBe('there')
  })
})

describe('a fetcher', () => {
  it('says what it takes, of robots.txt another thing than of a picture', async () => {
    const fetcher = createFetcher(fetchConfig.parse({ retries: 0, allow_hosts: ['127.0.0.1'] }))
    accepted.length = 0
    await fetcher.fetch(`${url}/end`)
    expect(accepted).toEqual(['text/plain', 'image/*'])
    const asked = visited('/silent')
    const ended = reasonOf(fetcher.fetch(`${url}/silent`))
    await asked
    // What is under way ends with it.
    await fetcher.close()
    expect(await ended).toBe('connection')
  })
})
