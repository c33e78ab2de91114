import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { withoutCredentials } from '../../base/without-credentials.js'
import { Reject } from './reject.js'

/** Keeps a crawl of strangers' addresses from the machines behind its own doors. */
export interface AddressGuard {
  /** Throws a Reject where the address may not be asked for, so far as it can be told without a look-up. */
  checkUrl(url: URL): void
  /**
   * Throws a Reject where one of a host's addresses is not public. To be called with what is connected to.
   */
  checkAddresses(host: string, addresses: readonly string[]): void
  /** Whether the configuration names this host, so that it may have any address. */
  isAllowed(host: string, port: string): boolean
  /** Whether it names this host on any port. */
  isNamed(host: string): boolean
}

export interface GuardConfig {
  readonly allow_hosts: readonly string[]
  readonly allow_ports: readonly number[]
}

/**
 * A guard against requests to this machine and private networks (server-side request forgery). Hosts are
 * names or literals as `URL` gives them, which has turned decimal, octal, hexadecimal and short spellings
 * into plain ones.
 */
export function createAddressGuard({ allow_hosts, allow_ports }: GuardConfig): AddressGuard {
  const hosts = new Set(allow_hosts.map(parseAllowedHost))
  const names = new Set([...hosts].map((host) => host?.replace(/:\d+$/, '')))
  const ports = new Set(['80', '443', ...allow_ports.map(String)])
  const isAllowed = (host: string, port: string) => hosts.has(host) || hosts.has(`${host}:${port}`)
  const checkAddresses = (host: string, addresses: readonly string[]) => {
    for (const address of addresses) {
      const range = privateRange(address)
      if (range)
        throw new Reject('forbidden_address', `${host} is at ${address}, not a public address (${range})`)
    }
  }
  return {
    isAllowed,
    isNamed: (host) => names.has(host),
    checkAddresses,
    checkUrl(url) {
      if (url.protocol !== 'http:' && url.protocol !== 'https:')
        throw new Reject('bad_url', `${withoutCredentials(url.href)} is not an http or https address`)
      // The page that names a password does not own it, and it would stand in every log.
      if (url.username || url.password)
        throw new Reject('url_credentials', `an address of ${url.host} has a user name or password`)
      const port = portOf(url)
      if (isAllowed(url.hostname, port)) return
      if (!ports.has(port)) throw new Reject('forbidden_port', `${url.href}: port ${port} is not allowed`)
      const literal = addressOf(url.hostname)
      if (literal) checkAddresses(url.hostname, [literal])
    },
  }
}

/** The port that an address is asked on. */
export const portOf = ({ port, protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80')

/** The IP address that a host is, without brackets; undefined for a name. */
export function addressOf(host: string): string | undefined {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host
  return isIP(bare) ? bare : undefined
}

/**
 * HOST or HOST:PORT of an entry of `allow_hosts`, spelled as `URL` spells it; undefined where it is neither
 * that nor an address.
 */
export function parseAllowedHost(entry: string): string | undefined {
  const isAddress = /^https?:\/\//i.test(entry)
  const text = isAddress ? entry : `http://${isIP(entry) === 6 ? `[${entry}]` : entry}`
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (!isAddress && (url.pathname !== '/' || url.search || url.hash)) return undefined
  if (url.username || url.password) return undefined
  const namesPort = isAddress || (!isIP(entry) && /:\d+$/.test(entry))
  return namesPort ? `${url.hostname}:${portOf(url)}` : url.hostname
}

/** Addresses in public ranges behind which a cloud keeps its metadata and agents. */
const metadataAddresses = new Set(['168.63.129.16'])
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/** The range that keeps an address from being public, in a word; undefined for a public one. */
export function privateRange(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return 'not an address'
  // An IPv4 address in IPv6 clothes (::ffff:127.0.0.1) is what it is.
  const parsed = ipaddr.process(address)
  if (metadataAddresses.has(parsed.toString())) return 'metadata'
  const range = parsed.range()
  if (range !== 'unicast') return range
  // All that is not handed out yet, and ::127.0.0.1, which old systems take for 127.0.0.1.
  if (parsed.kind() === 'ipv6' && !parsed.match(globalUnicast)) return 'not global'
  return undefined
}
