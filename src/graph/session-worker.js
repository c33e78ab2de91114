// @ts-check
/**
 * Runs one onnxruntime session in a thread of its own, for SessionPool: `run` of onnxruntime-node blocks the
 * thread that calls it. JavaScript, so that the thread starts the same from the sources, under a loader and
 * when built.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from './onnxruntime.js'

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)

try {
  const session = await InferenceSession.create(workerData.model, workerData.settings)
  port.on('message', async (message) => {
    if (message === 'close') {
      await session.release()
      port.close()
      return
    }
    try {
      /** @type {Record<string, Tensor>} */
      const feeds = {}
      for (const { name, dtype, data, shape } of message.feeds) feeds[name] = new Tensor(dtype, data, shape)
      const results = await session.run(feeds, message.wanted ?? session.outputNames)
      const made = Object.entries(results).map(([name, tensor]) => {
        const { type, data, dims } = /** @type {Tensor} */ (tensor)
        return { name, dtype: type, data, shape: [...dims] }
      })
      // They are in memory of this thread's own, into which onnxruntime-node has copied them, and change hands.
      const buffers = made.flatMap(({ data }) => (ArrayBuffer.isView(data) ? [data.buffer] : []))
      port.postMessage({ results: made }, /** @type {ArrayBuffer[]} */ (buffers))
    } catch (error) {
      port.postMessage({ error: /** @type {Error} */ (error).message })
    }
  })
  port.postMessage({ inputs: session.inputMetadata, outputs: session.outputMetadata })
} catch (error) {
  port.postMessage({ error: /** @type {Error} */ (error).message })
}
