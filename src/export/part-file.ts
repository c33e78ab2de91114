import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../base/files/make-folder.js'
import { gatheredBytes, gatheredPieces, lotWriter } from '../base/files/write-pieces.js'

/** A file that grows, from a known length on. */
export interface PartFile {
  /** Bytes taken so far, those included that are not on the disk yet. */
  length(): number
  /** Takes bytes; they must not change until the promise is kept, and need not be on the disk then. */
  write(bytes: Uint8Array | string): void | Promise<void>
  /** When this returns, all that was written outlives a power cut. */
  flush(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a file to go on behind its first `length` bytes; what lies behind them is cut off.
 *
 * @param onWritten is told how long the file has become, each time that bytes are written
 * @throws Error where it is shorter
 */
export async function openPartFile(
  path: string,
  length: number,
  onWritten: (length: number) => void = () => {},
): Promise<PartFile> {
  await makeFolder(dirname(path))
  const handle = await open(path, length > 0 ? 'r+' : 'w')
  try {
    const { size } = await handle.stat()
    if (size < length) throw new Error(`${path} has ${size} bytes, ${length} were written`)
    await handle.truncate(length)
  } catch (error) {
    await handle.close()
    throw error
  }
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let position = length
  const lots = lotWriter(handle, length, onWritten)
  const send = () => {
    const sent = lots.send(waiting, waitingBytes)
    position += waitingBytes
    waiting = []
    waitingBytes = 0
    return sent
  }
  return {
    length: () => position + waitingBytes,
    write(bytes) {
      const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
      waiting.push(buffer)
      waitingBytes += buffer.length
      if (waitingBytes >= gatheredBytes || waiting.length >= gatheredPieces) return send()
    },
    async flush() {
      await send()
      await lots.written()
      await handle.datasync()
    },
    async close() {
      await lots.written().catch(() => {})
      await handle.close()
    },
  }
}

/** Appends a file to a part file, a piece at a time. */
export async function appendFile(path: string, to: PartFile): Promise<void> {
  const handle = await open(path, 'r')
  try {
    for (;;) {
      // Every byte that is taken is read into: there is no need of zeros first.
      const piece = Buffer.allocUnsafeSlow(gatheredBytes)
      const { bytesRead } = await handle.read(piece, 0, piece.length)
      if (bytesRead === 0) return
      await to.write(piece.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}
