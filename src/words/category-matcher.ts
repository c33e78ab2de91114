import { commonNames, otherNames } from './common-names.js'
import { foldedLabel, type HeadedPhrase, type LabelMatcher, namesMatcher } from './label-matches.js'

export interface CategoryNames {
  /** The categories that there are, where that is known: a longer name among them is another thing. */
  readonly categories?: readonly string[]
  /** Further names by category, such as person: [goalkeeper]. */
  readonly synonyms?: Readonly<Record<string, readonly string[]>>
  /** Whether what captions commonly call the categories of COCO counts as well: man for person. */
  readonly common: boolean
}

/**
 * Tells whether a phrase can mean a category as `labelMatcher` does, by what captions commonly call it as well.
 * The longest of all names that are known wins, also of categories that nobody asks for: "a hot dog" is no
 * dog, and "a microwave oven" no oven.
 */
export function categoryMatcher({ categories = [], synonyms = {}, common }: CategoryNames): LabelMatcher {
  const own = new Map(Object.entries(synonyms).map(([category, names]) => [foldedLabel(category), names]))
  const commonOf = (category: string) => (common ? commonNames.get(foldedLabel(category)) : undefined)
  const known = common ? [...categories, ...commonNames.keys(), ...otherNames] : categories
  const means = namesMatcher([...known, ...own.keys()], (category) => [
    ...(own.get(foldedLabel(category)) ?? []),
    ...(commonOf(category) ?? []),
  ])
  // The few categories are asked of the same phrases again and again.
  const answers = new WeakMap<HeadedPhrase, Map<string, boolean>>()
  return (category, phrase) => {
    const given = answers.get(phrase) ?? new Map<string, boolean>()
    answers.set(phrase, given)
    const answer = given.get(category) ?? means(category, phrase)
    given.set(category, answer)
    return answer
  }
}
