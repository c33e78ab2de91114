import { readFile } from 'node:fs/promises'
import { UserError } from './user-error.js'

/**
 * For `catch` behind whatever opens or reads a file or a folder: throws a UserError that names it and says
 * why.
 */
export const unreadable =
  (path: string) =>
  (error: unknown): never => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  }

/** The bytes of a file. Throws a UserError that names it. */
export const readData = (path: string): Promise<Buffer> => readFile(path).catch(unreadable(path))

/** The text of a file, UTF-8 without its mark. Throws a UserError that names it. */
export const readText = async (path: string): Promise<string> =>
  (await readFile(path, 'utf8').catch(unreadable(path))).replace(/^\uFEFF/, '')
