/** No room is left for what was to be written: on the disk, or within the user's share of it. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError'
}

/** By the system's codes; both mean the same to who writes. */
const messages: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: make room, and run the same command again to go on.',
  EDQUOT: 'The disk quota is used up: make room, and run the same command again to go on.',
}

/**
 * A DiskFullError where an error, or one that it was caused by, says that there is no room; else undefined.
 * To try again at once is of no use, and every shard would fail alike: the work ends there.
 */
export function asDiskFull(error: unknown): DiskFullError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DiskFullError) return cause
    const { code = '' } = cause as NodeJS.ErrnoException
    if (Object.hasOwn(messages, code)) return new DiskFullError(messages[code], { cause: error })
  }
  return undefined
}
