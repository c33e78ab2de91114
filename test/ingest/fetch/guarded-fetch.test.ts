import { readFile } from 'node:fs/promises'
import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { fetchConfig } from '../../../src/ingest/fetch/fetch-config.js'
import { createFetcher } from '../../../src/ingest/fetch/fetch-image.js'
import type { RequesterParts } from '../../../src/ingest/fetch/requester.js'
import { imageServer } from '../../helpers/image-server.js'

const { url, visits, visited } = await imageServer({
  '/a.jpg': (_, response) => response.end('bytes'),
  '/silent.jpg': () => {},
  '/to-loopback.jpg': (_, response) => response.writeHead(302, { location: 'http://127.0.0.1/a.jpg' }).end(),
  '/to-octal.jpg': (_, response) =>
    response.writeHead(302, { location: `http://0177.0.0.1:${port}/a.jpg` }).end(),
  '/to-metadata.jpg': (_, response) =>
    response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/' }).end(),
  '/to-name.jpg': (_, response) =>
    response.writeHead(302, { location: `http://inside.example:${port}/a.jpg` }).end(),
  '/to-file.jpg': (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
})
const port = Number(new URL(url).port)
const publicAddress = '93.184.216.34'

/** What a fetcher says that knows these names and may ask any host on the port of the server. */
async function outcome(address: string, names: Record<string, string[]>, given: object = {}) {
  const left = Object.fromEntries(Object.entries(names).map(([name, answers]) => [name, [...answers]]))
  const parts: RequesterParts = {
    // Each answer once, the last one for ever; none is kept.
    lookup: async (host) => {
      const answers = left[host]
      if (!answers) throw Object.assign(new Error(`no ${host}`), { code: 'ENOTFOUND' })
      const answer = answers.length > 1 ? (answers.shift() as string) : answers[0]
      return { addresses: answer.split(' '), ttl: 0 }
    },
  }
  const fetch = { retries: 0, robots: false, allow_ports: [port], connect_timeout_ms: 500, ...given }
  const fetcher = createFetcher(fetchConfig.parse(fetch), parts)
  try {
    return Buffer.from((await fetcher.fetch(address)).bytes).toString()
  } catch (error) {
    return (error as { reason: string }).reason
  } finally {
    await fetcher.close()
  }
}

describe('a fetch', () => {
  it('of a name that is public when it is looked up and private when it is connected to is refused', async () => {
    const address = `http://rebind.example:${port}/a.jpg`
    const before = visits.get('/a.jpg') ?? 0
    expect(await outcome(address, { 'rebind.example': [publicAddress, '127.0.0.1'] })).toBe(
      'forbidden_address',
    )
    expect(await outcome(address, { 'rebind.example': [publicAddress, '::ffff:127.0.0.1'] })).toBe(
      'forbidden_address',
    )
    expect(visits.get('/a.jpg') ?? 0).toBe(before)
    // The same way leads to the server where it is allowed: it was the guard that closed it.
    const allowed = { allow_hosts: [`rebind.example:${port}`] }
    expect(await outcome(address, { 'rebind.example': [publicAddress, '127.0.0.1'] }, allowed)).toBe('bytes')
  })

  it('of a name with one private address among public ones is refused', async () => {
    const names = { 'both.example': [`${publicAddress} 127.0.0.1`] }
    expect(await outcome(`http://both.example:${port}/a.jpg`, names)).toBe('forbidden_address')
  })

  it.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
  ])('of %s is refused', async (host) => {
    const before = visits.get('/a.jpg') ?? 0
    expect(await outcome(`http://${host}:${port}/a.jpg`, {})).toBe('forbidden_address')
    expect(visits.get('/a.jpg') ?? 0).toBe(before)
  })

  it.each([
    ['to-loopback.jpg', 'forbidden_address'],
    ['to-octal.jpg', 'forbidden_address'],
    ['to-metadata.jpg', 'forbidden_address'],
    ['to-name.jpg', 'forbidden_address'],
    ['to-file.jpg', 'bad_url'],
  ])('is refused where a public server leads it elsewhere: %s', async (path, reason) => {
    const names = { 'public.example': ['127.0.0.1'], 'inside.example': ['10.0.0.7'] }
    const given = { allow_hosts: [`public.example:${port}`] }
    expect(await outcome(`http://public.example:${port}/${path}`, names, given)).toBe(reason)
  })

  it('of robots.txt is guarded as that of a picture', async () => {
    const names = { 'inside.example': ['10.0.0.7'] }
    expect(await outcome(`http://inside.example:${port}/a.jpg`, names, { robots: true })).toBe(
      'forbidden_address',
    )
  })

  it('of a host that does not exist says so, and of one whose name servers fail', async () => {
    expect(await outcome('http://nowhere.example/a.jpg', {})).toBe('no_such_host')
    const fetcher = createFetcher(fetchConfig.parse({ retries: 1 }), {
      lookup: async () => {
        throw Object.assign(new Error('queryA ESERVFAIL'), { code: 'ESERVFAIL', syscall: 'queryA' })
      },
    })
    await expect(fetcher.fetch('http://a.example/a.jpg')).rejects.toMatchObject({ reason: 'dns' })
    expect(fetcher.dns).toEqual({ lookups: 2, failures: 2 })
    await fetcher.close()
  })
})

describe('an interrupt', () => {
  it('can be listened for by any number of requests without a warning of node', async () => {
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const abort = new AbortController()
    const fetcher = createFetcher(
      fetchConfig.parse({ robots: false, per_host: 30, allow_hosts: ['127.0.0.1'] }),
    )
    const isAsked = visited('/silent.jpg')
    const fetched = Array.from({ length: 30 }, () => fetcher.fetch(`${url}/silent.jpg`, abort.signal))
    isAsked.then(() => abort.abort())
    const results = await Promise.allSettled(fetched)
    expect(results.map(({ status }) => status)).toEqual(Array(30).fill('rejected'))
    await fetcher.close()
    process.off('warning', note)
    expect(warnings).toEqual([])
  })

  it.each(['dns', 'server'])('ends a fetch at once that waits for its %s', async (what) => {
    const abort = new AbortController()
    let lookUp = () => {}
    const lookedUp = new Promise<void>((resolve) => {
      lookUp = resolve
    })
    // Longer than this test may take: nothing but the abort ends it.
    const [timeout_ms, headers_timeout_ms] = [900_000, 900_000]
    const options = { robots: false, allow_hosts: ['127.0.0.1'], timeout_ms, headers_timeout_ms }
    const fetcher = createFetcher(fetchConfig.parse(options), {
      lookup() {
        lookUp()
        return new Promise(() => {})
      },
    })
    const address = what === 'dns' ? 'http://silent.example/a.jpg' : `${url}/silent.jpg`
    const waits = what === 'dns' ? lookedUp : visited('/silent.jpg')
    const fetched = fetcher.fetch(address, abort.signal)
    waits.then(() => abort.abort(new Error('enough')))
    await expect(fetched).rejects.toThrow('enough')
    await fetcher.close()
  })
})

/** Sends a part of an answer and RST_STREAM, which node itself sends behind the end of what it has. */
function reset(stream: ServerHttp2Stream, code: number) {
  const symbol = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'kHandle')
  const handles = stream as unknown as Record<symbol, { rstStream(code: number): void }>
  stream.on('error', () => {})
  stream.respond({ ':status': 200 })
  stream.write('half', () => setTimeout(() => handles[symbol as symbol]?.rstStream(code), 20))
}

describe('a fetch over TLS', async () => {
  const folder = new URL('fixtures/', import.meta.url)
  const [key, cert] = await Promise.all(
    ['tls-key.pem', 'tls-cert.pem'].map((name) => readFile(new URL(name, folder), 'utf8')),
  )
  let resetCode: number | undefined
  let isEmpty = false
  const versions: string[] = []
  const sessions = new Set<unknown>()
  const server = createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
    versions.push(request.httpVersion)
    sessions.add(request.httpVersion === '2.0' ? request.stream.session : request.socket)
    if (resetCode !== undefined && request.httpVersion === '2.0') reset(request.stream, resetCode)
    else response.end(isEmpty ? '' : 'bytes')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => server.close())
  const address = `https://pictures.example:${(server.address() as AddressInfo).port}/a.jpg`
  const fetchAll = async (given: object, parts: RequesterParts) => {
    versions.length = 0
    sessions.clear()
    const fetcher = createFetcher(
      fetchConfig.parse({ retries: 0, robots: false, allow_hosts: ['pictures.example'], ...given }),
      { lookup: async () => ({ addresses: ['127.0.0.1'], ttl: 60 }), ...parts },
    )
    try {
      await fetcher.fetch(address)
      return await Promise.all(Array.from({ length: 5 }, () => fetcher.fetch(address)))
    } finally {
      await fetcher.close()
    }
  }

  it('speaks HTTP/2 over one connection with a server that does', async () => {
    expect(await fetchAll({}, { ca: cert })).toHaveLength(5)
    expect(versions).toEqual(Array(6).fill('2.0'))
    expect(sessions.size).toBe(1)
  })

  it('speaks HTTP/1.1 where it is told to', async () => {
    await fetchAll({ http2: false, per_host: 2 }, { ca: cert })
    expect(versions).toEqual(Array(6).fill('1.1'))
    expect(sessions.size).toBeGreaterThan(1)
    // Some are used again: they are kept alive.
    expect(sessions.size).toBeLessThan(6)
  })

  it.each([0, 2, 8])(
    'that is reset in the middle (code %i) has failed, and may come in another time',
    async (code) => {
      resetCode = code
      await expect(fetchAll({}, { ca: cert })).rejects.toMatchObject({ reason: 'connection' })
      resetCode = undefined
      expect(await fetchAll({}, { ca: cert })).toHaveLength(5)
    },
  )

  it('that ends with its headers is whole', async () => {
    isEmpty = true
    await expect(fetchAll({}, { ca: cert })).rejects.toMatchObject({ reason: 'empty_body' })
    isEmpty = false
  })

  it('is refused where the certificate is not trusted', async () => {
    await expect(fetchAll({}, {})).rejects.toMatchObject({ reason: 'tls' })
  })
})
