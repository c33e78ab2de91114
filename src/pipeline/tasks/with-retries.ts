import { setTimeout as delay } from 'node:timers/promises'
import { DiskFullError } from '../../base/disk-full.js'
import { explainError } from '../../base/explain-error.js'
import { UserError } from '../../base/user-error.js'

/** How often the work of a shard is tried. */
export const maxAttempts = 3

/** Pause before a further try, in milliseconds: exponential, with jitter so that many do not come at once. */
export const pauseBefore = (attempt: number): number => 500 * 2 ** attempt * (0.5 + Math.random() / 2)

/** Tries work again after a pause; not where it was aborted, the user must mend something, or the disk is full. */
export async function withRetries<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const explained = explainError(error)
      const isFinal = explained instanceof UserError || explained instanceof DiskFullError
      if (signal?.aborted || isFinal || attempt === maxAttempts) throw error
      await delay(pauseBefore(attempt), undefined, { signal })
    }
  }
}
