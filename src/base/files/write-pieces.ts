import type { FileHandle } from 'node:fs/promises'

/**
 * Pieces of a file are gathered up to so many bytes, and so many pieces, which a system takes in one call.
 */
export const gatheredBytes = 4 << 20
export const gatheredPieces = 512

/**
 * Writes pieces one behind the other in as few calls as the system allows, until every byte is taken.
 *
 * @param at the place in the file of the first
 */
export async function writePieces(
  file: FileHandle,
  pieces: readonly Uint8Array[],
  at: number,
): Promise<void> {
  let left = pieces.filter(({ length }) => length > 0)
  for (let place = at; left.length > 0; ) {
    const { bytesWritten } = await file.writev(left, place)
    place += bytesWritten
    let done = bytesWritten
    let whole = 0
    while (whole < left.length && done >= left[whole]!.length) done -= left[whole++]!.length
    left = left.slice(whole)
    if (done > 0) left[0] = left[0]!.subarray(done)
  }
}

/** Lots that may wait while more is made: a row group of pictures comes at once, and is a few of them. */
const lotsAhead = 4

/**
 * Writes lots of pieces one behind the other, while more of them are made.
 *
 * @param at the place in the file of the first
 * @param onWritten is told up to where the file is written, after each lot
 */
export function lotWriter(file: FileHandle, at: number, onWritten: (end: number) => void = () => {}) {
  let place = at
  let last: Promise<void> = Promise.resolve()
  const lots: Promise<void>[] = []
  return {
    /**
     * Takes a lot, and waits where too many do already. Behind one that cannot be written none is: its failure is thrown
     * here by one of the next, and by `written`.
     *
     * @param bytes of all pieces
     * @param onFailure is told at once where this lot cannot be written
     */
    async send(pieces: readonly Uint8Array[], bytes: number, onFailure: () => void = () => {}) {
      const start = place
      place += bytes
      last = last.then(async () => {
        await writePieces(file, pieces, start)
        onWritten(start + bytes)
      })
      // Heard when it is awaited, which comes later than the failure.
      last.catch(onFailure)
      lots.push(last)
      while (lots.length > lotsAhead) await lots.shift()
    },
    /** When all lots are written. */
    written: () => last,
  }
}

/**
 * Writes chunks one after another, many small ones together, while the next are made.
 *
 * @param onFailure is told at once where a lot cannot be written: who makes the next one need not go on
 */
export async function writeChunks(
  file: FileHandle,
  chunks: AsyncIterable<Uint8Array>,
  onFailure: () => void = () => {},
): Promise<void> {
  const lots = lotWriter(file, 0)
  let waiting: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      waiting.push(chunk)
      bytes += chunk.length
      if (bytes < gatheredBytes && waiting.length < gatheredPieces) continue
      await lots.send(waiting, bytes, onFailure)
      waiting = []
      bytes = 0
    }
    await lots.send(waiting, bytes, onFailure)
  } finally {
    await lots.written()
  }
}
