import { readFile } from 'node:fs/promises'
import { UserError } from '../base/user-error.js'

/** Categories, each with its names. */
export type Vocabulary = readonly (readonly string[])[]

/** How much of a vocabulary the heads of phrases name, and how many of the phrases it names. */
export interface Coverage {
  readonly categories: number
  /** Categories one of whose names is a head. */
  readonly seen: number
  /** Categories that a head cannot show, since all their names have several words. */
  readonly several_words: number
  /** Phrases whose head is one of the names, and their share of all. */
  readonly occurrences: number
  readonly share: number
}

/**
 * Reads a vocabulary: a text with a name a line, or COCO's and LVIS' JSON with `categories`, of which `name`
 * and `synonyms` are taken. "bow_(weapon)" is bow.
 *
 * @throws UserError where the file is missing or has no names
 */
export async function readVocabulary(path: string): Promise<Vocabulary> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserError(`Cannot read the vocabulary: ${(error as Error).message}`)
  })
  const entries = /^\s*[[{]/.test(text) ? categoriesOf(text, path) : text.split(/\r?\n/).map((line) => [line])
  const vocabulary = entries
    .map((names) => [...new Set(names.map(nameOf))].filter((name) => name !== ''))
    .filter((names) => names.length > 0)
  if (vocabulary.length === 0)
    throw new UserError(`${path} has no names: a name a line is expected, or JSON with \`categories\`.`)
  return vocabulary
}

function categoriesOf(text: string, path: string): string[][] {
  const bad = new UserError(
    `${path}: \`categories\`, a list of objects with \`name\`, were expected, as in the JSON of COCO and LVIS.`,
  )
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw bad
  }
  const list = Array.isArray(value) ? value : (value as { categories?: unknown }).categories
  if (!Array.isArray(list)) throw bad
  return list.map((entry: string | { name?: unknown; synonyms?: unknown } | null) => {
    if (typeof entry === 'string') return [entry]
    if (typeof entry?.name !== 'string') throw bad
    const { name, synonyms } = entry
    return [name, ...(Array.isArray(synonyms) ? synonyms.filter((one) => typeof one === 'string') : [])]
  })
}

const nameOf = (name: string) =>
  name
    .toLowerCase()
    .replace(/\(.*?\)/g, ' ')
    .replaceAll('_', ' ')
    .trim()
    .replace(/\s+/g, ' ')

/** @param heads counts by head, at least of those that the vocabulary names */
export function coverageOf(
  vocabulary: Vocabulary,
  heads: ReadonlyMap<string, number>,
  total: number,
): Coverage {
  let occurrences = 0
  for (const name of new Set(vocabulary.flat())) occurrences += heads.get(name) ?? 0
  return {
    categories: vocabulary.length,
    seen: vocabulary.filter((names) => names.some((name) => heads.has(name))).length,
    several_words: vocabulary.filter((names) => names.every((name) => name.includes(' '))).length,
    occurrences,
    share: total > 0 ? occurrences / total : 0,
  }
}
