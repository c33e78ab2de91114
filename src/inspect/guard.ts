import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { hostname } from 'node:os'

/** Headers of every answer. Nothing comes from another host, nothing inline runs, nobody frames the page. */
export const safeHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Whether two secrets are equal, in a time that does not tell where they differ. */
export function isSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(secret))
}

/**
 * What pictures' addresses carry in the token's place, since a browser sends no header for them: good for
 * nothing else.
 */
export const pictureKey = (token: string): string =>
  createHmac('sha256', token).update('pictures').digest('base64url').slice(0, 22)

/**
 * Whether a request was meant for this server: its Host is the address that it listens on. A page of another
 * name that has been made to resolve to this machine (DNS rebinding) is not let in. Where it listens on all
 * addresses, these are known by their numbers, which no name server gives out.
 */
export function isOwnHost(given: string | undefined, host: string, port: number): boolean {
  if (!given) return false
  const parts = /^(\[[\da-f:.]+\]|[^:[\]]+)(?::(\d+))?$/i.exec(given)
  if (!parts?.[1] || Number(parts[2] ?? 80) !== port) return false
  const name = parts[1].replace(/^\[|\]$/g, '').toLowerCase()
  if (name === 'localhost' || name === host.toLowerCase()) return true
  if (isIP(host) === 0) return false
  const isAny = host === '0.0.0.0' || host === '::'
  return isAny ? isIP(name) !== 0 || name === hostname().toLowerCase() : isLoopback(host) && isLoopback(name)
}

/** Whether an address to listen on is reached from this machine alone. */
export const isLoopback = (address: string): boolean =>
  address === 'localhost' || address === '::1' || /^127(\.\d{1,3}){3}$/.test(address)
