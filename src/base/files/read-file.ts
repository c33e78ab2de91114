import { readFile } from 'node:fs/promises'
import { decodeText } from '../decode-text.js'
import { UserError } from '../user-error.js'

/**
 * For `catch` behind whatever opens or reads a file or a folder: throws a UserError that names it and says
 * why.
 */
export const unreadable =
  (path: string) =>
  (error: unknown): never => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`, { cause: error })
  }

/** The bytes of a file. Throws a UserError that names it. */
export const readData = (path: string): Promise<Buffer> => readFile(path).catch(unreadable(path))

/** Of most texts that `decodeText` cannot read: they are of a Windows code page, which nothing in them names. */
export const notUtf8 = 'not UTF-8: save the file as UTF-8 (in Python: open(..., encoding="utf-8"))'

/** The text of a file as `decodeText` reads it. Throws a UserError that names it. */
export async function readText(path: string): Promise<string> {
  const text = decodeText(await readData(path))
  if (text === undefined) throw new UserError(`${path} is ${notUtf8}.`)
  return text
}

/** The text of a file; undefined where there is none. Throws a UserError where it cannot be read. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readText(path)
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
