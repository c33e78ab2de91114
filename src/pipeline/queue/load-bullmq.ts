import { createRequire } from 'node:module'
import type * as BullMq from 'bullmq'
import type * as IoRedis from 'ioredis'
import { UserError } from '../../base/user-error.js'

/** The libraries behind a queue. */
export interface QueueLibraries {
  readonly bullmq: typeof BullMq
  readonly Redis: typeof IoRedis.Redis
}

/** Workers of earlier versions never come back after Redis was away for longer than they wait for a job. */
const leastVersion = [6, 7]

/**
 * BullMQ and ioredis, which are loaded only when a queue is asked for.
 *
 * @throws UserError where one of them is not installed, or BullMQ is too old
 */
export async function loadBullMq(): Promise<QueueLibraries> {
  const [bullmq, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
      throw new UserError(
        'A queue needs BullMQ and ioredis, which are not installed: npm install bullmq ioredis',
      )
    },
  )
  const { version } = createRequire(import.meta.url)('bullmq/package.json') as { readonly version: string }
  refuseOldVersion(version)
  return { bullmq, Redis }
}

/** Throws a UserError where a version of BullMQ is older than the queue can rely on. */
export function refuseOldVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = leastVersion
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return
  throw new UserError(
    `BullMQ ${version} does not go on after Redis was away: npm install bullmq@^${leastVersion.join('.')}.0`,
  )
}
