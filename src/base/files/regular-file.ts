import { constants, type FileHandle, open } from 'node:fs/promises'

/** Why a file that is there is not read. */
export class FileRefusal extends Error {
  override readonly name = 'FileRefusal'

  constructor(
    readonly reason: 'not_a_file' | 'too_large',
    message: string,
  ) {
    super(message)
  }
}

/** A device may have an effect when it is opened for good, a FIFO waits until somebody writes to it. */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0)

/**
 * Opens a regular file: never a folder, device, FIFO or socket, be it behind a link, and it does not wait for
 * one.
 *
 * @throws FileRefusal `not_a_file`; the system's error where there is none or it cannot be read
 */
export const openRegularFile = async (path: string): Promise<FileHandle> => (await openWithSize(path)).file

async function openWithSize(path: string): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const notAFile = () => new FileRefusal('not_a_file', `${path} is not a regular file`)
  // What sockets and devices without a driver answer.
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENXIO' || error.code === 'ENODEV' ? notAFile() : error
  })
  try {
    const found = await file.stat()
    if (found.isFile()) return { file, size: found.size }
    throw notAFile()
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * The bytes of a regular file (`openRegularFile`), which is read up to a limit, whatever size it is said to
 * have: it may grow meanwhile, and those of `/proc` have none.
 *
 * @throws FileRefusal `not_a_file`, or `too_large` where it has more than `maxBytes`
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<Buffer> {
  const { file, size } = await openWithSize(path)
  try {
    const tooLarge = () =>
      new FileRefusal('too_large', `${path} has more than ${maxBytes} bytes, which is the limit here`)
    if (size > maxBytes) throw tooLarge()
    let bytes = Buffer.allocUnsafe(size + 1)
    for (let length = 0; ; ) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length)
      length += bytesRead
      // There was room for one byte more than it is said to have, and none came: that is its end.
      if (bytesRead === 0 || (size > 0 && length === size)) return bytes.subarray(0, length)
      if (length > maxBytes) throw tooLarge()
      if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * length + 4096, maxBytes + 1))
    }
  } finally {
    await file.close()
  }
}
