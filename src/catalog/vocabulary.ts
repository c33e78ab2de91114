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
