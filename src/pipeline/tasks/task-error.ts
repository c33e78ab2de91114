import { asDiskFull, DiskFullError } from '../../base/disk-full.js'
import { explainError } from '../../base/explain-error.js'
import { UserError } from '../../base/user-error.js'
import { LockedError } from '../../storage/lock.js'

/** What the user must mend before any shard of a stage can be made: it ends the run, and sets nothing aside. */
export class StageError extends UserError {}

/** Another process works where two may not: what it is about can be done later. */
export class BusyError extends UserError {}

/**
 * Whether an error ends the stage: no other shard of it can be made either. The others are set aside, and the rest
 * goes on.
 */
export const endsStage = (error: unknown): boolean =>
  error instanceof StageError || asDiskFull(error) !== undefined

/** An error as plain data, for another process. */
export interface TaskFailure {
  readonly kind: 'stage' | 'user' | 'disk' | 'busy' | 'aborted' | 'other'
  readonly message: string
}

export function failureOf(thrown: unknown): TaskFailure {
  const error = explainError(thrown)
  const { message } = error
  if (error.name === 'AbortError') return { kind: 'aborted', message }
  if (error instanceof StageError) return { kind: 'stage', message }
  if (error instanceof DiskFullError) return { kind: 'disk', message }
  if (error instanceof LockedError || error instanceof BusyError) return { kind: 'busy', message }
  return { kind: error instanceof UserError ? 'user' : 'other', message }
}

export function errorOf({ kind, message }: TaskFailure): Error {
  if (kind === 'aborted') return new DOMException(message, 'AbortError')
  if (kind === 'stage') return new StageError(message)
  if (kind === 'disk') return new DiskFullError(message)
  if (kind === 'busy') return new BusyError(message)
  return kind === 'user' ? new UserError(message) : new Error(message)
}
