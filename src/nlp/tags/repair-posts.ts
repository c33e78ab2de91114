import { lemma } from '../lexicon/lemma.js'
import { canBe, hasTag } from '../lexicon/lexicon.js'
import { isOneOf, wordSet } from '../lexicon/word-set.js'
import { isVerbLemma } from '../lexicon/wordnet.js'
import type { TaggedToken } from './tag.js'
import {
  beginsCapital,
  isDeterminer,
  isModifier,
  isNoun,
  isPlural,
  isVerb,
  tagAt,
  textAt,
  textOf,
  wordAt,
} from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'
import { compoundVisibility, visibility } from './visibility.js'

/** What forums put in front of a post. */
const forumMarks = wordSet('til eli5 psbattle aita lpt ysk ama iama itap')
/** What a post asks its reader to do. */
const requests = wordSet('like follow tag comment share swipe tap subscribe save pin repost vote rsvp')
/** By whom or how a thing is made. */
const made = ['home', 'hand', 'custom']
const closed = wordSet('DT IN CC TO PRP PRP$ VBZ')
const subjects = wordSet('i you we they')
const contacts = wordSet('dm pm call text email message click tap whatsapp')
/** What stands in front of the words that are written on a thing. */
const tellsWords =
  /^(?:words?|letters?|texts?|lettering|slogan|caption|inscription|reads?|reading|says?|saying|spells?|spelling)$/

/** Rules for one word each; most words of a caption are none of them. */
const byWord: ReadonlyMap<string, TagRule> = new Map<string, TagRule>([
  // "TIL that", "PsBattle: this otter".
  ...rulesFor(forumMarks, (_, at) => (at < 2 ? 'UH' : undefined)),
  // "It's a girl!": what a card says.
  ...rulesFor(['girl', 'boy'], (tokens, at) => (isAnnounced(tokens, at) ? 'UH' : undefined)),
  // "Like, follow & tag 2 friends": the first of them opens what is said, others are joined to it.
  ...rulesFor(requests, (tokens, at) => (isNoun(tokens[at]) && isRequest(tokens, at) ? 'VB' : undefined)),
  // "home made pasta".
  ...rulesFor(['hand', 'custom'], (tokens, at) =>
    wordAt(tokens, at + 1) === 'made' && leadsOn(tokens, at + 2) ? 'JJ' : undefined,
  ),
  ...rulesFor(['made'], (tokens, at) =>
    made.includes(wordAt(tokens, at - 1)) && leadsOn(tokens, at + 1) ? 'JJ' : undefined,
  ),
  // "followed me home", "on the way home".
  ...rulesFor(['home'], (tokens, at) =>
    wordAt(tokens, at + 1) === 'made' && leadsOn(tokens, at + 2)
      ? 'JJ'
      : isWayHome(tokens, at)
        ? 'RB'
        : undefined,
  ),
  // "The flat lay shows a passport", seen from above.
  ...rulesFor(['lay'], (tokens, at) =>
    wordAt(tokens, at - 1) === 'flat' && !isNoun(tokens[at + 1]) ? 'NN' : undefined,
  ),
  ...rulesFor(['flat'], (tokens, at) => (wordAt(tokens, at + 1) === 'lay' ? 'JJ' : undefined)),
  // "Double tap if you love puppies".
  ...rulesFor(['double'], (tokens, at) => (wordAt(tokens, at + 1) === 'tap' ? 'RB' : undefined)),
  // "the craft fair".
  ...rulesFor(['fair'], (tokens, at) =>
    isNoun(tokens[at - 1]) && !leadsOn(tokens, at + 1) ? 'NN' : undefined,
  ),
  // "the letter A".
  ...rulesFor(['a'], (tokens, at) =>
    textAt(tokens, at) === 'A' && isOneOf(wordAt(tokens, at - 1), 'letter vitamin') ? 'NN' : undefined,
  ),
  // "a chess set made of bolts", where a compound is known.
  ...rulesFor(['set'], (tokens, at) =>
    isVerb(tokens[at]) &&
    isNoun(tokens[at - 1]) &&
    isDeterminer(tokens[at - 2]) &&
    isThing(compoundVisibility(wordAt(tokens, at - 1), 'set'))
      ? 'NN'
      : undefined,
  ),
  // "the sun sets behind a mountain".
  ...rulesFor(['sets', 'rises'], (tokens, at) =>
    isOneOf(wordAt(tokens, at - 1), 'sun moon') && !leadsOn(tokens, at + 1) ? 'VBZ' : undefined,
  ),
  // "South Korean boy band".
  ...rulesFor(['south', 'north', 'west', 'east', 'central'], (tokens, at) =>
    isNoun(tokens[at]) &&
    tagAt(tokens, at + 1) === 'JJ' &&
    /^\p{Lu}.*(?:an|ese|ish)$/u.test(textAt(tokens, at + 1))
      ? 'JJ'
      : undefined,
  ),
])

function rulesFor(words: Iterable<string>, rule: TagRule): (readonly [string, TagRule])[] {
  return [...words].map((word) => [word, rule] as const)
}

/** Mistakes in posts and in what is written on signs; for all words of a caption. */
export const postRules: readonly TagRule[] = [
  (tokens, at) => {
    const token = tokens[at] as TaggedToken
    // Small words are none of it, and a third of a caption.
    if (token.text === token.word && closed.has(token.tag)) return undefined
    const found = byWord.get(token.word)?.(tokens, at)
    if (found !== undefined) return found
    // "a sign reading KEEP OUT", "the word LOVE".
    if (token.text !== token.word && isWritten(tokens, at)) return 'UH'
    // "step by step", "side by side".
    if (isTwice(tokens, at, 1) || isTwice(tokens, at, -1)) return 'RB'
    if (token.tag === 'NN') return ofSingular(tokens, at)
    return token.tag === 'NNS' ? ofPlural(tokens, at) : undefined
  },
]

const isTwice = (tokens: readonly TaggedToken[], at: number, step: number) =>
  wordAt(tokens, at + step) === 'by' && wordAt(tokens, at + 2 * step) === wordAt(tokens, at)

/** What is not the singular of a noun that the tagger takes it for. */
function ofSingular(tokens: readonly TaggedToken[], at: number): string | undefined {
  const word = wordAt(tokens, at)
  const before = tagAt(tokens, at - 1)
  const after = tagAt(tokens, at + 1)
  // "Woman jogging in a park".
  if (word.endsWith('ing') && isActor(tokens[at - 1]) && !isNoun(tokens[at + 1]))
    return visibility(word) === undefined ? 'VBG' : undefined
  // "a man rock climbing": a doing of two words that WordNet has, and no rock.
  if (after === 'VBG') return isNamedDoing(tokens, at) ? 'RB' : undefined
  // "DM to book!", "to stop and admire".
  if (before === 'TO') {
    const isAsked = contacts.has(wordAt(tokens, at - 2))
    const isJoined = after === 'CC' && isOneOf(tagAt(tokens, at + 2), 'VB VBP')
    return (isAsked || isJoined) && isVerbLemma(word) ? 'VB' : undefined
  }
  // "Fans of Argentina cheer before", "supporters of Hamas march in".
  if (wordAt(tokens, at - 2) === 'of') {
    const isDone =
      isPlural(tokens[at - 3]) &&
      beginsCapital(tokens[at - 1]) &&
      textAt(tokens, at) === word &&
      isOneOf(after, 'IN TO RB DT PRP$')
    return isDone && hasTag(word, 'VB VBP') ? 'VBP' : undefined
  }
  // "if you love puppies".
  if (subjects.has(wordAt(tokens, at - 1)) && (after.startsWith('NN') || isOneOf(after, 'DT PRP$')))
    return isVerbLemma(word) ? 'VBP' : undefined
  // "leans back mid-solo".
  const isLoose = before !== 'IN' && !isDeterminer(tokens[at - 1]) && !isNoun(tokens[at + 1])
  return isLoose && word.startsWith('mid-') ? 'RB' : undefined
}

/** What somebody does, and no plural. */
function ofPlural(tokens: readonly TaggedToken[], at: number): string | undefined {
  // "a drummer watches him": no noun has a pronoun of the object behind it.
  if (isOneOf(wordAt(tokens, at + 1), 'him them me us it')) {
    const isActed = !isOneOf(tagAt(tokens, at - 1), 'IN CD JJ') && !isDeterminer(tokens[at - 1])
    return isActed && canBe(lemma(wordAt(tokens, at)), 'VB') ? 'VBZ' : undefined
  }
  return beginsCapital(tokens[at - 1]) && actsBehindName(tokens, at) ? 'VBZ' : undefined
}

const leadsOn = (tokens: readonly TaggedToken[], at: number) => isNoun(tokens[at]) || isModifier(tokens[at])

const isActor = (token: TaggedToken | undefined) =>
  token?.tag === 'NN' && isOneOf(visibility(token.word), 'person animal')

/** Whether nothing tells which home and somebody goes there. */
const isWayHome = (tokens: readonly TaggedToken[], at: number) =>
  (/^(?:PRP|VB.?|RB)$/.test(tagAt(tokens, at - 1)) || wordAt(tokens, at - 1) === 'way') &&
  !isOneOf(wordAt(tokens, at - 1), 'built made staged painted') &&
  !leadsOn(tokens, at + 1)

/** "It's a girl!" */
const isAnnounced = (tokens: readonly TaggedToken[], at: number) =>
  wordAt(tokens, at - 1) === 'a' &&
  isOneOf(wordAt(tokens, at - 2), "it's its 's") &&
  (!tokens[at + 1]?.isWord || beginsCapital(tokens[at + 1]))

/** "a fisherman from Senegal mends nets". */
const actsBehindName = (tokens: readonly TaggedToken[], at: number) =>
  isOneOf(wordAt(tokens, at - 2), 'from of in') &&
  tagAt(tokens, at - 3) === 'NN' &&
  visibility(wordAt(tokens, at - 3)) === 'person' &&
  textAt(tokens, at) === wordAt(tokens, at) &&
  isVerbLemma(lemma(wordAt(tokens, at)))

function isRequest(tokens: readonly TaggedToken[], at: number): boolean {
  if (wordAt(tokens, at) === 'tap' && wordAt(tokens, at - 1) === 'double') return true
  if (tokens[at + 1]?.isWord && !isOneOf(tagAt(tokens, at + 1), 'DT PRP$ CD CC RB PRP TO')) return false
  const before = wordAt(tokens, at - 1)
  if (/^[,&]$|^and$/.test(before)) return requests.has(wordAt(tokens, at - 2)) && at < 40
  return (
    !tokens[at - 1]?.isWord &&
    tokens[at + 1]?.isWord === true &&
    beginsCapital(tokens[at]) &&
    !isModifier(tokens[at + 1]) &&
    tagAt(tokens, at + 1) !== 'CC'
  )
}

const isShouted = (token: TaggedToken | undefined) => /^\p{Lu}[\p{Lu}\p{N}'’-]*$/u.test(textOf(token))

/** Whether a word in capitals stands behind "reads" or "the word", or behind such a one that does. */
function isWritten(tokens: readonly TaggedToken[], at: number): boolean {
  if (!isShouted(tokens[at]) || at === 0) return false
  // "A man" is no part of it, "IS A BROOM" is.
  if (tokens[at]?.text.length === 1 && !isShouted(tokens[at + 1])) return false
  let before = at - 1
  if (wordAt(tokens, before) === ':') before--
  if (tellsWords.test(wordAt(tokens, before))) return !isShouted(tokens[before])
  return tagAt(tokens, at - 1) === 'UH' && isShouted(tokens[at - 1])
}

function isNamedDoing(tokens: readonly TaggedToken[], at: number): boolean {
  // "a man riding" is looked up for no compound: most captions have one.
  if (isActor(tokens[at])) return false
  if (isDeterminer(tokens[at - 1]) || isModifier(tokens[at - 1])) return false
  if (isNoun(tokens[at + 2]) || isModifier(tokens[at + 2]) || isDeterminer(tokens[at + 2])) return false
  return visibility(`${wordAt(tokens, at)}_${wordAt(tokens, at + 1)}`) === undefined
}

const isThing = (found: string | undefined) => found !== undefined && found !== 'listed'
