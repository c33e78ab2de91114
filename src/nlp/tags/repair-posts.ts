import { lemma } from '../lexicon/lemma.js'
import { canBe, tagsOf } from '../lexicon/lexicon.js'
import { isVerbLemma } from '../lexicon/wordnet.js'
import type { TaggedToken } from './tag.js'
import { isDeterminer, isModifier, isNoun, isPlural, isVerb, tagAt, wordAt } from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'
import { compoundVisibility, visibility } from './visibility.js'

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

/** What forums put in front of a post. */
const forumMarks = list('til eli5 psbattle aita lpt ysk ama iama itap')
/** What a post asks its reader to do. */
const requests = list('like follow tag comment share swipe tap subscribe save pin repost vote rsvp')
/** What stands in front of the words that are written on a thing. */
const tellsWords =
  /^(?:words?|letters?|texts?|lettering|slogan|caption|inscription|reads?|reading|says?|saying|spells?|spelling)$/

/** Mistakes in posts and in what is written on signs; for all words of a caption. */
export const postRules: readonly TagRule[] = [
  // "TIL that", "PsBattle: this otter".
  (tokens, at) => (at < 2 && forumMarks.has(wordAt(tokens, at)) ? 'UH' : undefined),
  // "It's a girl!": what a card says.
  (tokens, at) =>
    /^(?:girl|boy)$/.test(wordAt(tokens, at)) &&
    wordAt(tokens, at - 1) === 'a' &&
    /^(?:it's|its|'s)$/.test(wordAt(tokens, at - 2)) &&
    !(tokens[at + 1]?.isWord && !/^\p{Lu}/u.test(tokens[at + 1]?.text ?? ''))
      ? 'UH'
      : undefined,
  // "Like, follow & tag 2 friends": the first of them opens what is said, others are joined to it.
  (tokens, at) =>
    requests.has(wordAt(tokens, at)) && isNoun(tokens[at]) && isRequest(tokens, at) ? 'VB' : undefined,
  // "DM to book!"
  (tokens, at) =>
    isNoun(tokens[at]) &&
    tagAt(tokens, at - 1) === 'TO' &&
    /^(?:dm|pm|call|text|email|message|click|tap|whatsapp)$/.test(wordAt(tokens, at - 2)) &&
    isVerbLemma(wordAt(tokens, at))
      ? 'VB'
      : undefined,
  // "a sign reading KEEP OUT", "the word LOVE".
  (tokens, at) => (isWritten(tokens, at) ? 'UH' : undefined),
  // "home made pasta".
  (tokens, at) => {
    const isMade = /^(?:home|hand|custom|man)$/.test(wordAt(tokens, at)) && wordAt(tokens, at + 1) === 'made'
    if (isMade) return 'JJ'
    const leads = isNoun(tokens[at + 1]) || isModifier(tokens[at + 1])
    return wordAt(tokens, at) === 'made' && /^(?:home|hand|custom|man)$/.test(wordAt(tokens, at - 1)) && leads
      ? 'JJ'
      : undefined
  },
  // "the craft fair".
  (tokens, at) =>
    wordAt(tokens, at) === 'fair' &&
    isNoun(tokens[at - 1]) &&
    !(isNoun(tokens[at + 1]) || isModifier(tokens[at + 1]))
      ? 'NN'
      : undefined,
  // "leans back mid-solo".
  (tokens, at) =>
    /^mid-/.test(wordAt(tokens, at)) &&
    isNoun(tokens[at]) &&
    tagAt(tokens, at - 1) !== 'IN' &&
    !isDeterminer(tokens[at - 1]) &&
    !isNoun(tokens[at + 1])
      ? 'RB'
      : undefined,
  // "step by step", "side by side".
  (tokens, at) => {
    const word = wordAt(tokens, at)
    const isTwice =
      (wordAt(tokens, at + 1) === 'by' && wordAt(tokens, at + 2) === word) ||
      (wordAt(tokens, at - 1) === 'by' && wordAt(tokens, at - 2) === word)
    return isTwice && tokens[at]?.isWord ? 'RB' : undefined
  },
  // "a drummer watches him": no noun has a pronoun of the object behind it.
  (tokens, at) =>
    isPlural(tokens[at]) &&
    /^(?:him|them|me|us|it)$/.test(wordAt(tokens, at + 1)) &&
    canBe(lemma(wordAt(tokens, at)), 'VB') &&
    !/^(?:IN|CD|JJ)$/.test(tagAt(tokens, at - 1)) &&
    !isDeterminer(tokens[at - 1])
      ? 'VBZ'
      : undefined,
  // "to stop and admire".
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    tagAt(tokens, at - 1) === 'TO' &&
    tagAt(tokens, at + 1) === 'CC' &&
    /^VBP?$/.test(tagAt(tokens, at + 2)) &&
    isVerbLemma(wordAt(tokens, at))
      ? 'VB'
      : undefined,
  // "the letter A".
  (tokens, at) =>
    tokens[at]?.text === 'A' && /^(?:letter|vitamin)$/.test(wordAt(tokens, at - 1)) ? 'NN' : undefined,
  // "a chess set made of bolts", where a compound is known.
  (tokens, at) =>
    wordAt(tokens, at) === 'set' &&
    isVerb(tokens[at]) &&
    isNoun(tokens[at - 1]) &&
    isDeterminer(tokens[at - 2]) &&
    isThing(compoundVisibility(wordAt(tokens, at - 1), 'set'))
      ? 'NN'
      : undefined,
  // "a man rock climbing": a doing of two words that WordNet has, and no rock.
  (tokens, at) =>
    tagAt(tokens, at + 1) === 'VBG' && tagAt(tokens, at) === 'NN' && isNamedDoing(tokens, at)
      ? 'RB'
      : undefined,
  (tokens, at) => (isRegion(tokens, at) ? 'JJ' : actsBehindName(tokens, at) ? 'VBZ' : undefined),
  // "Fans of Argentina cheer before", "supporters of Hamas march in".
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    /^\p{Lu}/u.test(tokens[at - 1]?.text ?? '') &&
    wordAt(tokens, at - 2) === 'of' &&
    isPlural(tokens[at - 3]) &&
    tokens[at]?.text === wordAt(tokens, at) &&
    /^(?:IN|TO|RB|DT|PRP\$)$/.test(tagAt(tokens, at + 1)) &&
    tagsOf(wordAt(tokens, at))?.some((tag) => /^VBP?$/.test(tag)) === true
      ? 'VBP'
      : undefined,
]

/** Of a people of the south: "South Korean boy band". */
const isRegion = (tokens: readonly TaggedToken[], at: number) =>
  /^(?:South|North|West|East|Central)$/.test(tokens[at]?.text ?? '') &&
  isNoun(tokens[at]) &&
  tagAt(tokens, at + 1) === 'JJ' &&
  /^\p{Lu}.*(?:an|ese|ish)$/u.test(tokens[at + 1]?.text ?? '')

/** "a fisherman from Senegal mends nets". */
const actsBehindName = (tokens: readonly TaggedToken[], at: number) =>
  isPlural(tokens[at]) &&
  /^\p{Lu}/u.test(tokens[at - 1]?.text ?? '') &&
  /^(?:from|of|in)$/.test(wordAt(tokens, at - 2)) &&
  tagAt(tokens, at - 3) === 'NN' &&
  visibility(wordAt(tokens, at - 3)) === 'person' &&
  tokens[at]?.text === wordAt(tokens, at) &&
  isVerbLemma(lemma(wordAt(tokens, at)))

function isRequest(tokens: readonly TaggedToken[], at: number): boolean {
  if (tokens[at + 1]?.isWord && !/^(?:DT|PRP\$|CD|CC|RB|PRP|TO)$/.test(tagAt(tokens, at + 1))) return false
  const before = wordAt(tokens, at - 1)
  if (/^[,&]$|^and$/.test(before)) return requests.has(wordAt(tokens, at - 2)) && at < 40
  return (
    !tokens[at - 1]?.isWord &&
    tokens[at + 1]?.isWord === true &&
    /^\p{Lu}/u.test(tokens[at]?.text ?? '') &&
    !isModifier(tokens[at + 1]) &&
    tagAt(tokens, at + 1) !== 'CC'
  )
}

const isShouted = (token: TaggedToken | undefined) => /^\p{Lu}[\p{Lu}\p{N}'’-]+$/u.test(token?.text ?? '')

/** Whether a word in capitals stands behind "reads" or "the word", or behind such a one that does. */
function isWritten(tokens: readonly TaggedToken[], at: number): boolean {
  if (!isShouted(tokens[at]) || at === 0) return false
  let before = at - 1
  if (wordAt(tokens, before) === ':') before--
  if (tellsWords.test(wordAt(tokens, before))) return !isShouted(tokens[before])
  return tagAt(tokens, at - 1) === 'UH' && isShouted(tokens[at - 1])
}

function isNamedDoing(tokens: readonly TaggedToken[], at: number): boolean {
  if (isDeterminer(tokens[at - 1]) || isModifier(tokens[at - 1])) return false
  if (isNoun(tokens[at + 2]) || isModifier(tokens[at + 2]) || isDeterminer(tokens[at + 2])) return false
  return visibility(`${wordAt(tokens, at)}_${wordAt(tokens, at + 1)}`) === undefined
}

const isThing = (found: string | undefined) => found !== undefined && found !== 'listed'
