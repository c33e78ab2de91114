import { lemma } from '../nlp/lexicon/lemma.js'
import { type NounPlace, placeOf } from '../nlp/lexicon/noun-relations.js'
import { tokenize } from '../nlp/lexicon/tokenize.js'
import { nounSenses } from '../nlp/lexicon/wordnet.js'
import { repairTags } from '../nlp/tags/repair-tags.js'
import { type TaggedToken, tag } from '../nlp/tags/tag.js'
import { isDeterminer, isModifier, isNoun } from '../nlp/tags/tag-patterns.js'
import { type AttributeValue, attributeValues } from '../words/attribute-values.js'

/** What a phrase names, and what it says of that. */
export interface NamedThing {
  /** The noun, its compound with it: lower case, the last word in the singular. */
  readonly noun: string
  readonly place: NounPlace
  /** Attributes that stand before the noun, and so are of it: not the shirt's of "man in a red shirt". */
  readonly attributes: readonly AttributeValue[]
}

/**
 * What a phrase names: "two red cats on a sofa" are cats, a "hot dog" is a compound of WordNet's.
 *
 * @param names lower case, their last word in the singular: taken whole where the phrase has one
 */
export function namedThing(phrase: string, names: ReadonlySet<string>): NamedThing {
  const tokens = repairTags(tag(tokenize(phrase)))
  const end = endOfNouns(tokens)
  const words = tokens.slice(0, end)
  const wordsFrom = (at: number) => singular(words.slice(at).map(({ word }) => word))
  const values = attributeValues(phrase)
  const isValue = (at: number) => values.some(({ span }) => span[0] === words[at]?.start)
  /** A compound that begins there. "White elephant" is one of WordNet's, and yet most are white. */
  const isName = (at: number) =>
    names.has(wordsFrom(at)) || (at < end - 1 && !isValue(at) && hasNoun(wordsFrom(at).replaceAll(' ', '_')))
  const first = words.findIndex((_, at) => isName(at))
  const start = first === -1 ? Math.max(0, end - 1) : first
  const noun = wordsFrom(start)
  const before = words[start]?.start ?? 0
  const attributes = values.filter(({ span }) => span[1] <= before)
  return { noun, place: placeOf(noun), attributes }
}

/** Words in lower case, the last of them in the singular. */
export function singular(words: readonly string[]): string {
  const last = words.at(-1)
  return last === undefined ? '' : [...words.slice(0, -1), lemma(last)].join(' ').toLowerCase()
}

const hasNoun = (lemma: string) => nounSenses(lemma).length > 0

/** Behind the noun that a phrase begins with; behind all of it where it has none. */
function endOfNouns(tokens: readonly TaggedToken[]): number {
  let end = 0
  for (const [at, token] of tokens.entries()) {
    if (isNoun(token)) end = at + 1
    else if (end > 0 || !(isDeterminer(token) || isModifier(token) || isBefore(token))) break
  }
  return end === 0 ? tokens.length : end
}

/** What may stand before a noun besides determiners, adjectives and numbers: "very", "running", "'s". */
const isBefore = ({ tag, isWord }: TaggedToken) => !isWord || /^(?:RB|VBG|POS|IN\/?JJ)/.test(tag)
