import { UserError } from '../base/user-error.js'
import { readJsonParts } from './read-json-elements.js'

/**
 * The elements of a JSON file that is one list, as many at a time as end in one piece of the file.
 *
 * @param expected what the file is said to have to be, such as "a list of detections"
 * @throws UserError where it is something else, or not JSON
 */
export async function* readJsonList(path: string, expected: string): AsyncGenerator<readonly unknown[]> {
  let isList = false
  const onArray = (key: string | null) => {
    isList ||= key === null
  }
  for await (const elements of readJsonParts(path, { onArray })) {
    if (!isList) break
    yield elements.map(({ value }) => value)
  }
  if (!isList) throw new UserError(`${path}: expected ${expected}.`)
}
