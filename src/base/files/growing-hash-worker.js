// @ts-check
/**
 * SHA-256 of files that grow, in a thread of its own, for GrowingHashes. JavaScript, so that the thread starts
 * the same from the sources, under a loader and when built.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
const piece = Buffer.allocUnsafeSlow(1 << 20)
/** @type {Map<string, { hash: import('node:crypto').Hash, bytes: number }>} */
const begun = new Map()

/**
 * Takes a file's bytes into its hash, from where that has come to up to `end` or the file's own.
 *
 * @param {string} path
 * @param {number} end
 */
function advance(path, end) {
  const state = begun.get(path) ?? { hash: createHash('sha256'), bytes: 0 }
  begun.set(path, state)
  const file = openSync(path, 'r')
  try {
    while (state.bytes < end) {
      const read = readSync(file, piece, 0, Math.min(piece.length, end - state.bytes), state.bytes)
      if (read === 0) return state
      state.hash.update(read === piece.length ? piece : piece.subarray(0, read))
      state.bytes += read
    }
    return state
  } finally {
    closeSync(file)
  }
}

port.on('message', ({ path, end, id }) => {
  try {
    const { hash, bytes } = advance(path, end ?? Number.POSITIVE_INFINITY)
    if (id === undefined) return
    begun.delete(path)
    port.postMessage({ id, bytes, sha256: hash.digest('hex') })
  } catch (error) {
    // Of bytes that are only taken ahead the failure is met again when the whole is asked for.
    if (id !== undefined) port.postMessage({ id, error: /** @type {Error} */ (error).message })
  }
})
