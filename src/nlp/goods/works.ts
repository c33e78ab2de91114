import { mediaWords, platforms } from '../lexicon/goods-words.js'
import { lemma } from '../lexicon/lemma.js'
import { startsSmall } from '../lexicon/letter-case.js'
import { isWare } from '../lexicon/wares.js'
import type { TaggedToken } from '../tags/tag.js'
import { wordAt } from '../tags/tag-patterns.js'

/** What is said of an edition in front of what it comes on: "First Edition Hardback". */
const editions =
  /^(?:\d+[a-z]*|first|second|third|anniversary|illustrated|revised|annotated|large|print|the|series|seasons?|trilogy|collection|dvd|limited|special|deluxe|complete|collectors?|edition|ed|mass|market|trade|box|boxed|set|new|used|signed|original|double|x)$/
/** Things for what a work comes on. */
const players =
  /^(?:player|drive|rack|case|holder|storage|recorder|shelf|tower|changer|burner|decal|sticker|plank|floor|flooring|siding|wrap|gloves|figure|tile|print|banner)s?$/
/** A title is looked through no further. */
const longest = 40

/**
 * Whether the noun phrase of tokens `start` to `end` is of the title of a book, a record, a film or a game: what it
 * comes on stands apart behind it ("The Girl on the Train by Paula Hawkins (Paperback)", "Rumours - Vinyl LP", "Mario Kart
 * 8 (Nintendo Switch)").
 */
export function isTitleOfWork(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (
    !/^[\p{Lu}\p{Nd}]/u.test(tokens[end - 1]?.text ?? '') ||
    !/^[\p{Lu}\p{Nd}]|^(?:a|an|the)$/u.test(tokens[start]?.text ?? '')
  )
    return false
  for (let at = end; at < Math.min(tokens.length, end + longest); at++) {
    const { word, isWord } = tokens[at] as TaggedToken
    if (!isWord && /^[-–—|(,:[]$/.test(word) && opensMedium(tokens, at + 1)) return true
    if (word === '(' && isPlatform(tokens, at + 1) && !isWare(lemma(wordAt(tokens, at - 1)))) return true
    if (/^(?:VB[ZPD]|MD)$/.test(tokens[at]?.tag ?? '') && startsSmall(tokens[at]?.text ?? '')) return false
  }
  return false
}

/** Whether nothing but an edition stands between a sign and what a work comes on. */
function opensMedium(tokens: readonly TaggedToken[], from: number): boolean {
  for (let at = from; at < from + 4; at++) {
    const word = wordAt(tokens, at)
    if (mediaWords.has(word))
      return !players.test(wordAt(tokens, at + 1)) && (word !== 'vinyl' || isRecord(tokens, at + 1))
    if (!editions.test(word)) return false
  }
  return false
}

const isRecord = (tokens: readonly TaggedToken[], at: number) =>
  !tokens[at]?.isWord || /^(?:lp|lps|record|records|album|single|\d.*)$/.test(wordAt(tokens, at))

/** "Nintendo Switch", "PS5", "Xbox One": all that stands in brackets. */
export function isPlatform(tokens: readonly TaggedToken[], from: number): boolean {
  let at = from
  while (at < from + 4 && tokens[at]?.isWord) {
    const word = wordAt(tokens, at)
    if (!platforms.has(word) && !(at > from && /^(?:one|\d|series|x|u|s|vita|boy|color|advance)$/.test(word)))
      return false
    at++
  }
  return at > from && wordAt(tokens, at) === ')'
}
