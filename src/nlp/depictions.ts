import { lemma } from './lexicon/lemma.js'
import { canBe } from './lexicon/lexicon.js'
import { tradeColours } from './lexicon/qualities.js'
import { hasDigit } from './lexicon/units.js'
import { wordSet } from './lexicon/word-set.js'
import type { TaggedToken } from './tags/tag.js'
import { isDeterminer, isNoun, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

/** What a title calls the picture, behind what is on it. */
const pictureWords = wordSet(
  `view photo photograph photography image picture pic shot stock vector wallpaper clipart footage front rear side aerial
  illustration icon mockup template texture background backdrop concept idea recipe meme design interior render
  rendering drawing sketch png jpg svg video thumbnail tutorial hd detail element infographic animation timelapse
  cartoon exterior elevation pictogram graphic gif screenshot outline silhouette preview inspiration inspo renovation
  makeover remodel`,
)
/** Which picture of a page it is: "product image 1", "header photo". */
const pagePlaces = wordSet(
  `product profile header footer placeholder main featured hero gallery default sample cover page article blog avatar
  thumbnail feature title full lead preview`,
)
/** What a long caption speaks of as the picture. */
const subjects = wordSet('image photo picture photograph illustration artwork screenshot')
/** What is counted in a book, and named by nothing else. */
const numbered = wordSet('slide page figure fig plate exhibit chapter')
/** What stands there. */
const pictures = /^(?:image|photo|photograph|picture|pic|thumbnail|video|screenshot|graphic|illustration)$/
/** What a view is of, and what looks on it is not there: "a room with sea view". */
const sights = wordSet(
  'sea ocean city garden mountain lake pool river street harbour harbor courtyard park valley bay',
)
/** Several of what a file holds: "icon set". */
const several = wordSet('set sets collection collections pack packs bundle bundles')
/** When a picture was taken, behind what is on it. */
const times = wordSet('night sunset sunrise dusk dawn twilight morning evening')
/** Of these, what another one must stand behind: "front view", "interior design". */
const sides = wordSet(
  'front rear side aerial interior exterior stock video line flat glyph drone seamless hand-drawn',
)
/** What a file is, and nothing else. */
const files = wordSet('vector clipart png jpg svg icon eps eps10 eps8')

/** The picture itself. */
const depictions = wordSet(
  `photo photograph photography image pic view scene shot close-up closeup selfie snapshot screenshot footage up
  clipart stock mockup panorama`,
)
/** Things, unless it is said what is on them: "a painting of a cat" is the cat where a caption begins. */
const depicting = wordSet(
  `picture painting drawing illustration sketch portrait poster cartoon print collage rendering silhouette graphic vector
  icon advertisement advert ad map chart diagram artwork scene pattern plan blueprint engraving etching infographic`,
)
/** What pictures are made with, and what is said of them. */
const media = wordSet('watercolor watercolour ink pencil acrylic line oil decor decoration wood wooden')
/** What a caption that begins with them is a caption of. */
const grounds = wordSet('pattern texture background backdrop wallpaper plan')

/** What is done with a room, or how it looks. */
const roomDoings = /^(?:decor|makeover|renovation|remodel|inspiration|inspo)$/
const rooms =
  /^(?:room|bedroom|bathroom|kitchen|nursery|office|hallway|entryway|porch|patio|playroom|mudroom|laundry|basement|attic|garage|backyard|garden)$/

/** What tells that a picture shows something. */
const tells =
  /^(?:of|showing|shows|depicting|featuring|from|taken|features|depicts|portrays|captures|displays|explains|illustrates)$/

/**
 * The end of the thing in a title that goes on to the picture of it: "Ford Mustang | front view", "cute puppy |
 * stock photo", "banana bread | recipe". `end` where a determiner makes the picture a thing.
 */
export function pictured(tokens: readonly TaggedToken[], start: number, end: number): number {
  const head = lemma(wordAt(tokens, end - 1))
  // "Mazda CX-5 interior".
  const colouring = /^pages?$/.test(head) ? coloringAt(tokens, start, end) : end
  if (colouring < end) return colouring
  if (/^(?:in|ex)terior$/.test(head) && end - start > 1)
    if (tokens[end - 2]?.isName || (isNoun(tokens[end - 2]) && !isDeterminer(tokens[start]))) return end - 1
  // "Teen bedroom decor", "Laundry room makeover".
  if (
    roomDoings.test(head) &&
    !isDeterminer(tokens[start]) &&
    end - start > 1 &&
    rooms.test(wordAt(tokens, end - 2)) &&
    isNoun(tokens[end - 2])
  )
    return end - 1
  if (isDeterminer(tokens[start])) return end
  if (times.has(tokens[end - 1]?.text ?? '')) return timedEnd(tokens, start, end)
  if (end - start > 2 && isSeveral(tokens, end)) {
    const cut = pictured(tokens, start, end - 1)
    return cut < end - 1 ? cut : end
  }
  if (!pictureWords.has(head) || sides.has(head)) return end
  // "Stick Wallpaper 17.7" x 118"": a roll of it.
  if (head === 'wallpaper' && hasDigit(wordAt(tokens, end))) return end
  // "with sea view", "product image".
  if (head === 'view' && end - start === 2 && sights.has(wordAt(tokens, start))) return end
  if (end - start === 2 && pagePlaces.has(wordAt(tokens, start)) && pictures.test(head)) return end
  // "on wood background": a ground has no edge.
  if (/^back(?:ground|drop)$/.test(head) && /^(?:on|against)$/.test(wordAt(tokens, start - 1))) return end
  // "Family portrait of", "Simple element illustration from": what it is a picture of comes behind.
  if (tells.test(wordAt(tokens, end))) return end
  let at = end
  while (at > start && (pictureWords.has(lemma(wordAt(tokens, at - 1))) || sides.has(wordAt(tokens, at - 1))))
    at--
  // "dining room decor ideas".
  if (at < end && at - start > 1 && /^decor/.test(wordAt(tokens, at - 1))) at--
  const last = wordAt(tokens, at - 1)
  // "red rose stock photo": the tagger takes the rose for a colour.
  const isNamed = isNoun(tokens[at - 1]) || (at - start > 1 && canBe(last, 'NN') && !tradeColours.has(last))
  return at > start && isNamed && last !== 'of' ? at : end
}

/** "icon set". */
const isSeveral = (tokens: readonly TaggedToken[], end: number) =>
  several.has(wordAt(tokens, end - 1)) && pictureWords.has(lemma(wordAt(tokens, end - 2)))

/** "highway interchange | night": where the time begins behind a compound in small letters. */
function timedEnd(tokens: readonly TaggedToken[], start: number, end: number): number {
  const last = lemma(wordAt(tokens, end - 2))
  const isSeen = end - start > 2 && isNoun(tokens[end - 2]) && things.test(visibility(last) ?? '')
  return isSeen && visibility(`${last}_${wordAt(tokens, end - 1)}`) === 'unknown' ? end - 1 : end
}

const things = /^(?:animal|artifact|food|listed|person|plant|body|object|tops)$/

/** "stock footage timelapse | traffic": where the thing begins behind two words or more for the picture. */
export function behindPicture(tokens: readonly TaggedToken[], start: number, end: number): number {
  let at = start
  while (at < end && pictureWords.has(lemma(wordAt(tokens, at))) && wordAt(tokens, at) !== 'rear') at++
  return at - start > 1 && at < end ? at : start
}

/** "Mandala | coloring book page": where it begins that a page is to be coloured. */
function coloringAt(tokens: readonly TaggedToken[], start: number, end: number): number {
  for (let at = end - 2; at > start && at > end - 4; at--)
    if (/^colou?ring$/.test(wordAt(tokens, at))) return at
  return end
}

/** Whether the noun phrase of tokens `start` to `end` is the picture that the caption is of. */
export function isDepiction(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  const head = lemma(wordAt(tokens, end - 1))
  if (isFileTerm(tokens, start, end, head)) return true
  if (end - start === 1 && roomDoings.test(head) && isNoun(tokens[start - 1])) return true
  if (
    ((pictureWords.has(head) || isSeveral(tokens, end)) && isPictureOnly(tokens, start, end)) ||
    isOfRecipe(tokens, start, end)
  )
    return true
  if (head === 'silhouette' && wordAt(tokens, end) === 'of') return true
  if (concepts.has(wordAt(tokens, end)) && isUnseenConcept(tokens, start, head)) return true
  // "The image is a comic strip".
  if (
    wordAt(tokens, start - 1) === 'is' &&
    subjects.has(wordAt(tokens, start - 2)) &&
    isDeterminer(tokens[start])
  )
    return true
  // "Flat lay with school supplies", "Slide 12".
  if (head === 'lay' && wordAt(tokens, end - 2) === 'flat') return true
  if (start === 0 && end === 1 && numbered.has(head) && tokens.length < 4 && tokens[1]?.tag === 'CD')
    return true
  // "your text", "word cloud", "product thumbnail".
  if (head === 'text' && wordAt(tokens, start - 1) === 'for') return true
  if (head === 'cloud' && wordAt(tokens, end - 2) === 'word') return true
  if (start === 0 && end - start <= 2 && isPagePicture(tokens, end, head)) return true
  if (pictureWords.has(head) && tells.test(wordAt(tokens, end)) && !isDeterminer(tokens[start])) return true
  if (start > 0 && pictureWords.has(head) && isApart(tokens, start, end)) return true
  // "hand drawn illustration", "Cybersecurity concept".
  if (
    pictureWords.has(head) &&
    tokens.slice(start, end - 1).some(({ word }) => word === 'drawn') &&
    !isDeterminer(tokens[start])
  )
    return true
  if (end === 1 && wordAt(tokens, end) === 'concept' && visibility(head) === 'unknown') return true
  // "stands guard at the scene".
  if (
    head === 'scene' &&
    wordAt(tokens, start) === 'the' &&
    /^(?:at|from|near)$/.test(wordAt(tokens, start - 1)) &&
    start > 2
  )
    return false
  if (depictions.has(head)) return !isFramed(tokens, start, end)
  if (end - start === 1 && isMedium(tokens, start)) return true
  // "Watercolor background".
  if (end - start === 1 && media.has(head) && isOfPicture(tokens, end)) return true
  // "floral wallpaper in a bedroom" is on the wall.
  const isGround =
    grounds.has(head) && (head !== 'wallpaper' || end === 1 || /^(?:with|hd|4k)$/.test(wordAt(tokens, end)))
  if (isGround && start === 0 && !isDeterminer(tokens[0])) return true
  return depicting.has(head) && isSubject(tokens, start, end, head)
}

const concepts = wordSet('concept concepts metaphor')

/** "saving money | concept", "partnership | concept": only of a thing is a concept a picture. */
function isUnseenConcept(tokens: readonly TaggedToken[], start: number, head: string): boolean {
  const doing = tokens[start - 1]
  if (doing?.tag === 'VBG' && !isNoun(tokens[start - 2])) return true
  return !things.test(visibility(head) ?? '')
}

/** "Product image 1", "profile photo", "avatar": a place of a page that a picture fills, and nothing on it. */
function isPagePicture(tokens: readonly TaggedToken[], end: number, head: string): boolean {
  if (/^(?:avatar|thumbnail|placeholder)$/.test(head) || wordAt(tokens, 0) === 'thumbnail')
    return end === 1 || pagePlaces.has(wordAt(tokens, end - 2))
  const after = lemma(wordAt(tokens, end))
  return end === 1 && pagePlaces.has(head) && pictures.test(after)
}

const inks = wordSet(
  `watercolor watercolour ink pencil acrylic acrylics oil oils charcoal gouache pastel pastels graphite chalk pen
  ballpoint crayon tempera`,
)
const surfaces = wordSet('canvas paper board wood panel linen napkin cardboard')

/** "ink on paper", "oil on canvas": what a picture is made with and on. */
function isMedium(tokens: readonly TaggedToken[], at: number): boolean {
  const word = wordAt(tokens, at)
  if (inks.has(word)) return wordAt(tokens, at + 1) === 'on' && surfaces.has(wordAt(tokens, at + 2))
  return surfaces.has(word) && wordAt(tokens, at - 1) === 'on' && inks.has(wordAt(tokens, at - 2))
}

/** "Watercolor | background", "Watercolor | hand drawn illustration". */
const isOfPicture = (tokens: readonly TaggedToken[], end: number) =>
  pictureWords.has(lemma(wordAt(tokens, end))) ||
  (wordAt(tokens, end) === 'hand' && wordAt(tokens, end + 1) === 'drawn')

/** "depth of field", "clipping path", "EPS 10", "coloring book page": what is said of a file and of nothing else. */
function isFileTerm(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  const before = wordAt(tokens, end - 2)
  if (head === 'path') return before === 'clipping'
  if (head === 'field') return wordAt(tokens, start - 1) === 'of' && wordAt(tokens, start - 2) === 'depth'
  if (/^\d+$/.test(head)) return end - start === 2 && files.has(before)
  return /^(?:pages?|sheets?)$/.test(head) && /^colou?ring$/.test(wordAt(tokens, start))
}

/** "stock video", behind a name "icon", and what names a file wherever it stands. */
function isPictureOnly(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (
    end - start === 1 &&
    /^decor/.test(wordAt(tokens, start)) &&
    pictureWords.has(lemma(wordAt(tokens, end)))
  )
    return true
  const last = end - start > 1 && isSeveral(tokens, end) ? end - 1 : end
  for (let at = start; at < last; at++)
    if (!pictureWords.has(lemma(wordAt(tokens, at))) && !(at < end - 1 && sides.has(wordAt(tokens, at))))
      return false
  return isNoun(tokens[start - 1]) || end - start > 1 || files.has(wordAt(tokens, start))
}

/** "Dollar bills falling, 3d illustration". */
const isApart = (tokens: readonly TaggedToken[], start: number, end: number) =>
  !tokens[start - 1]?.isWord && !tokens[end]?.isWord && !isDeterminer(tokens[start])

/** "Salmon with asparagus - Easy Dinner Recipe": what there is a recipe of was said before. */
const isOfRecipe = (tokens: readonly TaggedToken[], start: number, end: number) =>
  start > 0 && !tokens[start - 1]?.isWord && /^(?:recipe|recipes|ideas|tutorial)$/.test(wordAt(tokens, end))

/** A photograph in a frame is a thing on the wall. */
const isFramed = (tokens: readonly TaggedToken[], start: number, end: number) =>
  tokens.slice(start, end - 1).some(({ word }) => word === 'framed')

/** Whether a picture in the caption is the picture that it is the caption of, or one that nobody sees. */
function isSubject(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  const before = tokens[start - 1]
  const after = wordAt(tokens, end)
  const opens = before === undefined || !before.isWord || /^(?:is|are|at|in)$/.test(before.word)
  const tellsOf = tells.test(after) || (/^ad/.test(head) && after === 'for')
  if (opens && tellsOf) return true
  if (head !== 'picture') return false
  return tellsOf || /^(?:for|taking|take|takes|took|taken|snapping|in|of)$/.test(before?.word ?? '')
}
