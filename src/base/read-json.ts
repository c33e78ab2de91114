import { readText } from './read-file.js'
import { UserError } from './user-error.js'

/** The value of JSON text. Throws a UserError that names the file it is of. */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${(error as Error).message}`)
  }
}

/** The value of a JSON file. Throws a UserError that names it. */
export const readJson = async (path: string): Promise<unknown> => parseJson(await readText(path), path)
