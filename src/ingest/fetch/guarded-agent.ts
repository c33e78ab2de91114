import { isIP, type LookupFunction, type Socket } from 'node:net'
import { Agent, buildConnector, Client, Pool } from 'undici'
import { type AddressGuard, addressOf } from './address-guard.js'
import type { FetchConfig } from './fetch-config.js'
import { failResetStreams } from './reset-streams.js'
import { firstAddress, type Resolver } from './resolve-host.js'

export interface AgentParts {
  readonly guard: AddressGuard
  readonly resolver: Resolver
  /** Certificates to trust instead of the system's, in PEM. */
  readonly ca?: string
}

/** Requests under way at once on a connection of HTTP/2. */
const maxStreams = 100

/**
 * Kept-alive connections, HTTP/1.1 and HTTP/2, each of them guarded where it is made: the addresses that are
 * checked are those that are connected to, so that a name that changes between two look-ups (DNS rebinding)
 * gains nothing. Connections are as many as requests under way, which the fetcher bounds: one that waited for
 * a connection would time out unsent.
 */
export function guardedAgent(config: FetchConfig, { guard, resolver, ca }: AgentParts): Agent {
  const lookup =
    (check: (host: string, addresses: readonly string[]) => void): LookupFunction =>
    (host, options, callback) => {
      const fail = (error: NodeJS.ErrnoException) => callback(error, '', 0)
      const answer = (addresses: readonly string[]) => {
        check(host, addresses)
        if (options.all) {
          callback(
            null,
            addresses.map((address) => ({ address, family: isIP(address) })),
          )
        } else {
          const address = firstAddress(host, addresses)
          callback(null, address, isIP(address))
        }
      }
      resolver.resolve(host).then(answer).catch(fail)
    }
  const common = { timeout: config.connect_timeout_ms, allowH2: config.http2, ...(ca && { ca }) }
  const guarded = buildConnector({ ...common, lookup: lookup(guard.checkAddresses) })
  const open = buildConnector({ ...common, lookup: lookup(() => {}) })
  const multiplexed = new WeakSet<object>()
  const noteProtocol =
    (client: object, callback: buildConnector.Callback): buildConnector.Callback =>
    (...[error, socket]) => {
      if (socket && 'alpnProtocol' in socket && socket.alpnProtocol === 'h2') multiplexed.add(client)
      if (error) callback(error, null)
      else callback(null, socket as Socket)
    }
  const connectFor =
    (client: object): buildConnector.connector =>
    (options, done) => {
      const callback = noteProtocol(client, done)
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
    }
  // undici sends one request at a time on a connection unless told otherwise, and only HTTP/2 is safe with
  // more.
  const createClient = (origin: URL, options: object) => {
    const key = {}
    const client = new Client(origin, { ...options, connect: connectFor(key) })
    client.on('connect', () => {
      if (!multiplexed.has(key)) return
      client.pipelining = maxStreams
      failResetStreams(client)
    })
    return client
  }
  return new Agent({
    factory: (origin, options) => new Pool(origin, { ...(options as Pool.Options), factory: createClient }),
    allowH2: config.http2,
    headersTimeout: config.headers_timeout_ms,
    bodyTimeout: config.body_timeout_ms,
  })
}
