import { startsCapital, startsSmall } from '../lexicon/letter-case.js'
import type { TaggedToken } from './tag.js'

export const isNoun = (token: TaggedToken | undefined) => token?.tag.startsWith('NN') ?? false
export const isPlural = (token: TaggedToken | undefined) => token?.tag === 'NNS'
export const isVerb = (token: TaggedToken | undefined) => token?.tag.startsWith('VB') ?? false

/** Whether a word begins with a capital. */
export const beginsCapital = (token: TaggedToken | undefined) => startsCapital(textOf(token))

const determiners = new Set(['DT', 'PRP$', 'PDT'])
/** Articles, demonstratives and possessive pronouns. */
export const isDeterminer = (token: TaggedToken | undefined) => determiners.has(token?.tag ?? '')

const adjectives = new Set(['JJ', 'JJR', 'JJS', 'VBN'])
export const isAdjective = (token: TaggedToken | undefined) => adjectives.has(token?.tag ?? '')
/** What may stand between a determiner and its noun. */
export const isModifier = (token: TaggedToken | undefined) => isAdjective(token) || token?.tag === 'CD'
export const isAdverb = (token: TaggedToken | undefined) => token?.tag.startsWith('RB') ?? false

/**
 * "and", "or", "&", a comma, or a comma and one of them: how many tokens join what is here to what follows.
 */
export function joinLength(tokens: readonly TaggedToken[], at: number): number {
  const conjunction = (place: number) => (tokens[place]?.tag === 'CC' ? 1 : 0)
  return tokens[at]?.tag === ',' ? 1 + conjunction(at + 1) : conjunction(at)
}

/** How many tokens rules look back, so that a caption takes time in proportion to its length. */
export const maxLookback = 12

/**
 * The determiner or number that the modifiers and nouns before `at` belong to, or undefined where they have
 * none.
 */
export function determinerOf(tokens: readonly TaggedToken[], at: number): TaggedToken | undefined {
  for (let place = at - 1; place >= Math.max(0, at - maxLookback); place--) {
    const token = tokens[place]
    if (isDeterminer(token)) return token
    if (!isModifier(token) && !isNoun(token) && !isAdverb(token)) {
      const number = tokens[place + 1]
      return number?.tag === 'CD' && place + 1 < at ? number : undefined
    }
  }
  return tokens[0]?.tag === 'CD' && at > 0 && at <= maxLookback ? tokens[0] : undefined
}

/** What a token is; empty where there is none. */
export const wordOf = (token: TaggedToken | undefined): string => token?.word ?? ''
export const textOf = (token: TaggedToken | undefined): string => token?.text ?? ''

/** What stands at a place of a caption, as it is written; empty before its start and behind its end. */
export const textAt = (tokens: readonly TaggedToken[], at: number): string => textOf(tokens[at])

/** The word at a place of a caption, in lower case; empty before its start and behind its end. */
export const wordAt = (tokens: readonly TaggedToken[], at: number): string => wordOf(tokens[at])

/**
 * Code points of the caption that the tokens from `first` up to `behind` take, of which there is one at
 * least.
 */
export function spanOf(
  tokens: readonly TaggedToken[],
  first: number,
  behind: number,
): { readonly start: number; readonly end: number } {
  const opens = tokens[first]
  const closes = tokens[behind - 1]
  if (!opens || !closes) throw new RangeError(`there are no tokens ${first} to ${behind}`)
  return { start: opens.start, end: closes.end }
}

/** The tag at a place of a caption; empty before its start and behind its end. */
export const tagAt = (tokens: readonly TaggedToken[], at: number): string => tokens[at]?.tag ?? ''

/** Whether most words nearby begin small: not so in a title. */
export function amongSmall(tokens: readonly TaggedToken[], at: number): boolean {
  let small = 0
  let words = 0
  for (const { isWord, text } of tokens.slice(Math.max(0, at - maxLookback), at + maxLookback)) {
    if (!isWord) continue
    words++
    if (startsSmall(text)) small++
  }
  return small * 2 > words
}
