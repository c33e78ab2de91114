import { hideCredentials } from '../../base/credentials.js'
import { UserError } from '../../base/user-error.js'
import type { QueueLibraries } from './load-bullmq.js'

/** Where a queue's Redis is. */
export interface QueueAddress {
  /** With what it needs to be let in. */
  readonly url: string
  /** For people: without user and password. */
  readonly shown: string
}

/**
 * The address of a queue: what was given, else GROUNDMILL_QUEUE. The environment is the better place for one
 * with a password: others on the machine can read a command line.
 *
 * @throws UserError where there is none, or it is no address of Redis
 */
export function queueAddress(given?: string): QueueAddress {
  const url = given || process.env.GROUNDMILL_QUEUE
  const expected = 'redis://HOST:6379, or rediss:// for TLS, was expected'
  if (!url) throw new UserError(`No queue: set GROUNDMILL_QUEUE, or give --queue (${expected}).`)
  const shown = hideCredentials(url)
  if (!/^rediss?:\/\//i.test(url) || !URL.canParse(url))
    throw new UserError(`${shown} is not the address of a queue: ${expected}.`)
  return { url, shown }
}

/** Waits between tries to reach Redis again: it may be away for hours. */
const retryStrategy = (times: number) => Math.min(100 * 2 ** Math.min(times, 10), 3000)

/** Options of a connection that outlives Redis: commands wait until it is back. */
export const connectionOptions = ({ url }: QueueAddress) => ({
  url,
  maxRetriesPerRequest: null,
  retryStrategy,
  connectTimeout: 10_000,
  keepAlive: 10_000,
})

/** A connection of our own that outlives Redis. Errors of it are told by `close` and `ready`. */
export function openConnection({ Redis }: QueueLibraries, address: QueueAddress) {
  const { url, ...options } = connectionOptions(address)
  const connection = new Redis(url, options)
  connection.on('error', () => {})
  return connection
}

export type Connection = ReturnType<typeof openConnection>

/**
 * Makes sure that Redis answers, and lets us in, before work begins.
 *
 * @param waitMs how long it may take to come up
 * @throws UserError that says what is wrong
 */
export async function checkRedis(
  { Redis }: QueueLibraries,
  { url, shown }: QueueAddress,
  waitMs: number,
): Promise<void> {
  const deadline = performance.now() + waitMs
  const connection = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: null,
    connectTimeout: waitMs,
    retryStrategy: () => (performance.now() < deadline ? 200 : null),
  })
  let last: Error | undefined
  connection.on('error', (error) => {
    last = error
    // To try again would not help.
    if (/WRONGPASS|NOAUTH|NOPERM|certificate|SSL/i.test(error.message)) connection.disconnect()
  })
  const timer = setTimeout(() => connection.disconnect(), waitMs + 200)
  try {
    await connection.connect().catch(async (error) => {
      // It goes on trying by itself after the first refusal.
      if (connection.status === 'end') throw error
      await new Promise<void>((resolve, reject) => connection.once('ready', resolve).once('end', reject))
    })
    await connection.ping()
  } catch (error) {
    const { message } = last ?? (error as Error)
    if (/WRONGPASS|NOAUTH|NOPERM/.test(message))
      throw new UserError(
        `Redis at ${shown} refuses access (${message}): set GROUNDMILL_QUEUE with its password.`,
      )
    throw new UserError(
      `Redis at ${shown} does not answer (${whySilent(last ?? (error as Error))}): start it, or mend the address.`,
    )
  } finally {
    clearTimeout(timer)
    connection.disconnect()
  }
}

/** Why nothing answers at an address, in words for what the system says by a code. */
function whySilent(error: Error): string {
  const { code = '' } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'there is no such host'
  if (['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code)) return 'the host is not to be reached'
  return error.message || 'no connection'
}
