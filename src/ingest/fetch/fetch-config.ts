import { z } from 'zod'
import { parseAllowedHost } from './address-guard.js'
import { optOutDirectives } from './opt-out.js'
import { trainingUses } from './usage-preferences.js'

const count = z.number().int().positive()
const headerText = z.string().regex(/^[\x20-\x7e]*$/, 'expected printable ASCII, as a header carries it')

/** How names of hosts become addresses. */
const dnsConfig = z.strictObject({
  servers: z
    .array(z.string())
    .optional()
    .describe("addresses of name servers to ask; the system's own by default"),
  lookups: count.default(64).describe('look-ups under way at once'),
  timeout_ms: count
    .default(3000)
    .describe('milliseconds for one question to one name server; it is asked twice'),
  cache_s: count
    .default(300)
    .describe('seconds for which an answer is kept at most; its own time to live may be shorter'),
  failure_cache_s: count
    .default(60)
    .describe('seconds for which a host that does not exist is not asked for again'),
  warn_share: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('share of the look-ups that name servers fail, over which a warning is given'),
})

/** How pictures are fetched. */
export const fetchConfig = z
  .strictObject({
    concurrency: count.default(256).describe('requests under way at once'),
    per_host: count.default(8).describe('requests under way at once to one host name'),
    per_address: count.default(16).describe('requests under way at once to one IP address'),
    timeout_ms: count
      .default(10_000)
      .describe('milliseconds for one request, from its connection to the last byte'),
    connect_timeout_ms: count.default(5000).describe('milliseconds for a connection, with TLS'),
    headers_timeout_ms: count
      .default(10_000)
      .describe('milliseconds from the request to the headers of the answer'),
    body_timeout_ms: count.default(10_000).describe('milliseconds between two parts of the answer'),
    max_bytes: count
      .default(20_000_000)
      .describe('bytes over which an answer is rejected while it streams, also unpacked'),
    max_redirects: z
      .number()
      .int()
      .min(0)
      .default(5)
      .describe('redirections that are followed for one picture'),
    retries: z.number().int().min(0).default(2).describe('further tries after failures that may pass'),
    max_pause_ms: count
      .default(30_000)
      .describe(
        'milliseconds between two tries at most; who asks for a longer one with Retry-After is not asked again',
      ),
    host_failures: count
      .default(8)
      .describe(
        'a host that fails so many times in a row is left alone, then tried again `retries` times, then down',
      ),
    http2: z.boolean().default(true).describe('HTTP/2 with servers that offer it'),
    user_agent: headerText
      .min(1)
      .default('groundmill/0.1 (+https://www.npmjs.com/package/groundmill)')
      .describe('who asks; what stands before the first slash is the name that robots.txt may call'),
    contact: headerText
      .optional()
      .describe('an address of yours, added to the user agent, where a webmaster can reach you'),
    robots: z.boolean().default(true).describe('robots.txt is asked for and honoured'),
    max_crawl_delay_s: z
      .number()
      .min(0)
      .default(10)
      .describe('seconds up to which a Crawl-delay of robots.txt is honoured'),
    opt_out: z
      .array(z.enum(optOutDirectives))
      .default(['noai', 'noimageai', 'noindex', 'noimageindex'])
      .describe('directives of the header X-Robots-Tag that keep a picture out; [] for none'),
    content_usage: z
      .array(z.string().regex(/^[a-z*][a-z0-9_.*-]*$/, 'expected the label of a use, such as train-ai'))
      .optional()
      .describe(
        `uses of which one that is disallowed keeps a picture out, by Content-Usage (AIPREF) or Content-Signal (header, robots.txt): ${trainingUses.join(', ')} if not given, such as search besides; [] for none`,
      ),
    license: z
      .enum(['refuse', 'ignore'])
      .optional()
      .describe(
        'what becomes of a picture whose server names a licence (RSL: License in robots.txt, or a Link header) that does not let anybody train on it for nothing, or that cannot be read (refuse)',
      ),
    tdm: z
      .enum(['record', 'refuse', 'ignore'])
      .default('record')
      .describe(
        'what becomes of a picture whose rights of text and data mining are reserved (header tdm-reservation; with refuse tdmrep.json of the server too)',
      ),
    allow_hosts: z
      .array(
        z.string().refine((entry) => parseAllowedHost(entry) !== undefined, {
          error: 'expected a host, HOST:PORT or an address such as http://127.0.0.1:8088/',
        }),
      )
      .default([])
      .describe('hosts that may be on this machine or a private network, and on any port if none is named'),
    allow_ports: z
      .array(z.number().int().min(1).max(65_535))
      .default([])
      .describe('ports of public hosts besides 80 and 443'),
    dns: dnsConfig.default(dnsConfig.parse({})).describe('how names of hosts become addresses'),
  })
  .describe('how pictures are fetched')

export type FetchConfig = z.infer<typeof fetchConfig>

/** The header User-Agent. */
export function userAgentOf({ user_agent, contact }: FetchConfig): string {
  return contact ? `${user_agent} (${contact})` : user_agent
}

/** The name that robots.txt and X-Robots-Tag know the crawler by. */
export function productToken({ user_agent }: FetchConfig): string {
  return user_agent.replace(/[/\s].*$/s, '').toLowerCase()
}
