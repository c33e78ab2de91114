import { withoutAccents } from './lexicon/clean-word.js'
import { lemma } from './lexicon/lemma.js'
import { tagsOf } from './lexicon/lexicon.js'
import type { Token } from './lexicon/tokenize.js'
import { wordSet } from './lexicon/word-set.js'
import { visibility } from './tags/visibility.js'

/** What English sentences are held together by, and few other languages have. */
const english = wordSet(
  `the an and of with at is are by for from his her its their there this that to near next behind under while two three
  sitting standing red blue white green old young woman women people`,
)
/** The same of other languages that are written in Latin letters; no word that is also common in English. */
const foreign = wordSet(
  `der das den dem ein eine einen einem einer und mit auf im zum zur von vor bei neben ist sind durch zwei
  le les une des du dans sur et avec sous devant rue au aux est sont deux qui
  el los las una uno del en y con por sobre está están dos junto cerca bajo
  il lo gli un uno che di della nella sul sulla dello due sono è
  os um uma com em da dos na no ao está são perto
  een het van op met voor zijn naar naast twee bij
  ett på med och av som två är vid og på til på ved et fra sitter står
  i na w z ze przez pod jest są dwa dwie se ve pod je sa dva dvě kde za
  bir ve iki ile için üzerinde olan yang di dengan ke dari sebuah seekor seorang dua atas
  și cu pe o din la un două egy két és az itt van ja on kaksi sekä ang sa ng na một hai trên với của amb gizon bat
  dhe në një katika kwenye ya est`,
)
/** Short words that English shares with other languages: no evidence. */
const either = wordSet('a i o on no la me do as so to')

/** A caption in Latin letters with a smaller share of unknown words is English. */
const minUnknownShare = 0.5
/**
 * Shorter captions in Latin letters are English: names and titles ("El Capitan", "café au lait") prove
 * nothing.
 */
const minWords = 4

/**
 * Whether a caption is in English, or may be: it takes evidence to say no, since captions are short and full
 * of names. Either most letters are of another script; or at least half of four words or more are in neither
 * the tagger's lexicon nor WordNet, and two or more (one, where hardly any is known) are words or have
 * letters of another language, more than are words that only English has.
 */
export function isEnglish(tokens: readonly Token[]): boolean {
  let latin = 0
  let other = 0
  let words = 0
  let unknown = 0
  let evidence = 0
  for (const { word, isWord } of tokens) {
    if (!isWord) continue
    const plain = /^[a-z'-]+$/.test(word)
    const latins = plain ? word.length : (word.match(/\p{Script=Latin}/gu)?.length ?? 0)
    latin += latins
    if (!plain) other += (word.match(/\p{L}/gu)?.length ?? 0) - latins
    if (latins === 0 || either.has(word)) continue
    words++
    if (foreign.has(word)) {
      evidence++
      unknown++
    } else if (english.has(word)) {
      evidence--
    } else if (!isKnown(word)) {
      unknown++
      if (!plain && (withoutAccents(word) !== word || /[øłđðþßæœı]/.test(word))) evidence++
    }
  }
  if (other > latin) return false
  if (words < minWords || unknown < minUnknownShare * words) return true
  return evidence < (unknown >= 0.8 * words ? 1 : 2)
}

/** A word that an English dictionary has. */
function isKnown(word: string): boolean {
  const plain = withoutAccents(word)
  if (tagsOf(plain) !== undefined) return true
  const stem = lemma(plain)
  return tagsOf(stem) !== undefined || visibility(stem) !== 'unknown'
}
