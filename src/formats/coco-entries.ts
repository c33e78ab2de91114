import { UserError } from '../base/user-error.js'
import { withoutNulls } from '../base/without-nulls.js'
import { readJsonElements } from './read-json-elements.js'

/** The lists of a file in COCO's form. */
export type CocoList = 'images' | 'annotations' | 'categories' | 'licenses'

/** An entry of one of the lists. */
export interface CocoEntry {
  readonly list: CocoList
  /** Place in its list, from 0. */
  readonly index: number
  /**
   * As the file has it, whatever that is: keys that are null are not there (`withoutNulls`), numbers may be
   * NaN or `bigint` (`parseJson`), and ids are compared by `entryId`.
   */
  readonly value: unknown
}

/**
 * The entries of a JSON file in COCO's form, in the file's order, one in memory at a time: the files of LVIS
 * and Objects365 are larger than a string may be.
 *
 * @param lists which lists to read
 * @param needed which of them must be there, though they may be empty
 * @throws UserError where the file is not JSON, is no object at its top, lacks a list that is needed, or has
 *   none of them
 */
export async function* cocoEntries(
  path: string,
  lists: readonly CocoList[],
  needed: readonly CocoList[] = [],
): AsyncGenerator<CocoEntry> {
  const begun = new Set<string | null>()
  const wanted = (key: string) => (lists as readonly string[]).includes(key)
  const onArray = (key: string | null) => {
    // Python takes the last of them; which of them was meant nobody knows.
    if (key !== null && wanted(key) && begun.has(key))
      throw new UserError(`${path} has the list ${key} twice.`)
    begun.add(key)
  }
  for await (const { key, index, value } of readJsonElements(path, { wanted, onArray })) {
    if (key === null) break
    yield { list: key as CocoList, index, value: entryOf(value) }
  }
  if (begun.has(null))
    throw new UserError(`${path} is not in COCO's form: an object with lists was expected.`)
  const missing = needed.find((list) => !begun.has(list))
  if (missing) throw new UserError(`${path}: ${missing}: expected a list.`)
  if (!lists.some((list) => begun.has(list)))
    throw new UserError(`${path} is not in COCO's form: it has none of the lists ${lists.join(', ')}.`)
}

/**
 * A picture's file below its folder, with slashes as Windows does not write them and without a `./` before it.
 * LVIS names it by its address alone: `.../train2017/000000391895.jpg`.
 */
export function cocoFileName(image: {
  readonly file_name?: unknown
  readonly coco_url?: unknown
}): string | undefined {
  const { file_name, coco_url } = image
  if (typeof file_name === 'string' && file_name.trim() !== '') return slashed(file_name)
  const named = typeof coco_url === 'string' ? coco_url.split('/').slice(-2).join('/') : ''
  return named === '' ? undefined : named
}

/** A path as this program has them: backslashes are Windows' slashes, and `./` says nothing. */
export const slashed = (name: string): string => name.replaceAll('\\', '/').replace(/^(\.\/+)+/, '')

/**
 * An entry without what is null, but for its `attributes`: there null is a value, such as a size that is neither
 * large nor small, and an absent key one that nobody has looked for.
 */
function entryOf(value: unknown): unknown {
  const own = withoutNulls(value)
  if (own === value) return value
  const { attributes } = value as { readonly attributes?: unknown }
  return attributes ? { ...(own as object), attributes } : own
}
