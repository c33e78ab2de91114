import { UserError } from '../base/user-error.js'

/**
 * What onnxruntime, its devices and the threads of its sessions say where they are refused memory. There is no code
 * for it: a run fails with 1 (FAIL) or 6 (RUNTIME_EXCEPTION) for anything.
 */
const outOfMemory =
  /out of memory|bad[_ ]alloc|failed to allocate|allocation failed|alloc_failed|memory limit|smaller than requested bytes|BFCArena/i

/**
 * The error of a session: which model it is of, and what can be done where it was refused memory.
 *
 * @param model its path or name
 */
export function sessionError(model: string, error: unknown): Error {
  const { message } = error as Error
  if (!outOfMemory.test(message))
    return new Error(`onnxruntime failed in ${model}: ${message}`, { cause: error })
  return new Error(
    `Out of memory in a session of ${model} (${message.trim()}): lower batch, sessions or open_sizes of the stage, or choose a device with more memory.`,
    { cause: error },
  )
}

/**
 * The error of a model that onnxruntime cannot load: which it is, and what can be done.
 *
 * @param model its path or name
 */
export function loadError(model: string, error: unknown): Error {
  const { message } = error as Error
  if (outOfMemory.test(message)) return sessionError(model, error)
  return new UserError(
    `onnxruntime cannot load ${model} (${message.trim().replace(/\s+/g, ' ')}): get the file anew, or export the model with operators that this onnxruntime has.`,
    { cause: error },
  )
}
