import { tradeWords } from './lexicon/goods-words.js'
import { lemma } from './lexicon/lemma.js'
import { wordSet } from './lexicon/word-set.js'
import type { TaggedToken } from './tags/tag.js'
import { beginsCapital, isDeterminer, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

/** Makers of cameras and their series, which crawled captions name after the picture. */
const cameras = wordSet(
  `canon nikon sony fujifilm olympus pentax leica panasonic lumix kodak hasselblad gopro minolta sigma tamron eos
  portra ektar velvia provia ilford
  superia cinestill fomapan powershot coolpix cybershot finepix dslr iphone samsung`,
)
const devices = wordSet(
  'camera cameras lens phone phones cellphone laptop tv television printer monitor bag strap box logo sign ad billboard truck van',
)
/** As many tokens are looked at. */
const longestTagList = 40
/** Sites and agencies that pictures come from, and what they write beneath them. */
const sites = wordSet(
  `shutterstock istock istockphoto getty gettyimages alamy dreamstime depositphotos fotolia flickr pinterest instagram
  facebook twitter youtube tumblr imgur reddit etsy ebay amazon whatsapp tiktok snapchat wikipedia wikimedia copyright trademark exif iso
  hashtag p&p hq url jpg jpeg png gif pdf html www com megapixel megapixels pixel pixels px dpi mp kb hd uhd 4k 1080p`,
)

/** What a file is called that nobody named. */
const fileWords = wordSet('copy untitled unnamed default')
/** Whether a word says what the list behind it is, or that a path begins. */
const isHeading = (word: string, next: string) =>
  (/^(?:tags?|keywords?|category|categories|labels?|topics?|filed|description|caption|location)$/.test(
    word,
  ) &&
    next === ':') ||
  (word === 'home' && /^[/>»›|]$/.test(next))

/** Whether nothing follows but hashtags, handles and signs: a list of tags behind the caption, and no sentence. */
function isTagList(tokens: readonly TaggedToken[], from: number): boolean {
  const end = Math.min(tokens.length, from + longestTagList)
  for (let at = from; at < end; at++) {
    const before = tokens[at - 1]
    if (tokens[at]?.isWord && !(before?.text === '#' && before.end === tokens[at]?.start)) return false
  }
  return true
}

/** "BRAND NEW -", "2 Get 1 Free!": nothing but words of trade, up to a sign. */
function isShout(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (tokens[end]?.isWord || end === tokens.length || tokens[start - 1]?.tag === 'IN') return false
  for (let at = start; at < end; at++)
    if (!tradeWords.has(wordAt(tokens, at)) && !(end - start > 1 && /^\d+$/.test(wordAt(tokens, at))))
      return false
  return beginsCapital(tokens[end - 1])
}

/**
 * Whether the noun phrase of tokens `start` to `end` is what the web puts beside a caption: a camera's name
 * ("Canon EOS 5D Mark II"), a site, a hashtag that is no English word, or a number and a unit of the file.
 */
export function isNoise(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  const head = wordAt(tokens, end - 1)
  if (sites.has(head) || isShout(tokens, start, end)) return true
  // "Tags: sunset, surfer", "Home / Lighting".
  if (start === 0 && end === 1 && isHeading(head, wordAt(tokens, 1))) return true
  // "Pin on Home Decor".
  if (start === 0 && end === 1 && head === 'pin' && /^(?:on|by|from)$/.test(wordAt(tokens, 1))) return true
  // "Final_v3 copy", "untitled-1".
  if (start === 0 && end === 1 && /^(?:untitled|unnamed|scan)[-_ ]?\d*$/.test(head)) return true
  if (end === tokens.length && fileWords.has(head) && end - start <= 2 && !isDeterminer(tokens[start]))
    return true
  // The sign between two measures.
  if (end - start === 1 && /^\p{Ll}$/u.test(tokens[start]?.text ?? '')) return true
  const before = tokens[start - 1]
  if (before?.text === '#' && before.end === tokens[start]?.start)
    return visibility(lemma(head)) === 'unknown' || isTagList(tokens, start)
  if (devices.has(head)) return false
  if (!tokens.slice(start, end).some(({ word }) => cameras.has(word))) return false
  // What a title begins with is what it is of.
  if (start === 0) return false
  // "a Nikon" is a camera that somebody holds; without an article it is the one that took the picture.
  if (/^(?:a|an|the)$/.test(wordAt(tokens, start))) return false
  return isDeterminer(tokens[start]) || end - start === 1
    ? /^(?:with|by|using|on|from|via|-|[(|/])$/.test(before?.word ?? '')
    : true
}
