import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../base/files/make-folder.js'
import { lotWriter } from '../base/files/write-pieces.js'

/** A file that grows, from a known length on. */
export interface PartFile {
  /** Bytes taken so far, those included that are not on the disk yet. */
  length(): number
  /** Takes bytes, which may change when the promise is kept, at once where there is none, and need not be on the disk then. */
  write(bytes: Uint8Array | string): void | Promise<void>
  /** When this returns, all that was written before it was called outlives a power cut. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** So much is written at once: more than a core's cache holds is fetched from memory again by the system. */
const lotBytes = 1 << 20

/**
 * Memory that files are written from, a lot at a time, used again when it is written. What is copied into it costs less
 * than the collecting of garbage, where it would be asked for anew, and than telling the system of many small pieces.
 */
export class LotMemory {
  readonly #free: Buffer[] = []

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(lotBytes)
  }

  giveBack(lot: Buffer): void {
    this.#free.push(lot)
  }
}

/**
 * Opens a file to go on behind its first `length` bytes; what lies behind them is cut off.
 *
 * @param memory that files share of which one is written after another
 * @param onWritten is told how long the file has become, each time that bytes are written
 * @throws Error where it is shorter
 */
export async function openPartFile(
  path: string,
  length: number,
  { memory = new LotMemory(), onWritten = () => {} }: PartOptions = {},
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
  let sent = length
  let lot = memory.take()
  let filled = 0
  const underWay: Buffer[] = []
  const lots = lotWriter(handle, length, (end) => {
    memory.giveBack(underWay.shift() as Buffer)
    onWritten(end)
  })
  const send = () => {
    underWay.push(lot)
    const promise = lots.send([lot.subarray(0, filled)], filled)
    sent += filled
    lot = memory.take()
    filled = 0
    return promise
  }
  const writeLong = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      if (filled === lotBytes) await send()
      const piece = bytes.subarray(at, at + lotBytes - filled)
      lot.set(piece, filled)
      filled += piece.length
      at += piece.length
    }
  }
  return {
    length: () => sent + filled,
    write(bytes) {
      if (typeof bytes === 'string') {
        // A unit of UTF-16 becomes three bytes at most.
        if (3 * bytes.length > lotBytes - filled) return writeLong(Buffer.from(bytes))
        filled += lot.write(bytes, filled)
      } else {
        if (bytes.length > lotBytes - filled) return writeLong(bytes)
        lot.set(bytes, filled)
        filled += bytes.length
      }
    },
    async flush() {
      if (filled > 0) await send()
      await lots.written()
      await handle.datasync()
    },
    async close() {
      await lots.written().catch(() => {})
      await handle.close()
    },
  }
}

export interface PartOptions {
  readonly memory?: LotMemory
  readonly onWritten?: (length: number) => void
}

/** Appends a file to a part file, a piece at a time. */
export async function appendFile(path: string, to: PartFile): Promise<void> {
  const handle = await open(path, 'r')
  try {
    // Every byte that is taken is read into: there is no need of zeros first.
    const piece = Buffer.allocUnsafeSlow(lotBytes)
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, piece.length)
      if (bytesRead === 0) return
      await to.write(piece.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}
