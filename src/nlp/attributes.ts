import { materials } from './lexicon/qualities.js'
import { wordSet } from './lexicon/word-set.js'
import type { TaggedToken } from './tags/tag.js'
import { isModifier, isNoun, tagAt, wordAt } from './tags/tag-patterns.js'

export interface Attribute {
  readonly kind: 'colour' | 'size' | 'material' | 'other'
  /** The word, lower case. */
  readonly text: string
}

const colours = wordSet(
  `black white red green blue brown yellow orange pink purple gray grey beige tan teal turquoise maroon burgundy crimson
  navy cream ivory lavender violet magenta cyan khaki olive lime peach blond blonde brunette silver golden colorful
  colourful multicolored multicoloured multi-colored multi-coloured striped checkered plaid spotted polka dark light
  pale bright neon reddish bluish greenish yellowish brownish`,
)
const sizes = wordSet(
  `big large huge giant enormous gigantic massive small little tiny mini miniature long short tall wide narrow thick
  thin deep shallow high low medium full-size oversized bigger larger smaller longer shorter taller biggest largest
  smallest tallest`,
)
/** Adjectives that say how many or which, not how a thing is. */
const counting = wordSet(
  `many several few various different other own more most same such first second third next last another numerous
  multiple single`,
)

/**
 * What the words between `start` and the head at `end` - 1 say of it: its adjectives and participles, and
 * nouns that name a colour or a material, in their order.
 */
export function attributes(tokens: readonly TaggedToken[], start: number, end: number): Attribute[] {
  const found: Attribute[] = []
  for (let at = start; at < end - 1; at++) {
    const word = wordAt(tokens, at)
    const tag = tagAt(tokens, at)
    if (counting.has(word) || tag === 'CD') continue
    const kind = kindOf(word)
    if (kind !== 'other' ? isModifier(tokens[at]) || isNoun(tokens[at]) : isModifier(tokens[at])) {
      found.push({ kind, text: word })
    }
  }
  return found
}

function kindOf(word: string): Attribute['kind'] {
  if (colours.has(word)) return 'colour'
  if (sizes.has(word)) return 'size'
  return materials.has(word) ? 'material' : 'other'
}
