import { crc32 } from 'node:zlib'

/** Bytes of a file that are summed together at the least; in larger files so many that there are few sums. */
const pieceBytes = 16 * 1024
const mostBlocks = 256

/** What sums the blocks of a file while its bytes pass. */
export interface BlockSums {
  add(bytes: Uint8Array): void
  /**
   * A CRC-32 of each block, in base64; undefined where the file is one block.
   *
   * @param size of the file as it was written
   */
  end(size: number): string | undefined
}

/**
 * Sums of the blocks of a file, by which it can be told where a damaged one still is what it was. There are
 * at most 256: a block of a large file is of many pieces, and its sum is the CRC-32 of theirs.
 */
export function blockSums(): BlockSums {
  const pieces: number[] = []
  let [sum, filled] = [0, 0]
  const close = () => {
    pieces.push(sum)
    sum = 0
    filled = 0
  }
  return {
    add(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const end = Math.min(bytes.length, at + pieceBytes - filled)
        sum = crc32(bytes.subarray(at, end), sum)
        filled += end - at
        at = end
        if (filled === pieceBytes) close()
      }
    },
    end(size) {
      if (filled > 0) close()
      if (size <= pieceBytes) return undefined
      const each = piecesABlock(size)
      const sums: number[] = []
      for (let at = 0; at < pieces.length; at += each) {
        const own = Buffer.from(Uint32Array.from(pieces.slice(at, at + each)).buffer)
        sums.push(each === 1 ? (pieces[at] as number) : crc32(own))
      }
      const all = Buffer.alloc(4 * sums.length)
      for (const [index, one] of sums.entries()) all.writeUInt32LE(one, 4 * index)
      return all.toString('base64')
    },
  }
}

/** A power of two: the same for the size that a file should have, however long it is. */
const piecesABlock = (size: number) =>
  2 ** Math.max(0, Math.ceil(Math.log2(size / (pieceBytes * mostBlocks))))

/**
 * Says of ranges of a damaged file whether all their bytes are what they were.
 *
 * @param recorded sums of the file as it was; of an older record none, by which nothing is known of any
 *   range
 * @param found sums of the file as it is
 * @param size of the file as it was
 */
export function wholeRanges(
  recorded: string | undefined,
  found: string | undefined,
  size: number,
): (start: number, end: number) => boolean {
  if (recorded === undefined || found === undefined) return () => false
  const [before, now] = [Buffer.from(recorded, 'base64'), Buffer.from(found, 'base64')]
  const bytes = pieceBytes * piecesABlock(size)
  const isSame = (block: number) =>
    4 * block + 4 <= Math.min(before.length, now.length) &&
    before.readUInt32LE(4 * block) === now.readUInt32LE(4 * block)
  return (start, end) => {
    for (let block = Math.floor(start / bytes); block * bytes < end; block++) if (!isSame(block)) return false
    return true
  }
}
