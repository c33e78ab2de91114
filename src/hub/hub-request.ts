import { setTimeout as delay } from 'node:timers/promises'
import { EnvHttpProxyAgent, fetch, type RequestInit, type Response } from 'undici'
import { UserError } from '../base/user-error.js'
import {
  type HubPlace,
  HubUnreachable,
  notAHub,
  offlineError,
  refusalError,
  refusedElsewhere,
  unreachable,
} from './hub-error.js'
import type { HubSettings } from './hub-settings.js'

const tries = 5
/** Of a Hub that is not reached at all: its name is not known, or nobody listens. */
const triesToConnect = 3
const mostRedirects = 5
/** Longest that is waited because the Hub asks for it, in seconds; where it asks for more, that is said instead. */
const longestWait = 120
/** Until an answer begins, and between two parts of it, in milliseconds. */
const silence = 30_000
/** Of an answer that is read whole: a page of a list has some hundred kB. In bytes and milliseconds. */
const largestAnswer = 64 * 1024 * 1024
const longestAnswer = 300_000

// HTTPS_PROXY and NO_PROXY count, as for Python's tools.
const agent = new EnvHttpProxyAgent({
  connectTimeout: 10_000,
  headersTimeout: silence,
  bodyTimeout: silence,
})

export interface HubRequest {
  /** What is asked for, for messages. */
  readonly place: HubPlace
  readonly settings: HubSettings
  readonly signal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Statuses that are answers besides those of 200 to 299. */
  readonly answers?: readonly number[]
}

/** Seconds that an answer asks to wait for: a number or a date. */
export function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined
}

/** How long to wait before another try, in milliseconds. */
export const pauseBefore = (attempt: number): number => 250 * 2 ** attempt * (0.75 + Math.random() / 2)

/**
 * Asks the Hub, following redirects, and tries again what may pass: five times, with the waits that it asks for. The
 * token goes to the Hub's own address alone: large files lie elsewhere.
 *
 * @throws UserError where it refuses or may not be asked, HubUnreachable where it does not answer
 */
export const askHub = (url: string, init: RequestInit, request: HubRequest): Promise<Response> =>
  asked(url, init, request, async (response) => response)

/** @param take reads an answer, which is asked for again where its connection breaks off */
async function asked<T>(
  url: string,
  init: RequestInit,
  request: HubRequest,
  take: (response: Response) => Promise<T>,
): Promise<T> {
  const { place, settings, signal, answers = [] } = request
  if (settings.isOffline) throw offlineError(place, settings)
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    let failure: Error
    let wait = pauseBefore(attempt)
    let most = tries
    try {
      const response = await followed(url, init, request)
      if (response.ok || answers.includes(response.status)) return await take(response)
      const { status, headers } = response
      const said = { status, code: headers.get('x-error-code'), message: headers.get('x-error-message') }
      await response.body?.cancel()
      const { host, origin } = new URL(response.url)
      const isHub = origin === new URL(settings.endpoint).origin
      failure = isHub ? refusalError(said, place, settings) : refusedElsewhere(host, status, place, settings)
      if (!(failure instanceof HubUnreachable)) throw failure
      const asked = retryAfter(headers.get('retry-after'))
      if (asked !== undefined && asked > longestWait) throw failure
      if (asked !== undefined) wait = asked * 1000
    } catch (error) {
      signal?.throwIfAborted()
      // What undici throws is a TypeError with the reason as its cause.
      if (!(error instanceof TypeError)) throw error
      failure = unreachable(error, place, settings)
      if (!/ECONNRESET|EPIPE|UND_ERR_SOCKET|TIMEOUT/.test(codeOf(error.cause))) most = triesToConnect
    }
    if (attempt >= most) throw failure
    await delay(wait, undefined, { ...(signal && { signal }) })
  }
}

const codeOf = (error: unknown) => String((error as NodeJS.ErrnoException | undefined)?.code)

async function followed(url: string, init: RequestInit, { settings, signal, headers }: HubRequest) {
  const { origin } = new URL(settings.endpoint)
  let at = new URL(url)
  for (let hop = 0; ; hop++) {
    const isHub = at.origin === origin
    const all = {
      ...(init.headers as Record<string, string>),
      ...headers,
      'user-agent': 'groundmill',
      // Bytes are counted and resumed as they lie there.
      'accept-encoding': 'identity',
      ...(isHub && settings.token !== undefined && { authorization: `Bearer ${settings.token}` }),
    }
    const response = await fetch(at, {
      ...init,
      headers: all,
      redirect: 'manual',
      dispatcher: agent,
      ...(signal && { signal }),
    })
    const location = response.headers.get('location')
    if (location === null || ![301, 302, 303, 307, 308].includes(response.status)) return response
    await response.body?.cancel()
    if (hop === mostRedirects) throw new HubUnreachable(`${url} redirects without an end: check HF_ENDPOINT.`)
    at = redirected(location, at, url)
  }
}

/** Addresses of a cloud's own services on this machine (link-local): no file of a Hub lies there. */
const isOwnService = (hostname: string) =>
  /^169\.254\.|^\[fe[89ab][\da-f]:|^\[fd00:ec2::|^\[::ffff:a9fe:/i.test(hostname)

function redirected(location: string, at: URL, url: string): URL {
  const next = URL.canParse(location, at.href) ? new URL(location, at) : undefined
  const isAllowed =
    next !== undefined &&
    /^https?:$/.test(next.protocol) &&
    next.username + next.password === '' &&
    (!isOwnService(next.hostname) || next.hostname === at.hostname)
  if (isAllowed) return next
  throw new UserError(
    `${url} redirects to where no file of a Hub lies (${next ? `${next.protocol}//${next.host}` : 'no address'}): check HF_ENDPOINT and the proxy.`,
  )
}

/** As `askHub`, in the form in which @huggingface/hub takes a `fetch`: answers have come whole, and are of bounded size. */
export function hubFetch(request: HubRequest): typeof globalThis.fetch {
  return async (input, init) =>
    asked(
      String(input instanceof Request ? input.url : input),
      (init ?? {}) as unknown as RequestInit,
      request,
      async (response) => {
        const bytes = await bytesOf(response, request)
        const headers = new globalThis.Headers()
        // They are no longer packed as they came.
        for (const [name, value] of response.headers)
          if (!/^content-(encoding|length)$/.test(name)) headers.append(name, value)
        const { status, statusText } = response
        return new globalThis.Response(bytes.length > 0 ? bytes : null, { status, statusText, headers })
      },
    )
}

async function bytesOf(response: Response, { place, settings }: HubRequest): Promise<Buffer<ArrayBuffer>> {
  const start = performance.now()
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += (part as Uint8Array).length
    if (size > largestAnswer || performance.now() - start > longestAnswer)
      throw notAHub(place, settings, 'its answer has no end')
    parts.push(part as Uint8Array)
  }
  return Buffer.concat(parts)
}
