import { stat } from 'node:fs/promises'
import { whyUnreadable } from '../base/files/why-unreadable.js'
import { UserError } from '../base/user-error.js'
import { readJsonElements } from '../formats/read-json-elements.js'
import { readLines } from '../formats/read-lines.js'
import { readUtf8 } from '../formats/read-utf8.js'
import type { Vocabulary } from './vocabulary.js'

/**
 * Reads a vocabulary: a text with a name a line, or COCO's and LVIS' JSON with `categories`, of which `name`
 * and `synonyms` are taken. "bow_(weapon)" is bow.
 *
 * @throws UserError where the file is missing or has no names
 */
export async function readVocabulary(path: string): Promise<Vocabulary> {
  await stat(path).catch((error: unknown) => {
    throw new UserError(`Cannot read the vocabulary ${path}: ${whyUnreadable(error)}`)
  })
  const entries = (await isJson(path)) ? await categoriesOf(path) : await namesOf(path)
  const vocabulary = entries
    .map((names) => [...new Set(names.map(nameOf))].filter((name) => name !== ''))
    .filter((names) => names.length > 0)
  if (vocabulary.length === 0)
    throw new UserError(`${path} has no names: a name a line is expected, or JSON with \`categories\`.`)
  return vocabulary
}

async function isJson(path: string): Promise<boolean> {
  for await (const beginning of readUtf8(path)) return /^\uFEFF?\s*[[{]/.test(beginning.toString('utf8'))
  return false
}

async function namesOf(path: string): Promise<string[][]> {
  const names: string[][] = []
  for await (const { mark, ...line } of readLines(path)) {
    if (line.text === null) throw new UserError(`${path}:${mark.line}: ${line.problem}.`)
    names.push([line.text])
  }
  return names
}

/** Entry by entry: LVIS' file is larger than a string may be. An entry without a name is passed over. */
async function categoriesOf(path: string): Promise<string[][]> {
  const found: string[][] = []
  for await (const { key, value } of readJsonElements(path, { wanted: (key) => key === 'categories' })) {
    const { name, synonyms } = typeof value === 'string' ? { name: value } : (Object(value) as Category)
    if (typeof name !== 'string' || (key !== null && key !== 'categories')) continue
    found.push([name, ...(Array.isArray(synonyms) ? synonyms.filter((one) => typeof one === 'string') : [])])
  }
  if (found.length > 0) return found
  throw new UserError(
    `${path}: \`categories\`, a list of objects with \`name\`, were expected, as in the JSON of COCO and LVIS.`,
  )
}

type Category = { readonly name?: unknown; readonly synonyms?: unknown }

const nameOf = (name: string) =>
  name
    .toLowerCase()
    .replace(/\(.*?\)/g, ' ')
    .replaceAll('_', ' ')
    .trim()
    .replace(/\s+/g, ' ')
