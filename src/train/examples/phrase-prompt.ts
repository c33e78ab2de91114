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
  /** The picture's hard negatives for this prompt. */
  readonly hard: readonly string[]
}

/**
 * The phrases of a caption as names: "red cat. blue cat. green cat. dog". Beside them stand the same phrases
 * with other values of their attributes, hard negatives and category names, as far as it is known of them
 * whether they name anything. Alone, a phrase may be true of more than in its caption ("the cat", "another
 * cat"): where that is not known, it does not count for the box.
 *
 * @returns undefined where the caption has no phrase of which another value is absent
 */
export function phrasePrompt(
  caption: GroundedCaption,
  { truth, all, hard }: OtherNames,
  draw: Random,
  limit: PromptLimit,
): GroundedText | undefined {
  const own = phrasesOf(caption, truth)
  const swaps = attributeSwaps(own, truth)
  if (swaps.length === 0) return undefined
  const known = new Set([...own, ...swaps].map(({ name }) => phraseKey(name)))
  const names = draw.shuffle(all.filter((name) => !known.has(phraseKey(name)))).flatMap((name) => {
    const boxes = truth.things.filter(({ categories }) => categories.includes(phraseKey(name)))
    if (boxes.length === 0 && !truth.isAbsent(name)) return []
    return [nameOf(name, boxes, truth)]
  })
  const lacking = [
    ...draw.shuffle(swaps).slice(0, 1 + draw.integer(swaps.length)),
    ...hard.map((name): NamedPhrase => ({ name, boxes: [] })),
  ]
  const few = names.slice(0, draw.integer(own.length + 1))
  return namedText(draw.shuffle(fittingNames(distinct([...own, ...lacking, ...few]), limit)))
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
