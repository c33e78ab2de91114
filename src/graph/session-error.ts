import { UserError } from '../base/user-error.js'

/**
 * What onnxruntime, its devices and the threads of its sessions say where they are refused memory. There is no code
 * for it: a run fails with 1 (FAIL) or 6 (RUNTIME_EXCEPTION) for anything.
 */
const outOfMemory =
  /out of memory|bad[_ ]alloc|failed to allocate|allocation failed|alloc_failed|memory limit|smaller than requested bytes|BFCArena/i

/** Where in its code onnxruntime found something, and the condition that did not hold. */
const places = /\S*\/onnxruntime\S*\.(?:cc|h):\d+ .*?(?:was false\. |\[ONNXRuntimeError\] |\(\) )/gs

/** What onnxruntime says, in one line and without the places of its code. */
export const wordsOfOnnxruntime = (message: string): string =>
  message.replaceAll(places, '').replace(/\s+/g, ' ').trim().slice(0, 600)

/**
 * The error of a session: which model it is of, and what can be done where it was refused memory.
 *
 * @param model its path or name
 */
export function sessionError(model: string, error: unknown): Error {
  const { message } = error as Error
  if (!outOfMemory.test(message))
    return new Error(`onnxruntime failed in ${model}: ${wordsOfOnnxruntime(message)}`, { cause: error })
  return new Error(
    `Out of memory in a session of ${model} (${wordsOfOnnxruntime(message)}): lower batch, sessions or open_sizes of the stage, or choose a device with more memory.`,
    { cause: error },
  )
}

/**
 * The error of a model that onnxruntime cannot load: which it is, why, and what can be done. Its own words are the
 * `cause`, which `--verbose` prints.
 *
 * @param model its path or name
 */
export function loadError(model: string, error: unknown): Error {
  const { message } = error as Error
  if (outOfMemory.test(message)) return sessionError(model, error)
  return new UserError(`onnxruntime cannot load ${model}: ${whyNotLoaded(message)}.`, { cause: error })
}

function whyNotLoaded(message: string): string {
  const [, operator] =
    /No Op registered for (\S+)|implementation for (\S+?)\(|Fatal error: (\S+?)\(-?\d+\) is not a registered/
      .exec(message)
      ?.filter((part) => part !== undefined) ?? []
  if (operator !== undefined)
    return `it has the operator ${operator}, which this onnxruntime does not: export it anew, for ONNX's own operators`
  if (/requires f16/.test(message))
    return 'it is in half precision, in which this device does not compute: name the file in float32 (file: model), or another device'
  if (/File doesn't exist|No such file|system error number 2\b/i.test(message))
    return /external|initializer/i.test(message)
      ? 'the file of its weights is not beside it: get it too'
      : 'there is no such file'
  if (/external data|External data|external initializer/i.test(message))
    return 'the file of its weights beside it is missing or cut off: get it anew'
  if (/IR version|opset|domain_version|ir_version/i.test(message))
    return 'it is of a later version of ONNX than this onnxruntime reads: export it for an earlier opset'
  if (/protobuf parsing failed|ModelProto does not have a graph|No graph was found/i.test(message))
    return 'it is no ONNX model, or is cut off: get the file anew (of Git LFS it may be the pointer alone)'
  if (/invalid model|INVALID_GRAPH|Type Error|ShapeInferenceError/i.test(message))
    return 'its graph does not hold together: get the file anew, or export it anew'
  return 'it cannot be read (--verbose says what onnxruntime says): get the file anew, or export it anew'
}
