// @ts-check
/**
 * Runs one onnxruntime session in a thread of its own, for SessionThread: `run` of onnxruntime-node blocks the
 * thread that calls it. JavaScript, so that the thread starts the same from the sources, under a loader and
 * when built.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from './onnxruntime.js'

/** @typedef {{ dtype: string, data: Float32Array, shape: number[] }} Value */
/** @typedef {{ tensor: Tensor, own: Float32Array, shared: Float32Array }} Bound */

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)

try {
  const session = await InferenceSession.create(workerData.model, workerData.settings)
  /** @type {{ feeds: Record<string, Bound>, into: Record<string, Bound | null> }} */
  let bound = { feeds: {}, into: {} }
  port.on('message', async (message) => {
    if (message === 'close') {
      await session.release()
      port.close()
      return
    }
    try {
      if (message === 'run') {
        await runBound(session, bound)
        port.postMessage({})
      } else if (message.bind) {
        bound = { feeds: bindAll(message.bind.feeds), into: bindAll(message.bind.into) }
        port.postMessage({})
      } else {
        const results = await runOnce(session, message)
        // They are in memory of this thread's own, into which onnxruntime-node has copied them, and change hands.
        const buffers = results.flatMap(({ data }) => (ArrayBuffer.isView(data) ? [data.buffer] : []))
        port.postMessage({ results }, /** @type {ArrayBuffer[]} */ (buffers))
      }
    } catch (error) {
      port.postMessage({ error: /** @type {Error} */ (error).message })
    }
  })
  port.postMessage({ inputs: session.inputMetadata, outputs: session.outputMetadata })
} catch (error) {
  port.postMessage({ error: /** @type {Error} */ (error).message })
}

/**
 * @param {InferenceSession} session
 * @param {{ feeds: (Value & { name: string })[], wanted?: string[] }} message
 */
async function runOnce(session, message) {
  /** @type {Record<string, Tensor>} */
  const feeds = {}
  for (const { name, dtype, data, shape } of message.feeds)
    feeds[name] = new Tensor(/** @type {'float32'} */ (dtype), data, shape)
  const results = await session.run(feeds, message.wanted ?? session.outputNames)
  return Object.entries(results).map(([name, tensor]) => {
    const { type, data, dims } = /** @type {Tensor} */ (tensor)
    return { name, dtype: type, data, shape: [...dims] }
  })
}

/**
 * Memory of this thread for values in shared memory, which onnxruntime-node does not take. Null stays null.
 *
 * @param {Record<string, Value | null>} values
 * @returns {Record<string, Bound>}
 */
function bindAll(values) {
  const bind = (/** @type {Value | null} */ value) => {
    if (!value) return null
    const own = value.data.slice()
    return {
      own,
      shared: value.data,
      tensor: new Tensor(/** @type {'float32'} */ (value.dtype), own, value.shape),
    }
  }
  return /** @type {Record<string, Bound>} */ (
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, bind(value)]))
  )
}

/**
 * Results are copied out however the run ends: one that comes as far as to its barrier ends with an error.
 *
 * @param {InferenceSession} session
 * @param {{ feeds: Record<string, Bound>, into: Record<string, Bound | null> }} bound
 */
async function runBound(session, { feeds, into }) {
  /** @type {Record<string, Tensor>} */
  const inputs = {}
  for (const [name, { own, shared, tensor }] of Object.entries(feeds)) {
    own.set(shared)
    inputs[name] = tensor
  }
  const fetches = Object.fromEntries(
    Object.entries(into).map(([name, value]) => [name, value ? value.tensor : null]),
  )
  try {
    await session.run(inputs, fetches)
  } finally {
    for (const value of Object.values(into)) value?.shared.set(value.own)
  }
}
