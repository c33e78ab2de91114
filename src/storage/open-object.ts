import { type FileHandle, open } from 'node:fs/promises'
import { UserError } from '../base/user-error.js'
import { isS3, openS3Object } from './s3-storage.js'

/** A file or an object of a store, whose parts are read as they are asked for. */
export interface OpenObject {
  readonly size: number
  /** Bytes from `start` up to `end`. Throws an Error where there are fewer. */
  read(start: number, end: number): Promise<ArrayBuffer>
  close(): Promise<void>
}

/**
 * Opens what `Storage.path` names: a file of this machine, or an object of a store.
 *
 * @throws UserError where there is none
 */
export async function openObject(location: string): Promise<OpenObject> {
  if (isS3(location)) return openS3Object(location)
  const handle = await open(location, 'r').catch((error: unknown) => {
    throw new UserError(`Cannot read ${location}: ${(error as Error).message}`)
  })
  try {
    const { size } = await handle.stat()
    return { size, read: (start, end) => readRange(handle, start, end), close: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function readRange(handle: FileHandle, start: number, end: number): Promise<ArrayBuffer> {
  // Every byte is read into: there is no need of zeros first.
  const bytes = Buffer.allocUnsafeSlow(end - start)
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done)
    if (bytesRead === 0) throw new Error(`it ends at byte ${start + done}`)
    done += bytesRead
  }
  return bytes.buffer as ArrayBuffer
}
