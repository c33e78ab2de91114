import { shortLine } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { openObject } from '../storage/open-storage.js'
import type { OpenObject } from '../storage/storage.js'
import { type ParquetFooter, readFooter } from './read-footer.js'

/** What parts of a file are read from. */
export interface ByteSource {
  /** @param into memory of at least as many bytes that they may be read into: what is given then may be that, whole */
  slice(start: number, end: number, into?: ArrayBuffer): Promise<ArrayBuffer>
}

/** A Parquet file whose footer has been read, and whose parts are read as they are asked for. */
export interface ParquetFile {
  readonly file: ByteSource
  readonly footer: ParquetFooter
  readonly rows: number
  /** Of the file. */
  readonly bytes: number
  close(): Promise<void>
}

/** How much is read at first from the end of a file: most often the whole footer. */
const tailBytes = 64 * 1024

/**
 * Opens a Parquet file, a local one or one of a store (`Storage.path`), and reads its footer.
 *
 * @throws UserError where it is missing, cut short or not Parquet
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  return openParquetObject(path, await openObject(path))
}

/**
 * As `openParquet`, of what is open already, and is closed with it.
 *
 * @param path of it, for messages
 */
export async function openParquetObject(path: string, object: OpenObject): Promise<ParquetFile> {
  const { size } = object
  try {
    // Where one of several reads fails, the others go on: the file stays open for them, and they fail
    // unheard.
    const reads = new Set<Promise<unknown>>()
    const file: ByteSource = {
      slice(start, end, into) {
        const read = readRange(object, start, end, into)
        const heard = read.catch(() => {}).finally(() => reads.delete(heard))
        reads.add(heard)
        return read
      },
    }
    const close = async () => {
      await Promise.all(reads)
      await object.close()
    }
    const footer = await footerOf(file, size).catch((error: unknown) => {
      throw new UserError(`${path} is damaged or cut short (${causeOf(error)}).`)
    })
    checkCounts(path, footer, size)
    return { file, footer, rows: footer.rows, bytes: size, close }
  } catch (error) {
    await object.close()
    throw error
  }
}

/** A file ends with its footer, the footer's length in four bytes, and "PAR1". */
async function footerOf(file: ByteSource, size: number): Promise<ParquetFooter> {
  const start = Math.max(0, size - tailBytes)
  const tail = Buffer.from(await file.slice(start, size))
  const at = tail.length - 8
  if (at < 0 || tail.toString('latin1', at + 4) !== 'PAR1') throw new Error('it does not end as Parquet does')
  const length = tail.readUInt32LE(at)
  if (length > size - 8) throw new Error(`a footer of ${length} bytes`)
  if (length <= at) return readFooter(tail.subarray(at - length, at))
  const before = Buffer.from(await file.slice(size - 8 - length, start))
  return readFooter(Buffer.concat([before, tail.subarray(0, at)]))
}

/** Why a file that is there cannot be made sense of. */
export const causeOf = (error: unknown): string =>
  shortLine((error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' '))

/**
 * What any file may say that it holds, in rows and in values of a column. A run length lets a dozen bytes
 * stand for any number of them.
 */
const freeCount = 2 ** 22
/** Beyond that, so many for each byte of the file: values that say anything take more. */
const countsAByte = 8

/**
 * Holds what a footer says against the size of its file: who reads it makes room for it, or counts as far.
 *
 * @throws UserError where it says more than a file of that size is believed
 */
function checkCounts(path: string, { rows, groups }: ParquetFooter, size: number): void {
  const most = freeCount + countsAByte * size
  const check = (count: number, what: string) => {
    if (count > most)
      throw new UserError(
        `${path} says that it has ${count} ${what} in ${size} bytes, and no more than ${most} are read of so few: it holds next to nothing, or is damaged.`,
      )
  }
  const damaged = (what: string) => new UserError(`${path} is damaged or cut short (${what}).`)
  check(rows, 'rows')
  let sum = 0
  for (const group of groups) {
    sum += group.rows
    check(sum, 'rows')
    for (const { path: names, entries } of group.chunks) {
      check(entries, `values of ${names.join('.')}`)
      if (entries < group.rows)
        throw damaged(`a row group of ${group.rows} rows and ${entries} values of ${names.join('.')}`)
    }
    if (group.rows > 0 && group.chunks.length === 0)
      throw damaged(`a row group of ${group.rows} rows without columns`)
  }
  if (sum !== rows) throw damaged(`${rows} rows, and ${sum} in its row groups`)
}

async function readRange(
  { size, read }: OpenObject,
  start: number,
  end: number,
  into?: ArrayBuffer,
): Promise<ArrayBuffer> {
  // A damaged footer may name any range: it is refused before memory is taken for it.
  if (!(start >= 0 && end >= start && end <= size)) {
    throw new Error(`bytes ${start} to ${end} of ${size} are asked for`)
  }
  return read(start, end, into)
}
