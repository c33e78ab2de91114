/** Directives of X-Robots-Tag that can keep a picture out. */
export const optOutDirectives = ['noai', 'noimageai', 'noindex', 'noimageindex'] as const

export type OptOutDirective = (typeof optOutDirectives)[number]

type Header = string | readonly string[] | undefined

/** Directives that have a value behind a colon: what stands before it is no crawler's name. */
const valued = new Set(['unavailable_after', 'max-snippet', 'max-image-preview', 'max-video-preview'])

/**
 * The directives of X-Robots-Tag headers that hold for a crawler, in lower case. `name: noindex, noai` holds
 * for the crawler of that name alone, to the end of its header line or the next name; `none` stands for
 * noindex and nofollow.
 *
 * @param token the crawler's name, lower case
 */
export function robotsTagDirectives(header: Header, token: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const line of typeof header === 'string' ? [header] : (header ?? [])) {
    let agent: string | undefined
    for (const part of line.toLowerCase().split(',')) {
      const [, before, rest = ''] = /^\s*([^\s:]+)\s*:(.*)$/s.exec(part) ?? []
      const named = before !== undefined && !valued.has(before)
      if (named) agent = before
      if (agent !== undefined && agent !== token && agent !== '*') continue
      const directive = (named ? rest : part).trim()
      if (directive === 'none') found.add('noindex').add('nofollow')
      else if (directive) found.add(directive)
    }
  }
  return found
}

/**
 * Rights of text and data mining that a server reserves, by the TDM Reservation Protocol of the W3C's group.
 */
export interface TdmReservation {
  readonly reserved: boolean
  /** Where a licence can be had. */
  readonly policy: string | null
}

/** What the headers tdm-reservation and tdm-policy say; undefined where they say nothing. */
export function tdmReservation(headers: Readonly<Record<string, Header>>): TdmReservation | undefined {
  const value = first(headers['tdm-reservation'])?.trim()
  if (value !== '0' && value !== '1') return undefined
  return { reserved: value === '1', policy: first(headers['tdm-policy'])?.trim() ?? null }
}

const first = (header: Header) => (typeof header === 'string' ? header : header?.[0])
