import { UserError } from '../base/user-error.js'
import { readJsonElements } from './read-json-elements.js'

/**
 * The elements of a JSON file that is one list, one in memory at a time.
 *
 * @param expected what the file is said to have to be, such as "a list of detections"
 * @throws UserError where it is something else, or not JSON
 */
export async function* readJsonList(path: string, expected: string): AsyncGenerator<unknown> {
  let isList = false
  const onArray = (key: string | null) => {
    isList ||= key === null
  }
  for await (const { key, value } of readJsonElements(path, { onArray })) {
    if (key !== null) break
    yield value
  }
  if (!isList) throw new UserError(`${path}: expected ${expected}.`)
}
