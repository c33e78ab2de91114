import { lemma } from '../lexicon/lemma.js'
import { tagsOf } from '../lexicon/lexicon.js'
import { isOneOf, wordSet } from '../lexicon/word-set.js'
import type { TaggedToken } from './tag.js'
import { beginsCapital, textAt, wordAt, wordOf } from './tag-patterns.js'
import { visibility } from './visibility.js'

/** What stands, lies or flows, and has its name behind "of": "Museum of Modern Art", "Cliffs of Moher". */
const landmarks = wordSet(
  `museum gallery church cathedral basilica abbey monastery convent chapel mosque synagogue temple shrine palace castle
  fortress citadel tower bridge hall gate arch tomb mausoleum pantheon theatre theater fountain pyramid cliff cave valley
  garden lake bay gulf strait sea cape isle rock hill pool oratory pavilion library lighthouse column`,
)
/** Titles and offices that say of what: "Duchess of Cambridge", "Secretary of State Mike Pompeo". */
const offices = wordSet(
  `duke duchess prince princess king queen earl countess count baron lord secretary minister mayor president sultan emir
  archbishop bishop marquess chancellor governor head`,
)
/** Whose name goes on behind a preposition: "Inn on the Alameda", "Gardens by the Bay". */
const houses = wordSet(
  'inn lodge hotel resort suites residences villas cottages shops gardens lodges retreat club',
)

const smallWords = wordSet('of the on at by')

/**
 * Whether what is at `at`, behind a noun, is a small word inside the name of one thing: "of" in "Temple of Heaven",
 * "on" in "Inn on the Alameda", "the" in "Christ the Redeemer".
 */
export function joinsName(tokens: readonly TaggedToken[], at: number): boolean {
  const word = textAt(tokens, at)
  if (!smallWords.has(word) || !beginsCapital(tokens[at - 1])) return false
  if (word === 'of') return isLandmarkOf(tokens, at)
  if (word === 'the') return isEpithet(tokens, at)
  if (!houses.has(wordAt(tokens, at - 1))) return false
  // "Gardens at Versailles" are where they are: only the name of a house goes on with another name at once.
  if (textAt(tokens, at + 1) === 'the') return beginsCapital(tokens[at + 2])
  return isOneOf(wordAt(tokens, at - 1), 'inn lodge') && beginsCapital(tokens[at + 1])
}

/** Whether tokens `start` to `end` are such a name, so that its last word is not what is seen. */
export function isJoinedName(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  for (let at = start + 1; at < end - 1; at++) if (joinsName(tokens, at)) return true
  return false
}

function isLandmarkOf(tokens: readonly TaggedToken[], at: number): boolean {
  const behind = textAt(tokens, at + 1) === 'the' ? at + 2 : at + 1
  if (!beginsCapital(tokens[behind])) return false
  const head = wordAt(tokens, at - 1)
  if (offices.has(head)) return head !== 'head' || !beginsCapital(tokens[at - 2])
  return landmarks.has(lemma(head)) || (head === 'statue' && isOneOf(wordAt(tokens, behind), 'liberty unity'))
}

/** "Christ the Redeemer", "Winnie the Pooh", and no "Kobani the Syrian town". */
function isEpithet(tokens: readonly TaggedToken[], at: number): boolean {
  const [before, after] = [tokens[at - 1], tokens[at + 1]]
  if (!beginsCapital(after) || beginsCapital(tokens[at - 2]) || /^JJ/.test(tagsOf(wordOf(after))?.[0] ?? ''))
    return wordAt(tokens, at + 1) === 'great' && beginsCapital(after)
  const found = visibility(wordOf(before))
  return before?.tag === 'NN' && (found === 'person' || found === 'unknown')
}
