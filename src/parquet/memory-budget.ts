/** Told of memory before it is taken; throws an Error where it becomes too much. */
export type TakeMemory = (bytes: number) => void

/** What any row group may take: 16 million null values of a few columns are stored in some dozen bytes. */
const freeBytes = 512 * 1024 * 1024

/**
 * Beyond that, so many bytes for each byte of the file: text that repeats is compressed to a tenth, seldom to
 * less.
 */
const bytesAByte = 32

/**
 * The memory that the values of a row group may take. A run length or a codec lets a few bytes of a damaged
 * file stand for any amount of values: what is asked for must stand in some relation to what the file has.
 *
 * @param stored bytes of the file from which the values come
 */
export function memoryBudget(stored: number): TakeMemory {
  const most = freeBytes + bytesAByte * stored
  let taken = 0
  return (bytes) => {
    taken += bytes
    if (!(bytes >= 0 && taken <= most)) {
      throw new Error(`${stored} bytes of it ask for more than ${most} bytes of memory`)
    }
  }
}
