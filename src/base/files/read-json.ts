import { jsonProblem, parseJson } from '../parse-json.js'
import { UserError } from '../user-error.js'
import { readText } from './read-file.js'

/**
 * The value of a configuration's JSON, as `parseJson` reads it with the nearest numbers. Throws a UserError
 * that names the file it is of.
 *
 * @param remedy what to do where it is none
 */
export function jsonOf(text: string, path: string, remedy?: string): unknown {
  try {
    return parseJson(text, 'nearest')
  } catch (error) {
    const why = `${path} is not JSON: ${jsonProblem(text, error)}`
    throw new UserError(remedy === undefined ? why : `${why}: ${remedy}.`)
  }
}

/** The value of a configuration's file. Throws a UserError that names it. */
export const readJson = async (path: string): Promise<unknown> => jsonOf(await readText(path), path)
