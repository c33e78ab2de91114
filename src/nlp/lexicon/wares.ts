import { soldThings } from './goods-words.js'
import { hypernyms, nounSenses } from './wordnet.js'

/** What WordNet has above what is made to be used, worn or sold. */
const above = ['instrumentality', 'commodity', 'covering', 'decoration', 'toiletry']
/** Wares by WordNet that in a title are rather a cut, a size, a part or a series of what follows. */
const modifying = new Set(
  `zip maxi mini midi cut print flex base key button spring  cross crown star signature form frame point edge line screen 
  core bar track court dock arch bow deck drop elite max plus pro air combination range style trim pack switch sport top cream lace
  fur crystal carbon foil satin suede panel  tab tail horn bell plug shell ray pulse spark flash wave tube pipe rope block
  electric automatic convertible portable classic special original double single full twin king queen duplex
  protection club force dunk tech one ultra elite prime
  release finish
  royal standard master commander pilot pioneer ranger trooper`.split(/\s+/),
)
const mostWares = 50_000
const wares = new Map<string, boolean>()
let roots: ReadonlySet<number> | undefined

/** Whether a noun is first of all something to eat, which in titles is often only in the good: "Cocoa Body Lotion". */
export const isFirstFood = (noun: string): boolean =>
  nounSenses(noun).some(({ file, rank }) => file === 'food' && rank === 1)

/**
 * Whether a noun, singular and in lower case, is a thing that shops sell: its first made or eaten sense in WordNet
 * is something to be used, worn or eaten.
 */
export function isWare(noun: string): boolean {
  const known = wares.get(noun)
  if (known !== undefined) return known
  const found = soldThings.has(noun) || (!modifying.has(noun) && isMadeForUse(noun))
  if (wares.size >= mostWares) wares.clear()
  wares.set(noun, found)
  return found
}

function isMadeForUse(noun: string): boolean {
  const senses = nounSenses(noun).sort((a, b) => a.rank - b.rank)
  if (senses[0]?.file === 'food') return true
  const made = senses.find(({ file, rank }) => file === 'artifact' && rank < 4)
  if (senses.length === 0) return isCompound(noun)
  if (made === undefined) return false
  roots ??= new Set(
    above.flatMap((word) =>
      nounSenses(word).flatMap(({ file, synset }) => (file === 'artifact' ? [synset] : [])),
    ),
  )
  return leadsUp(made.synset, roots)
}

/** "smartwatch", "lawnmower": two nouns written as one that WordNet lacks. */
function isCompound(noun: string): boolean {
  for (let at = 3; at <= noun.length - 5; at++)
    if (
      nounSenses(noun.slice(at)).length > 0 &&
      nounSenses(noun.slice(0, at)).length > 0 &&
      isMadeForUse(noun.slice(at))
    )
      return true
  return false
}

function leadsUp(synset: number, tops: ReadonlySet<number>): boolean {
  return tops.has(synset) || hypernyms(synset).some((next) => leadsUp(next, tops))
}
