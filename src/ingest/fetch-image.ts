import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { IngestConfig } from './config.js'
import { Reject } from './reject.js'

export type FetchConfig = IngestConfig['fetch']

/** Fetches bytes; holds connections until it is closed. */
export interface Fetcher {
  /** Throws a Reject with the reason why there are none. */
  fetch(url: string, signal?: AbortSignal): Promise<Uint8Array>
  close(): Promise<void>
}

const maxRedirects = 5
/** Answers that another try may change. */
const transientStatus = new Set([408, 425, 429, 500, 502, 503, 504])
/** A server that asks for a longer pause is not waited for. */
const longestPause = 30_000

/** A fetcher with keep-alive connections, timeouts, a byte cap and retries with growing, jittered pauses. */
export function createFetcher(config: FetchConfig): Fetcher {
  // Connections to a host are as many as requests under way: one that waited for a connection would time out unsent.
  const agent = new Agent({
    connect: { timeout: config.timeout_ms },
    headersTimeout: config.timeout_ms,
    bodyTimeout: config.timeout_ms,
  })
  return {
    async fetch(url, signal) {
      for (let attempt = 0; ; attempt++) {
        try {
          return await fetchOnce(url, config, agent, signal)
        } catch (error) {
          signal?.throwIfAborted()
          const failure = asReject(error, url)
          const pause = failure instanceof Transient ? failure.pause(attempt) : undefined
          if (pause === undefined || attempt >= config.retries) throw failure
          await delay(pause, undefined, { signal })
        }
      }
    },
    close: () => agent.destroy(),
  }
}

/** A failure that may pass. */
class Transient extends Reject {
  constructor(
    reason: string,
    detail: string,
    private readonly retryAfter?: number,
  ) {
    super(reason, detail)
  }

  /** Milliseconds to wait before try `attempt` + 1, or undefined for none. */
  pause(attempt: number): number | undefined {
    if (this.retryAfter !== undefined) return this.retryAfter <= longestPause ? this.retryAfter : undefined
    return 200 * 2 ** attempt * (0.5 + Math.random())
  }
}

async function fetchOnce(
  start: string,
  config: FetchConfig,
  agent: Agent,
  outer?: AbortSignal,
): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(config.timeout_ms)
  const signal = outer ? AbortSignal.any([outer, timeout]) : timeout
  try {
    let url = parseUrl(start)
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const answer = await request(url, {
        dispatcher: agent,
        signal,
        headers: { 'user-agent': config.user_agent, accept: 'image/*' },
      })
      const { statusCode, headers, body } = answer
      const location = headers.location
      if (statusCode >= 300 && statusCode < 400 && typeof location === 'string') {
        await body.dump()
        url = parseUrl(location, url)
        continue
      }
      if (statusCode !== 200) {
        await body.dump()
        const detail = `${start} answered ${statusCode}`
        if (!transientStatus.has(statusCode)) throw new Reject(`http_${statusCode}`, detail)
        throw new Transient(`http_${statusCode}`, detail, retryAfter(headers['retry-after']))
      }
      return await readBody(body, start, config.max_bytes)
    }
    throw new Reject('too_many_redirects', `${start} redirected more than ${maxRedirects} times`)
  } catch (error) {
    if (timeout.aborted && !outer?.aborted && !(error instanceof Reject)) {
      throw new Transient('timeout', `${start} took over ${config.timeout_ms} ms`)
    }
    throw error
  }
}

function parseUrl(url: string, base?: URL): URL {
  const parsed = URL.canParse(url, base?.href) ? new URL(url, base?.href) : undefined
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return parsed
  throw new Reject('bad_url', `${url} is not an http or https address`)
}

async function readBody(body: AsyncIterable<Uint8Array>, url: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    // Leaving the loop destroys the stream, so no more is read.
    if (length > maxBytes) throw new Reject('too_large', `${url} has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  if (length === 0) throw new Reject('empty_body', `${url} answered no bytes`)
  return Buffer.concat(chunks)
}

/** Milliseconds that a Retry-After header asks for, in seconds or as a date. */
function retryAfter(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined
  const seconds = Number(header)
  const pause = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(pause) ? Math.max(0, pause) : undefined
}

function asReject(error: unknown, url: string): Reject {
  if (error instanceof Reject) return error
  const { code, message } = error as NodeJS.ErrnoException
  const detail = `${url}: ${message}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new Transient('dns', detail)
  if (code?.includes('TIMEOUT')) return new Transient('timeout', detail)
  return new Transient('connection', detail)
}
