import { lemma } from './lexicon/lemma.js'
import { makers } from './lexicon/makers.js'
import { hasDigit, isMeasure } from './lexicon/units.js'
import type { TaggedToken } from './tags/tag.js'
import { isDeterminer, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

/** What is said of goods and is no good. */
const qualities = list(
  `roast flavor flavour scent fragrance aroma finish color colour style tone fit cut size edition version condition shade
  grade quality type material fabric flavor warranty returns postage p&p dispatch clearance stock width length waist inseam
  motif skin trim weave texture thread closure tint blend formula strength compatibility resolution medium`,
)
/** Whom goods are for, where nothing else is said. */
const buyers = list('man woman kid child girl boy lady gentleman adult teen toddler infant junior')
/** Numbers that tell one good from another of its kind, by what stands before them. */
const codes = list('sku item ref mpn asin isbn ean upc vin chassis p/n oem')
const things = /^(?:animal|artifact|food|listed|person|plant|body|object)$/

/**
 * Whether a phrase is all that stands between two signs of a good's title, behind its name, and names no thing:
 * "| Rear-Facing | Carbon", "(aqua)", ", medium espresso roast", "- Clean".
 */
export function isSegment(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  const head = lemma(wordAt(tokens, end - 1))
  if (codes.has(wordAt(tokens, start)) && end - start > 1) return true
  if (start === 0 || isDeterminer(tokens[start]) || isSentence(tokens)) return false
  const before = wordAt(tokens, start - 1)
  if (!/^[,|–—(/:;+•·-]$/.test(before)) return false
  if (codes.has(wordAt(tokens, start))) return true
  if (tokens[end]?.isWord) return false
  if (qualities.has(head)) return true
  // "(Bare Tool)".
  if (wordAt(tokens, start) === 'bare') return true
  if (before !== ',' && buyers.has(head)) return true
  const found = visibility(head)
  if (things.test(found ?? '')) return before === '(' && buyers.has(head)
  // In a list of key words or of food each is a thing of its own.
  if (before === ',' || before === ':' || before === '+') return isGood(tokens, start) && found !== 'unknown'
  return isGood(tokens, start) || found === undefined
}

/** Whether the title before `start` names a good of a maker, or gives a measure. */
const isGood = (tokens: readonly TaggedToken[], start: number) =>
  isDescribed(tokens, start) || tokens.some(({ word }) => hasDigit(word) && isMeasure(word))

const isDescribed = (tokens: readonly TaggedToken[], start: number) =>
  tokens
    .slice(0, start)
    .some(({ word, isName }) => (isName === true && visibility(word) === 'unknown') || makers.has(word))

const isSentence = (tokens: readonly TaggedToken[]) =>
  tokens.some(({ tag }) => tag === 'VBZ' || tag === 'VBP' || tag === 'VBD' || tag === 'MD')
