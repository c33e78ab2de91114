import type { LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { type AddressGuard, addressOf } from './address-guard.js'
import type { FetchConfig } from './fetch-config.js'
import type { Resolver } from './resolve-host.js'

export interface AgentParts {
  readonly guard: AddressGuard
  readonly resolver: Resolver
  /** Certificates to trust instead of the system's, in PEM. */
  readonly ca?: string
}

/**
 * Kept-alive connections, HTTP/1.1 and HTTP/2, each of them guarded where it is made: the addresses that are checked
 * are those that are connected to, so that a name that changes between two look-ups (DNS rebinding) gains nothing.
 * Connections are as many as requests under way, which the fetcher bounds: one that waited for a connection would time
 * out unsent.
 */
export function guardedAgent(config: FetchConfig, { guard, resolver, ca }: AgentParts): Agent {
  const lookup: LookupFunction = (host, options, callback) => {
    resolver.resolve(host).then(
      (addresses) => {
        try {
          guard.checkAddresses(host, addresses)
        } catch (error) {
          callback(error as Error, '', 0)
          return
        }
        const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
        if (options.all) callback(null, found)
        else callback(null, found[0].address, found[0].family)
      },
      (error: Error) => callback(error as NodeJS.ErrnoException, '', 0),
    )
  }
  const common = { timeout: config.connect_timeout_ms, allowH2: config.http2, ...(ca && { ca }) }
  const guarded = buildConnector({ ...common, lookup })
  // Where the configuration names the host, the system's own look-up finds it.
  const open = buildConnector(common)
  return new Agent({
    connect(options, callback) {
      const { hostname, port, protocol } = options
      if (guard.isAllowed(hostname, port || (protocol === 'https:' ? '443' : '80'))) {
        open(options, callback)
        return
      }
      const literal = addressOf(hostname)
      if (literal) {
        // No look-up is made for a literal: it is checked here or nowhere.
        try {
          guard.checkAddresses(hostname, [literal])
        } catch (error) {
          callback(error as Error, null)
          return
        }
      }
      guarded(options, callback)
    },
    allowH2: config.http2,
    headersTimeout: config.headers_timeout_ms,
    bodyTimeout: config.body_timeout_ms,
  })
}
