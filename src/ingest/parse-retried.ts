import { UserError } from '../base/user-error.js'
import { isTransientReason } from './fetch/transient.js'

/** Whether rows that were rejected for a reason are tried again. */
export type RetriedReasons = (reason: string) => boolean

/** Words for reasons of a kind. */
export const retriedKinds: readonly string[] = ['no', 'transient', 'all']

/**
 * `transient` (what may have passed), `all`, `no` (none), or reasons with commas between them, such as
 * `http_404,robots`.
 */
export function parseRetried(text = 'transient'): RetriedReasons {
  if (text === 'no') return () => false
  if (text === 'transient') return isTransientReason
  if (text === 'all') return () => true
  const reasons = new Set(text.split(',').map((reason) => reason.trim()))
  if (reasons.has(''))
    throw new UserError(
      `"${text}" is none of ${retriedKinds.join(', ')}, or reasons with commas between them.`,
    )
  return (reason) => reasons.has(reason)
}
