import { random } from '../../src/base/random.js'

/** What a server does with an address, and what must become of its row. */
interface Kind {
  /** Of a thousand rows. */
  readonly share: number
  /** Reasons of which the row must have one in the end; none where its picture must be kept. */
  readonly reasons: readonly string[]
}

/**
 * How servers misbehave. What says `once` does so at the first request for an address and gives the picture
 * then.
 */
export const kinds = {
  good: { share: 783, reasons: [] },
  slowly: { share: 10, reasons: [] },
  busyOnce: { share: 30, reasons: [] },
  resetOnce: { share: 20, reasons: [] },
  cutOnce: { share: 10, reasons: [] },
  moved: { share: 30, reasons: [] },
  busy: { share: 4, reasons: ['http_503'] },
  reset: { share: 4, reasons: ['connection'] },
  cut: { share: 4, reasons: ['truncated', 'connection'] },
  drip: { share: 0.5, reasons: ['timeout'] },
  noHttp: { share: 2, reasons: ['bad_response'] },
  circle: { share: 4, reasons: ['too_many_redirects'] },
  inward: { share: 5, reasons: ['forbidden_address'] },
  gone: { share: 40, reasons: ['http_404'] },
  forbidden: { share: 10, reasons: ['http_403'] },
  html: { share: 15, reasons: ['not_image'] },
  empty: { share: 4, reasons: ['empty_body'] },
  halfPicture: { share: 8, reasons: ['truncated'] },
  bomb: { share: 1, reasons: ['too_large'] },
  endless: { share: 0.5, reasons: ['too_large'] },
  huge: { share: 3, reasons: ['too_many_pixels'] },
  optOut: { share: 5, reasons: ['opt_out_noai'] },
  disallowed: { share: 7, reasons: ['robots'] },
} satisfies Readonly<Record<string, Kind>>

export type KindName = keyof typeof kinds

/** Hosts that are bad as a whole, and what becomes of every row of theirs. */
export const badHosts = {
  /** Nothing listens there. */
  dead: { reasons: ['connection', 'host_down'] },
  /** Its robots.txt comes a byte at a time. */
  slowRobots: { reasons: ['timeout', 'robots_unreachable', 'host_down'] },
  /** Its robots.txt fails at first, and is there later. */
  laterRobots: { reasons: [] },
  /** HTTP/2 that gives pictures. */
  http2: { reasons: [] },
  /** HTTP/2 that ends the stream of a body with RST_STREAM at the first request for it. */
  http2ResetOnce: { reasons: [] },
  /** HTTP/2 that ends every one. */
  http2Reset: { reasons: ['connection', 'truncated', 'host_down'] },
} satisfies Readonly<Record<string, { readonly reasons: readonly string[] }>>

export type BadHost = keyof typeof badHosts

/** Of a thousand rows, at each of the bad hosts. */
const badHostShare = 3
export const goodHosts = 40
const names = Object.keys(kinds) as KindName[]
const badNames = Object.keys(badHosts) as BadHost[]

/** Loopback has sixteen million addresses: each host has its own, so that limits by address are tried too. */
export const addressOfHost = (host: number | BadHost): string =>
  typeof host === 'number' ? `127.0.1.${host + 1}` : `127.0.2.${badNames.indexOf(host) + 1}`

export interface RowScript {
  readonly host: number | BadHost
  readonly kind: KindName
  readonly reasons: readonly string[]
}

/** What a row's server does: the same for a seed and a row, in whatever process it is asked. */
export function scriptOf(seed: number, row: number): RowScript {
  const draw = random('bad web', seed, row)
  const at = draw.between(0, 1000)
  if (at < badHostShare * badNames.length) {
    const host = badNames[Math.floor(at / badHostShare)]!
    return { host, kind: 'good', reasons: badHosts[host].reasons }
  }
  const total = names.reduce((sum, name) => sum + kinds[name].share, 0)
  let left = draw.between(0, total)
  const kind =
    names.find((name) => {
      left -= kinds[name].share
      return left < 0
    }) ?? 'good'
  return { host: draw.integer(goodHosts), kind, reasons: kinds[kind].reasons }
}
