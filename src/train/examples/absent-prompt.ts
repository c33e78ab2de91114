import type { Random } from '../../base/random.js'
import type { Sample } from '../samples/sample.js'
import { fittingNames, type GroundedText, namedText, type PromptLimit } from './grounded-text.js'
import { attributeSwaps, phrasesOf } from './phrase-prompt.js'
import { type PictureTruth, phraseKey } from './picture-truth.js'

/**
 * A prompt of names and phrases of which nothing is in the picture: its stored negatives, phrases of its
 * captions with another value of an attribute, and names of its source, in random order.
 *
 * @param all the source's category names
 * @returns undefined where of nothing it is known that it is absent
 */
export function absentPrompt(
  { captions, negatives }: Sample,
  { truth, all }: { readonly truth: PictureTruth; readonly all: readonly string[] },
  draw: Random,
  limit: PromptLimit,
): GroundedText | undefined {
  const swaps = captions.flatMap((caption) => attributeSwaps(phrasesOf(caption, truth), truth))
  const near = draw.shuffle(
    unique([...negatives.map(({ text }) => text), ...swaps.map(({ name }) => name)]).filter(truth.isAbsent),
  )
  const names = draw.shuffle(all.filter(truth.isAbsent))
  const drawn = unique([
    ...near.slice(0, draw.integer(near.length + 1)),
    ...names.slice(0, draw.integer(names.length + 1)),
  ])
  const chosen = drawn.length > 0 ? drawn : [...names, ...near].slice(0, 1)
  if (chosen.length === 0) return undefined
  const absent = chosen.map((name) => ({ name, boxes: [] }))
  return namedText(draw.shuffle(fittingNames(absent, limit)))
}

const unique = (names: readonly string[]) => [
  ...new Map(names.map((name) => [phraseKey(name), name])).values(),
]
