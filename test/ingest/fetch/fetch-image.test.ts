import { describe, expect, it } from 'vitest'
import { fetchConfig } from '../../../src/ingest/fetch/fetch-config.js'
import { createFetcher } from '../../../src/ingest/fetch/fetch-image.js'
import type { RequesterParts } from '../../../src/ingest/fetch/requester.js'
import { imageServer } from '../../helpers/image-server.js'

let userAgent: string | undefined
let waited = 0
let first = 0
const { url, visits } = await imageServer({
  '/who.jpg': (request, response) => {
    userAgent = request.headers['user-agent']
    response.end('bytes')
  },
  '/patience.jpg': (_, response, visit) => {
    if (visit === 1) {
      first = performance.now()
      response.writeHead(503, { 'retry-after': '1' }).end()
    } else {
      waited = performance.now() - first
      response.end('bytes')
    }
  },
  '/exact.jpg': (_, response) => response.end(Buffer.alloc(1000)),
  '/over.jpg': (_, response) => response.end(Buffer.alloc(1001)),
  '/near.jpg': (_, response) => response.writeHead(301, { location: 'who.jpg' }).end(),
  '/endless-error.jpg': (_, response) => {
    response.writeHead(404)
    const fill = () => {
      while (response.write(Buffer.alloc(65536)));
    }
    response.on('drain', fill)
    fill()
  },
})

/** Fetches with a fetcher of its own, which may ask the servers of this test. */
const fetchWith = async (
  address: string,
  given: object = {},
  { signal, ...parts }: RequesterParts & { signal?: AbortSignal } = {},
) => {
  const fetch = { retries: 1, allow_hosts: ['127.0.0.1'], ...given }
  const fetcher = createFetcher(fetchConfig.parse(fetch), parts)
  try {
    return (await fetcher.fetch(address, signal)).bytes
  } finally {
    await fetcher.close()
  }
}

describe('a fetch', () => {
  it('says who asks', async () => {
    await fetchWith(`${url}/who.jpg`, { user_agent: 'tester/1 (a@b.example)' })
    expect(userAgent).toBe('tester/1 (a@b.example)')
  })

  it('waits as long as the server asks, not less', async () => {
    expect(Buffer.from(await fetchWith(`${url}/patience.jpg`)).toString()).toBe('bytes')
    expect(waited).toBeGreaterThanOrEqual(990)
  })

  it('takes as many bytes as it may and none more', async () => {
    expect(await fetchWith(`${url}/exact.jpg`, { max_bytes: 1000 })).toHaveLength(1000)
    await expect(fetchWith(`${url}/over.jpg`, { max_bytes: 1000 })).rejects.toMatchObject({
      reason: 'too_large',
    })
    expect(visits.get('/over.jpg')).toBe(1)
  })

  it('follows a relative redirect', async () => {
    expect(Buffer.from(await fetchWith(`${url}/near.jpg`)).toString()).toBe('bytes')
  })

  it('does not read on where an error has an endless page', async () => {
    await expect(fetchWith(`${url}/endless-error.jpg`)).rejects.toMatchObject({ reason: 'http_404' })
  })

  it.each([
    ['http://127.0.0.1:1/a.jpg', 'connection'],
    ['no address', 'bad_url'],
    ['http://', 'bad_url'],
    ['data:image/png;base64,AAAA', 'bad_url'],
  ])('of %s is rejected: %s', async (address, reason) => {
    const rejected = fetchWith(address, { retries: 0 })
    await expect(rejected).rejects.toMatchObject({ name: 'Reject', reason })
    await expect(rejected).rejects.toThrow(address)
  })

  it('ends when it is told to, also between two tries', async () => {
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error('enough')), 30)
    await expect(
      fetchWith('http://127.0.0.1:1/a.jpg', { retries: 50 }, { signal: abort.signal }),
    ).rejects.toThrow()
  })
})
