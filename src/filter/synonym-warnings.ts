import { nameList, shownName } from '../base/name-list.js'
import { nearestName } from '../base/nearest-name.js'
import { foldedLabel } from '../words/label-matches.js'
import { isOwnSynonyms, readSynonyms, type Synonyms } from '../words/read-synonyms.js'
import type { RuleConfig } from './rules.js'

/**
 * What is odd in the synonyms of a filter's rules, in sentences: labels that the detector does not have, and words that
 * stand at several labels.
 *
 * @param labels of the detector; undefined where its proposals do not say
 * @throws UserError where a list cannot be read
 */
export async function synonymWarnings(
  rules: readonly RuleConfig[],
  labels: readonly string[] | undefined,
): Promise<string[]> {
  const warnings: string[] = []
  for (const config of rules)
    if (config.rule === 'label')
      warnings.push(...(await oddSynonyms(config.synonyms, labels, 'synonyms of the rule label')))
  return warnings
}

/**
 * The same of one list, or of the file or name of one. Of the program's own, which have words at several labels on
 * purpose and labels of a whole vocabulary, it is said which labels of the detector they do not have.
 */
export async function oddSynonyms(
  given: Synonyms | string,
  labels: readonly string[] | undefined,
  where: string,
): Promise<string[]> {
  const synonyms = typeof given === 'string' ? await readSynonyms(given) : given
  if (typeof given === 'string' && isOwnSynonyms(given))
    return withoutWords(given, synonyms, labels ?? [], where)
  const place = typeof given === 'string' ? `${where} (${shownName(given)})` : where
  const unknown = labels === undefined ? [] : unknownLabels(synonyms, labels)
  const repeated = repeatedWords(synonyms)
  const texts: string[] = []
  if (unknown.length > 0)
    texts.push(
      `${place}: the detector has no label ${nameList(unknown, 120, 8)} (${unknown.length} of ${Object.keys(synonyms).length}; it has ${labels?.length}): their words name nothing.`,
    )
  if (repeated.length > 0)
    texts.push(
      `${place}: ${nameList(repeated, 200, 8)}: boxes of each of these labels are taken for the word.`,
    )
  return texts
}

function withoutWords(name: string, synonyms: Synonyms, labels: readonly string[], where: string): string[] {
  const known = new Set(Object.keys(synonyms).map(foldedLabel))
  const missing = labels.filter((label) => !known.has(foldedLabel(label)))
  if (missing.length === 0) return []
  return [
    `${where}: the list ${name} has no words for ${missing.length} of the ${labels.length} labels of the detector: ${nameList(missing, 60, 8)}.`,
  ]
}

/** Labels of the list that the detector does not have, with the nearest that it has. */
function unknownLabels(synonyms: Synonyms, labels: readonly string[]): string[] {
  const known = new Set(labels.map(foldedLabel))
  return Object.keys(synonyms)
    .filter((label) => !known.has(foldedLabel(label)))
    .map((label) => {
      const nearest = nearestName(label, labels)
      return nearest === undefined ? label : `${label} (${nearest}?)`
    })
}

/** Words that stand at several labels, such as `bike (bicycle, motorcycle)`. */
function repeatedWords(synonyms: Synonyms): string[] {
  const labelsOf = new Map<string, Set<string>>()
  for (const [label, words] of Object.entries(synonyms))
    for (const word of words) {
      const folded = foldedLabel(word)
      labelsOf.set(folded, (labelsOf.get(folded) ?? new Set()).add(label))
    }
  return [...labelsOf].flatMap(([word, labels]) =>
    labels.size > 1 ? [`${word} (${[...labels].join(' and ')})`] : [],
  )
}
