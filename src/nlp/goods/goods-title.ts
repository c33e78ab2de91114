import { startsSmall } from '../lexicon/letter-case.js'
import { makers } from '../lexicon/makers.js'
import { hasDigit, isMeasure, isUnit } from '../lexicon/units.js'
import { captionFact } from '../tags/caption-fact.js'
import type { TaggedToken } from '../tags/tag.js'
import { isDeterminer, wordAt } from '../tags/tag-patterns.js'
import { isGood } from './good.js'

/**
 * Whether a caption is the title of a good: no sentence, and the first of its names ends in a thing that somebody
 * makes, or has a maker or a measure. In small letters more must tell that something is for sale.
 */
export const isGoodsTitle = captionFact(looksForSale)

function looksForSale(tokens: readonly TaggedToken[]): boolean {
  let capitals = 0
  let words = 0
  let articles = 0
  for (const token of tokens) {
    const isSmall = startsSmall(token.text)
    if (token.tag === 'DT' && isSmall && words > 2) articles++
    else if (
      isSmall &&
      (isDeterminer(token) ||
        (/^(?:VB[ZPD]|MD|PRP)$/.test(token.tag) && !/^(?:included|required|sold)$/.test(token.word)))
    )
      return false
    if (!token.isWord) continue
    words++
    if (!isSmall) capitals++
  }
  if (/^an?$/.test(wordAt(tokens, 0))) return false
  if (words < 3 || articles > 1 || (articles === 1 && capitals < 0.6 * words)) return false
  return capitals * 2 > words ? namesGood(tokens) : tokens.some((_, at) => isForSale(tokens, at))
}

/** Whether what stands before the first sign or preposition has a good, a maker or a measure in it. */
function namesGood(tokens: readonly TaggedToken[]): boolean {
  for (let at = 0; at < tokens.length; at++) {
    const { word, tag, isWord } = tokens[at] as TaggedToken
    if (at > 1 && ((!isWord && /^[,|()/:;–—-]$/.test(word)) || (tag === 'IN' && word !== 'of'))) return false
    if (makers.has(word) || isMeasure(word) || isGood(tokens, at)) return true
  }
  return false
}

/** A measure, a feature or a bar: what is said in titles of goods, and not of what somebody does. */
const isForSale = (tokens: readonly TaggedToken[], at: number) => {
  const word = wordAt(tokens, at)
  return (
    (hasDigit(word) && (isMeasure(word) || isUnit(wordAt(tokens, at + 1)))) ||
    (word === '|' && at > 1) ||
    (word === 'size' && hasDigit(wordAt(tokens, at + 1))) ||
    (at > 1 &&
      tokens[at]?.isWord === true &&
      /^(?:.{3,}(?:able|less|proof)|bluetooth|usb|wifi|unisex)$/.test(word))
  )
}
