import { decodeText } from '../base/decode-text.js'
import { nameList, shownName } from '../base/name-list.js'
import { jsonProblem } from '../base/parse-json.js'
import { UserError } from '../base/user-error.js'
import { isName, isStageName } from '../rows/family-path.js'
import { list, object, text } from '../rows/record-shape.js'
import type { Storage } from '../storage/storage.js'

/** The folder of a dataset in which selections lie. */
export const selectionsFolder = 'selections'

/** A list of pictures that someone has chosen. */
export interface NamedSelection {
  readonly name: string
  /** Of the pictures, each once. */
  readonly keys: readonly string[]
}

const shape = object({ keys: list(text) })

const pathOf = (name: string) => `${selectionsFolder}/${name}.json`

/** The name of the selection that an object of the dataset is; undefined where it is none. */
export function selectionOfPath(path: string): string | undefined {
  const [, name] = /^selections\/([^/]+)\.json$/.exec(path) ?? []
  return name !== undefined && isSelectionName(name) ? name : undefined
}

/** Whether a selection may be called so: as stages are. */
export const isSelectionName = isStageName

/**
 * Writes a selection, whole or not at all.
 *
 * @param replace whether another one of the name gives way
 * @returns whether it is there now: not where there is another one
 * @throws UserError where it cannot be called so, or has no keys
 */
export async function writeSelection(
  storage: Storage,
  { name, keys }: NamedSelection,
  replace = false,
): Promise<boolean> {
  if (!isSelectionName(name))
    throw new UserError(
      `${shownName(name)} cannot name a selection: lower-case letters, digits and hyphens can, up to 128.`,
    )
  if (keys.length === 0) throw new UserError('A selection of no pictures is not stored.')
  const text = `${JSON.stringify({ version: 1, pictures: keys.length, keys })}\n`
  if (!replace) return storage.create(pathOf(name), text)
  await storage.write(pathOf(name), text)
  return true
}

/**
 * The keys of a selection of a dataset; undefined where there is none of the name.
 *
 * @throws UserError where its file is something else
 */
export async function readSelection(storage: Storage, name: string): Promise<readonly string[] | undefined> {
  if (!isSelectionName(name)) return undefined
  const bytes = await storage.read(pathOf(name))
  return bytes && parseKeys(bytes, storage.path(pathOf(name)))
}

/** The selections of a dataset by name; those whose files are damaged are left out (`groundmill check` tells). */
export async function listSelections(storage: Storage): Promise<NamedSelection[]> {
  const found: NamedSelection[] = []
  for (const path of await storage.list(selectionsFolder)) {
    const name = selectionOfPath(path)
    const keys = name === undefined ? undefined : await readSelection(storage, name).catch(() => undefined)
    if (name !== undefined && keys) found.push({ name, keys })
  }
  return found
}

/**
 * The keys of a list of pictures, each once: of a selection's file, of a JSON list, or of a text with a key a
 * line.
 *
 * @param where messages say that it lies
 * @throws UserError where it is something else, or has no keys
 */
export function parseKeys(bytes: Uint8Array, where: string): readonly string[] {
  const text = decodeText(bytes)
  if (text === undefined) throw new UserError(`${where} is no list of pictures: it is not UTF-8.`)
  const keys = [...new Set(/^\s*[[{]/.test(text) ? keysOfJson(text, where) : linesOf(text))]
  const bad = keys.filter((key) => !isName(key))
  if (bad.length > 0)
    throw new UserError(
      `${where}: ${nameList(bad.slice(0, 3))} cannot be the key of a picture: give a key a line, or a JSON list of keys.`,
    )
  if (keys.length === 0) throw new UserError(`${where} lists no pictures: give a key a line.`)
  return keys
}

const linesOf = (text: string) =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')

function keysOfJson(text: string, where: string): readonly string[] {
  const parse = (): unknown => {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw new UserError(`${where} is not JSON: ${jsonProblem(text, error)}.`)
    }
  }
  const value = parse()
  const selection = Array.isArray(value) ? { keys: value } : value
  const problem = shape(selection, '')
  if (problem === undefined) return (selection as NamedSelection).keys
  throw new UserError(`${where} is no list of pictures: ${problem}.`)
}
