/**
 * A child process that fetches from a server on loopback, politely: by what its parent grants, by Redis or as a
 * slice. It tells how many pictures it got, and ends.
 */
import { Redis } from 'ioredis'
import { fetchConfig } from '../../src/ingest/fetch/fetch-config.js'
import { createFetcher } from '../../src/ingest/fetch/fetch-image.js'
import type { HostLimiter } from '../../src/ingest/fetch/host-limiter.js'
import { parentHostLimiter } from '../../src/ingest/fetch/ipc-host-limiter.js'
import { redisHostLimiter } from '../../src/ingest/fetch/redis-host-limiter.js'
import { sliceHostLimiter } from '../../src/ingest/fetch/slice-host-limiter.js'

/** What a child is told to do. */
export interface ChildSettings {
  readonly by: 'parent' | 'redis' | 'slice'
  readonly address: string
  readonly pictures: number
  readonly perHost: number
  readonly timeoutMs: number
  readonly redis?: string
  readonly leaseMs?: number
  readonly index?: number
  readonly count?: number
}

const settings = JSON.parse(process.argv[2] as string) as ChildSettings
const { index = 0, count = 1, leaseMs = 2000 } = settings
const redis =
  settings.redis === undefined ? undefined : new Redis(settings.redis, { maxRetriesPerRequest: null })
const byRedis = redis && redisHostLimiter(redis, { leaseMs })
const limiters: Record<ChildSettings['by'], () => HostLimiter | undefined> = {
  parent: () => parentHostLimiter(process),
  redis: () => byRedis,
  slice: () => sliceHostLimiter({ index, count, skewMs: 50 }),
}
const fetcher = createFetcher(
  fetchConfig.parse({
    per_host: settings.perHost,
    timeout_ms: settings.timeoutMs,
    allow_hosts: ['127.0.0.1'],
    robots: false,
    retries: 0,
  }),
  { limiter: limiters[settings.by]() },
)
const fetched = await Promise.allSettled(
  Array.from({ length: settings.pictures }, (_, n) => fetcher.fetch(`${settings.address}/${index}-${n}.jpg`)),
)
const failed = fetched.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
process.stdout.write(
  JSON.stringify({
    got: fetched.filter(({ status }) => status === 'fulfilled').length,
    error: failed && String(failed.reason),
  }),
)
await fetcher.close()
await byRedis?.close()
redis?.disconnect()
if (process.connected) process.disconnect()
