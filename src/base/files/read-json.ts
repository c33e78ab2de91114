import { jsonProblem, parseJson } from '../parse-json.js'
import { UserError } from '../user-error.js'
import { readText } from './read-file.js'

/**
 * The value of a configuration's JSON, as `parseJson` reads it with the nearest numbers. Throws a UserError
 * that names the file it is of.
 */
export function jsonOf(text: string, path: string): unknown {
  try {
    return parseJson(text, 'nearest')
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${jsonProblem(text, error)}`)
  }
}

/** The value of a configuration's file. Throws a UserError that names it. */
export const readJson = async (path: string): Promise<unknown> => jsonOf(await readText(path), path)
