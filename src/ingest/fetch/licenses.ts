import { LruCache } from '../../base/lru-cache.js'
import { type LicenseTerms, parseLicense } from './license-terms.js'
import { Reject } from './reject.js'
import type { RobotsAnswer } from './robots.js'
import { Transient } from './transient.js'

/** The licences that servers name, each asked for once. */
export interface Licenses {
  /**
   * Throws a Reject where a licence does not let a picture be taken for training, and where it cannot be read: then
   * nobody knows whether it does. What may pass is a Transient.
   *
   * @param license as a server has it: an address, which may be relative
   * @param base what it is relative to
   */
  check(license: string, url: URL, base: string, signal?: AbortSignal): Promise<void>
}

const dayMs = 86_400_000
/** Characters of the licences that are remembered, of all servers together. */
const maxCachedCharacters = 8_000_000
/** What one takes besides its text. */
const licenseCharacters = 200

type Known = { readonly size: number } & (
  | { readonly terms: LicenseTerms }
  | { readonly terms: undefined; readonly why: string }
)

/** @param ask gets an address, with its redirects. Throws a Reject where there is no answer. */
export function createLicenses(ask: (url: URL, signal?: AbortSignal) => Promise<RobotsAnswer>): Licenses {
  const cache = new LruCache<string, Known>({
    maxSize: maxCachedCharacters,
    sizeOf: ({ size }) => size,
    ttlOf: () => dayMs,
  })

  async function read(url: URL, signal?: AbortSignal): Promise<Known> {
    try {
      const { status, text } = await ask(url, signal)
      if (status >= 500) throw new Transient('license_unreachable', `${url.href} answered ${status}`)
      const terms = status === 200 ? parseLicense(text, url) : undefined
      if (terms) return { terms, size: terms.size + licenseCharacters }
      return unread(status === 200 ? 'is no document of RSL' : `answered ${status}`)
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof Reject)) throw error
      if (!(error instanceof Transient)) return unread(`cannot be had (${error.message})`)
      throw new Transient('license_unreachable', error.message, error.retryAfter)
    }
  }

  return {
    async check(license, url, base, signal) {
      const address = URL.canParse(license, base) ? new URL(license, base) : undefined
      const known = address
        ? await cache.load(address.href, () => read(address, signal))
        : unread('is no address')
      const why = known.terms ? known.terms.refusal(url) : `it ${known.why}`
      if (why === undefined) return
      throw new Reject('license_required', `${url.href} has the licence ${address?.href ?? license}: ${why}`)
    },
  }
}

const unread = (why: string): Known => ({ terms: undefined, why, size: licenseCharacters })

/** The licences of RSL that a header Link names. */
export function linkedLicenses(header: string | readonly string[] | undefined): string[] {
  const text = [header ?? []].flat().join(', ')
  return [...text.matchAll(/<([^<>]{1,2048})>([^<]*)/g)]
    .filter(([, , parameters = '']) => isLicense(parameters))
    .map(([, address = '']) => address)
    .slice(0, 8)
}

const isLicense = (parameters: string) =>
  /;\s*rel\s*=\s*"?[^";]*\blicense\b/i.test(parameters) &&
  /;\s*type\s*=\s*"?application\/rsl\+xml\b/i.test(parameters)

/** Whether a server wants a licence token of RSL (RSL 1.0, Crawler Authorization Protocol). */
export const wantsLicense = (header: string | readonly string[] | undefined): boolean =>
  [header ?? []].flat().some((line) => /(?:^|,)\s*License(?:\s|,|$)/i.test(line))
