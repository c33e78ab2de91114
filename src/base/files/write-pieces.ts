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

/**
 * Writes chunks one after another, many small ones together, each lot while the next is made.
 *
 * @param onFailure is told at once where a lot cannot be written: who makes the next one need not go on
 */
export async function writeChunks(
  file: FileHandle,
  chunks: AsyncIterable<Uint8Array>,
  onFailure: () => void = () => {},
): Promise<void> {
  let writing: Promise<void> = Promise.resolve()
  let waiting: Uint8Array[] = []
  let [bytes, at] = [0, 0]
  const send = async () => {
    await writing
    writing = writePieces(file, waiting, at)
    // Heard at the next `await writing`, which may come later than the failure.
    writing.catch(onFailure)
    waiting = []
    at += bytes
    bytes = 0
  }
  try {
    for await (const chunk of chunks) {
      waiting.push(chunk)
      bytes += chunk.length
      if (bytes >= gatheredBytes || waiting.length >= gatheredPieces) await send()
    }
    await send()
  } finally {
    await writing
  }
}
