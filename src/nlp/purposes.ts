import { lemma } from './lexicon/lemma.js'
import { wordSet } from './lexicon/word-set.js'
import { captionFact } from './tags/caption-fact.js'
import type { TaggedToken } from './tags/tag.js'
import { amongSmall, beginsCapital, isDeterminer, isVerb, wordAt } from './tags/tag-patterns.js'

/** Shelves of a shop: what the good before is offered as. */
const departments = wordSet(
  'gift present decor decoration supply essential accessory apparel merchandise prop',
)
/** Whom goods are for. */
const buyers = wordSet(
  'man woman kid child girl boy baby toddler adult teen mom dad mother father him her lady pet family beginner',
)

/**
 * Whether the noun phrase of tokens `start` to `end` says what a good is for, which is in no picture of it:
 * "for Women", "for iPhone 13", and behind the good's own name "Christmas Gift", "Home Decor".
 */
export function isPurpose(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  const before = wordAt(tokens, start - 1)
  const head = lemma(wordAt(tokens, end - 1))
  if (before === 'with' && wordAt(tokens, start - 2) === 'compatible') return true
  // "Newborn to Toddler".
  if (
    before === 'to' &&
    buyers.has(head) &&
    /^(?:newborn|infant|baby|birth|toddler)$/.test(wordAt(tokens, start - 2))
  )
    return true
  if (isJoinedPurpose(tokens, start))
    return (
      isTitle(tokens) && !isDeterminer(tokens[start]) && !(tokens[start]?.isName && amongSmall(tokens, start))
    )
  if (before === 'for') {
    if (isDeterminer(tokens[start])) return false
    if (/^(?:ingredients|recipe)$/.test(wordAt(tokens, start - 2))) return true
    return isTitle(tokens) || (buyers.has(head) && end - start === 1)
  }
  // "Women > Shoes".
  if (buyers.has(head) && end - start === 1 && wordAt(tokens, end) === '>') return true
  if (!departments.has(head) || start === 0 || isDeterminer(tokens[start])) return false
  return beginsCapital(tokens[end - 1]) && !/^(?:with|of|and|&|on|in)$/.test(before)
}

/** "for keys, bags & more": one of several that stand behind "for". */
function isJoinedPurpose(tokens: readonly TaggedToken[], start: number): boolean {
  if (!/^(?:,|&|and|or|to|\/)$/.test(wordAt(tokens, start - 1))) return false
  for (let at = start - 2; at >= Math.max(0, start - 8); at--) {
    if (/^(?:for|compatible)$/.test(wordAt(tokens, at))) return true
    if (!/^(?:NN.*|JJ|CC|,|CD|TO)$/.test(tokens[at]?.tag ?? '') && wordAt(tokens, at) !== 'with') return false
  }
  return false
}

/** Whether a caption has no verb and names something in capitals. */
const isTitle = captionFact(
  (tokens) =>
    tokens.some(({ isName }) => isName) && !tokens.some((token) => isVerb(token) && token.tag !== 'VBN'),
)
