import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync } from 'hyparquet'
import { UserError } from '../base/user-error.js'
import { type OpenObject, openObject } from '../storage/open-object.js'

/** A Parquet file whose footer has been read, and whose parts are read as they are asked for. */
export interface ParquetFile {
  readonly file: AsyncBuffer
  readonly metadata: FileMetaData
  readonly rows: number
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
  const object = await openObject(path)
  const { size } = object
  try {
    // hyparquet leaves its other reads alone when one fails: the file stays open for them, and they fail unheard.
    const reads = new Set<Promise<unknown>>()
    const file: AsyncBuffer = {
      byteLength: size,
      slice(start, end = size) {
        const read = readRange(object, start, end)
        const heard = read.catch(() => {}).finally(() => reads.delete(heard))
        reads.add(heard)
        return read
      },
    }
    const close = async () => {
      await Promise.all(reads)
      await object.close()
    }
    const metadata = await parquetMetadataAsync(file, { initialFetchSize: tailBytes }).catch(
      (error: unknown) => {
        throw damaged(path, error)
      },
    )
    return { file, metadata, rows: Number(metadata.num_rows), close }
  } catch (error) {
    await object.close()
    throw error
  }
}

/** The error for a file that is there and cannot be made sense of. */
export function damaged(path: string, error: unknown): UserError {
  const cause = error instanceof Error ? error.message : String(error)
  return new UserError(
    `${path} is damaged or cut short (${cause}). Delete it and its .json record, and run the pipeline again to make it anew.`,
  )
}

async function readRange({ size, read }: OpenObject, start: number, end: number): Promise<ArrayBuffer> {
  // A damaged footer may name any range: it is refused before memory is taken for it.
  if (!(start >= 0 && end >= start && end <= size)) {
    throw new Error(`bytes ${start} to ${end} of ${size} are asked for`)
  }
  return read(start, end)
}
