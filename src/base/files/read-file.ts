import { open } from 'node:fs/promises'
import { decodeText } from '../decode-text.js'
import { UserError } from '../user-error.js'
import { readRegularFile } from './regular-file.js'
import { whyUnreadable } from './why-unreadable.js'

/**
 * For `catch` behind whatever opens or reads a file or a folder: throws a UserError that names it and says
 * why.
 */
export const unreadable =
  (path: string) =>
  (error: unknown): never => {
    throw new UserError(`Cannot read ${path}: ${whyUnreadable(error)}`, { cause: error })
  }

/** No text is longer in JavaScript, and what is read whole is a text or a pickle that is one soon. */
const longestWhole = 2 ** 29

/**
 * The bytes of a file that the user has named; a pipe will do (`<(command)`).
 *
 * @param maxBytes it may have; 512 MiB by default
 * @throws UserError that names it, also where it has more bytes or has no end
 */
export async function readData(path: string, maxBytes = longestWhole): Promise<Buffer> {
  const file = await open(path).catch(unreadable(path))
  try {
    const { size } = await file.stat()
    const parts: Buffer[] = []
    let length = 0
    const tooLarge = () =>
      new UserError(
        `${path} has more than ${maxBytes} bytes, which is the limit for a file that is read whole.`,
      )
    if (size > maxBytes) throw tooLarge()
    for (;;) {
      const part = Buffer.allocUnsafe(Math.max(size + 1 - length, 1 << 20))
      const { bytesRead } = await file.read(part, 0, part.length, null).catch(unreadable(path))
      if (bytesRead === 0) return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, length)
      parts.push(part.subarray(0, bytesRead))
      length += bytesRead
      if (length > maxBytes) throw tooLarge()
    }
  } finally {
    await file.close()
  }
}

/** Of most texts that `decodeText` cannot read: they are of a Windows code page, which nothing in them names. */
export const notUtf8 = 'not UTF-8: save the file as UTF-8 (in Python: open(..., encoding="utf-8"))'

/** The text of a file as `decodeText` reads it. Throws a UserError that names it. */
export async function readText(path: string): Promise<string> {
  const text = decodeText(await readData(path))
  if (text === undefined) throw new UserError(`${path} is ${notUtf8}.`)
  return text
}

/**
 * The text of a list or another small file that a file of the data names, or that a folder of somebody's
 * holds.
 *
 * @throws UserError that names it, also where it is no regular file or has more than 512 MiB
 */
export async function readListText(path: string): Promise<string> {
  const text = decodeText(await readRegularFile(path, longestWhole).catch(unreadable(path)))
  if (text === undefined) throw new UserError(`${path} is ${notUtf8}.`)
  return text
}

/**
 * The text of a file of a folder that may be anybody's, as `readListText` reads it; undefined where there is
 * none.
 *
 * @throws UserError where it cannot be read
 */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readListText(path)
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
