import type { Random } from '../../base/random.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import { attributeValues, withAttribute } from '../../words/attribute-values.js'
import { isSameNoun } from '../../words/label-matches.js'
import { withoutDeterminer } from '../../words/without-determiner.js'
import type { GroundedCaption } from '../samples/sample.js'
import {
  fittingNames,
  type GroundedText,
  type NamedPhrase,
  namedText,
  type PromptLimit,
} from './grounded-text.js'
import { mayName, type PictureTruth, phraseKey, type Thing } from './picture-truth.js'

/** What a prompt of phrases is made of beside a caption's own. */
export interface OtherNames {
  readonly truth: PictureTruth
  /** The source's category names. */
  readonly all: readonly string[]
  /** Phrases that are known to be absent from the picture, beside those that differ by an attribute. */
  readonly stored: readonly string[]
  /** So many absent phrases of these two kinds at most. */
  readonly most: number
  /** Share of prompts with category names. */
  readonly share: number
}

/**
 * The phrases of a caption as names: "red cat. blue cat. green cat. dog". Beside them stand hard negatives,
 * which are the same phrases with other values of their attributes and stored ones, then the names of the
 * picture's categories, and others that it lacks, as far as it is known of them whether they name anything.
 * Names and phrases together teach more than a prompt of each: the name alone is right for both cats, the
 * colour for one. Alone, a phrase may be true of more than in its caption ("the cat", "another cat"): where
 * that is not known, it does not count for the box.
 *
 * @returns undefined where the caption has no phrase of which another value is absent
 */
export function phrasePrompt(
  caption: GroundedCaption,
  { truth, all, stored, most, share }: OtherNames,
  draw: Random,
  limit: PromptLimit,
): GroundedText | undefined {
  const own = phrasesOf(caption, truth)
  const swaps = attributeSwaps(own, truth)
  if (swaps.length === 0) return undefined
  const hard = draw.shuffle([...swaps, ...stored.map((name): NamedPhrase => ({ name, boxes: [] }))])
  const lacking = most > 0 ? hard.slice(0, 1 + draw.integer(most)) : []
  const known = new Set([...own, ...swaps].map(({ name }) => phraseKey(name)))
  const names = draw.shuffle(all.filter((name) => !known.has(phraseKey(name)))).flatMap((name) => {
    const boxes = truth.things.filter(({ categories }) => categories.includes(phraseKey(name)))
    return boxes.length > 0 || truth.isAbsent(name) ? [nameOf(name, boxes, truth)] : []
  })
  const shown = names.filter(({ boxes }) => boxes.length > 0)
  const others = names.filter(({ boxes }) => boxes.length === 0)
  // A short prompt, where the attribute is next to all there is, is learned sooner; a long one teaches the names too.
  const count = draw.next() < 1 - share ? 0 : draw.integer(names.length + 1)
  const drawn = [...shown, ...others].slice(0, count)
  return namedText(draw.shuffle(fittingNames(distinct([...own, ...lacking, ...drawn]), limit)))
}

/** Phrases that name nothing in the picture, each a phrase of it with another value of an attribute. */
export function attributeSwaps(phrases: readonly NamedPhrase[], truth: PictureTruth): NamedPhrase[] {
  const swapped = phrases.flatMap(({ name }) =>
    attributeValues(name).flatMap((value) => value.others.map((other) => withAttribute(name, value, other))),
  )
  return distinct(swapped.filter(truth.isAbsent).map((name) => ({ name, boxes: [] })))
}

/** The phrases of a caption as names, each once, with all that is known to be theirs. */
export function phrasesOf({ text, grounded }: GroundedCaption, truth: PictureTruth): NamedPhrase[] {
  const points = [...text]
  const boxes = new Map<string, { readonly name: string; readonly boxes: Xyxy[] }>()
  for (const phrase of grounded) {
    const name = withoutDeterminer(points.slice(...phrase.name).join(''))
    if (name === '') continue
    const known = boxes.get(phraseKey(name)) ?? { name, boxes: [] }
    boxes.set(phraseKey(name), known)
    known.boxes.push(...phrase.boxes)
  }
  return [...boxes.values()].map((own) => {
    const keys = new Set(own.boxes.map((box) => box.join()))
    const isMeant = ({ box, categories, names }: Thing) =>
      keys.has(box.join()) ||
      names.includes(phraseKey(own.name)) ||
      categories.some((name) => isSameNoun(name, phraseKey(own.name)))
    return nameOf(own.name, truth.things.filter(isMeant), truth)
  })
}

/** A name with the boxes that it names, and those of which nobody knows. */
function nameOf(name: string, named: readonly Thing[], { things }: PictureTruth): NamedPhrase {
  const unsure = things.filter((thing) => !named.includes(thing) && mayName(name, thing))
  return { name, boxes: named.map(({ box }) => box), unsure: unsure.map(({ box }) => box) }
}

function distinct(names: readonly NamedPhrase[]): NamedPhrase[] {
  return [...new Map(names.map((named) => [phraseKey(named.name), named])).values()]
}
