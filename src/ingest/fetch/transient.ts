import { Reject } from './reject.js'

/** A failure that may pass. */
export class Transient extends Reject {
  constructor(
    reason: string,
    detail: string,
    /** Milliseconds that the server asks to wait. */
    readonly retryAfter?: number,
  ) {
    super(reason, detail)
  }
}

/** Answers of clients' faults that another try may change: it took too long, came too early or too often. */
const transientClientStatus = new Set([408, 425, 429])
/** Answers of servers that no other try changes: what they cannot do, and how they are set up. */
const finalServerStatus = new Set([501, 505, 506, 508, 510])
/** Of these no server has failed: none was asked, or it was there, and was lost with a damaged file (`salvageShard`). */
const unasked = ['host_down', 'not_tried', 'damaged']
const transientReasons = new Set([
  ...['connection', 'dns', 'timeout', 'robots_unreachable', 'license_unreachable'],
  ...unasked,
])

/** Those of Cloudflare and others beyond the standard (520 to 530, 599) say that a server behind is down. */
export const isTransientStatus = (status: number): boolean =>
  transientClientStatus.has(status) || (status >= 500 && status < 600 && !finalServerStatus.has(status))

/**
 * Whether what was rejected for this reason may come in another time. This is the one list of such reasons:
 * rows with them are tried again by a plain rerun.
 */
export function isTransientReason(reason: string): boolean {
  const status = /^http_(\d{3})$/.exec(reason)?.[1]
  return transientReasons.has(reason) || (status !== undefined && isTransientStatus(Number(status)))
}

/** Whether what was rejected for this reason was not asked for, or had come in. */
export const isUnasked = (reason: string): boolean => unasked.includes(reason)

/** How many of what was rejected may come in another time. */
export const transientCount = (rejected: Readonly<Record<string, number>>): number =>
  Object.entries(rejected).reduce((sum, [reason, count]) => sum + (isTransientReason(reason) ? count : 0), 0)

const basePause = 500

/**
 * Milliseconds to wait before try `attempt` + 2, or undefined where there shall be none: what the server asks
 * for, or exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", 2015).
 *
 * @param maxPause who asks for a longer wait is not asked again
 */
export function pauseAfter(failure: Transient, attempt: number, maxPause: number): number | undefined {
  if (failure.retryAfter !== undefined) return failure.retryAfter <= maxPause ? failure.retryAfter : undefined
  return Math.random() * Math.min(maxPause, basePause * 2 ** attempt)
}

/** Milliseconds that a Retry-After header asks for, in seconds or as a date (RFC 9110, section 10.2.3). */
export function retryAfter(header: string | string[] | undefined, now = Date.now()): number | undefined {
  if (typeof header !== 'string') return undefined
  const pause = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(pause) ? Math.max(0, pause) : undefined
}
