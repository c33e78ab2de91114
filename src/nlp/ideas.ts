import { abstractHeads } from './abstract-heads.js'
import { weekdays } from './dates.js'
import { wordSet } from './lexicon/word-set.js'
import { nounSenses } from './lexicon/wordnet.js'
import type { TaggedToken } from './tags/tag.js'
import { isNoun, tagAt, wordAt } from './tags/tag-patterns.js'
import { compoundVisibility } from './tags/visibility.js'

/** "the 1960s", "the seventies". */
const decade = /^(?:\d+'?s|(?:twen|thir|for|fif|six|seven|eigh|nine)ties)$/

/** Said of how a thing is, with a preposition or a verb before and no determiner. */
const idioms = wordSet(
  `on-display at-auction on-set at-home at-work from-home in-line in-flight in-use in-place in-motion on-fire at-rest on-board at-bat in-stock
  by-hand in-action on-guard in-case on-foot at-play in-focus at-sunset at-sunrise for-rent for-hire stand-guard
  stands-guard standing-guard leave-court leaves-court leaving-court in-court at-court at-sea in-space for-text
  to-school for-school from-school after-school to-work for-work to-bed`,
)
const meals = wordSet('breakfast lunch dinner brunch supper')
/** Said of light that is no lamp. */
const lights = wordSet('natural soft warm dim first golden ambient bright morning evening')
const weather = wordSet('rain storm snow snowfall rainfall flood flooding earthquake hurricane typhoon wind')

/** Times, doings and ideas, unless the compound that they end is a thing. */
export function isIdea(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  const before = wordAt(tokens, start - 1)
  const after = wordAt(tokens, end)
  if (end - start === 1 && (isDoing(tokens, start, head) || (after === 'prep' && meal.test(head))))
    return true
  // Coils of wire, where they are no season; the number that is written there.
  if (head === 'spring' && tagAt(tokens, end - 1) === 'NNS') return false
  // "a child on a swing".
  if (head === 'swing' && /^(?:on|onto|off)$/.test(before)) return false
  if (head === 'number' && tagAt(tokens, end) === 'CD') return false
  // "in shades of blue".
  if (wordAt(tokens, end - 1) === 'shades' && after === 'of') return true
  // "Buffalo Cauliflower Bites".
  if (head === 'bite' && tagAt(tokens, end - 1) === 'NNS' && end - start > 1) return false
  if (before === 'during' || decade.test(wordAt(tokens, end - 1))) return true
  if (before === 'after' && weather.has(head)) return true
  if (head === 'light' && tagAt(tokens, end - 1) === 'NN' && lights.has(wordAt(tokens, end - 2))) return true
  // "the fourth quarter", "the final whistle".
  if (
    /^(?:quarter|inning|period|whistle)$/.test(head) &&
    /^(?:first|second|third|fourth|final|last)$/.test(wordAt(tokens, end - 2))
  )
    return true
  if ((labels.has(head) || meals.has(head)) && isLabel(tokens, start, end, head)) return true
  // "no bigger than dots".
  if (before === 'than' && /^(?:NN|JJ)/.test(tagAt(tokens, start))) return true
  // "10 things to do in Lisbon".
  if (head === 'thing' && after === 'to' && /^(?:do|see|know|try|eat|visit)$/.test(wordAt(tokens, end + 1)))
    return true
  // "at the Grammy Awards".
  if (head === 'award' && before === 'at') return true
  // "a game of poker", "standing in a line".
  if (before === 'of' && /^(?:game|match|round|sport)$/.test(tokens[start - 2]?.text ?? '')) return true
  if (before === 'in' && head === 'line' && after !== 'of') return true
  if (!abstractHeads.has(head)) return false
  return end - start < 2 || compoundVisibility(wordAt(tokens, end - 2), head) === undefined
}

const meal = /^(?:meal|dinner|lunch)$/

const labels = wordSet('class outfit look post pickup shower grid circle line row')

/** "the class of 2021", "outfit of the day", "a new post", "Sunday brunch": what a post is about, by its occasion. */
function isLabel(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  if (head === 'class') return wordAt(tokens, end) === 'of' && /^(?:19|20)\d\d$/.test(wordAt(tokens, end + 1))
  if (/^(?:outfit|look)$/.test(head))
    return wordAt(tokens, end) === 'of' && /^(?:day|week|month|night)$/.test(wordAt(tokens, end + 2))
  if (head === 'post')
    return /^(?:new|late|latest|last|blog|next|sponsored|guest)$/.test(wordAt(tokens, end - 2))
  if (head === 'shower') return /^(?:baby|bridal|wedding)$/.test(wordAt(tokens, end - 2))
  // "porch pickup" is no truck.
  if (head === 'pickup') return /^(?:porch|local|curbside|store)$/.test(wordAt(tokens, end - 2))
  if (meals.has(head) && end - start === 2) return weekdays.has(wordAt(tokens, start))
  return (
    /^(?:grid|circle|line|row)$/.test(head) && /^(?:arranged|laid|organized)$/.test(wordAt(tokens, start - 2))
  )
}

/** What names a thing only where something happens to it. */
const keywords = wordSet('rain wildlife harvest transport production')

const isListed = (token: TaggedToken | undefined) =>
  token === undefined || token.tag === ',' || (isNoun(token) && token.text === token.word)

/** One bare word that says what is done or how: "on display", "playing football", "having breakfast". */
function isDoing(tokens: readonly TaggedToken[], at: number, head: string): boolean {
  const before = wordAt(tokens, at - 1)
  if (idioms.has(`${before}-${head}`)) return true
  // The first sense of "football" is the game.
  if (/^play/.test(before) && head !== 'ball' && nounSenses(head)[0]?.file === 'act') return true
  // "owl, wildlife, night": among key words.
  if (keywords.has(head) && isListed(tokens[at - 1]) && isListed(tokens[at + 1])) return true
  // "First day of school".
  if (head === 'school' && before === 'of' && wordAt(tokens, at - 2) === 'day') return true
  if (meals.has(head) && /^(?:today|tonight|time|goals?|date)$/.test(wordAt(tokens, at + 1))) return true
  if (meals.has(head))
    return /^(?:eat|hav|has$|had$|mak|cook|enjoy|prepar|for$|at$|before$|after$|over$)/.test(before)
  return head === 'step' && (wordAt(tokens, at + 1) === 'by' || before === 'by')
}
