import { explainError } from '../../base/explain-error.js'
import { UserError } from '../../base/user-error.js'
import { LockedError } from '../../storage/lock.js'

/** What the user must mend before any shard of a stage can be made: it ends the run, and sets nothing aside. */
export class StageError extends UserError {}

/** An error as plain data, for another process. */
export interface TaskFailure {
  readonly kind: 'stage' | 'user' | 'locked' | 'aborted' | 'other'
  readonly message: string
}

export function failureOf(thrown: unknown): TaskFailure {
  const error = explainError(thrown)
  const { message } = error
  if (error.name === 'AbortError') return { kind: 'aborted', message }
  if (error instanceof StageError) return { kind: 'stage', message }
  if (error instanceof LockedError) return { kind: 'locked', message }
  return { kind: error instanceof UserError ? 'user' : 'other', message }
}

export function errorOf({ kind, message }: TaskFailure): Error {
  if (kind === 'aborted') return new DOMException(message, 'AbortError')
  if (kind === 'stage') return new StageError(message)
  if (kind === 'locked') return new LockedError(message)
  return kind === 'user' ? new UserError(message) : new Error(message)
}
