import type { Xyxy } from '../boxes/xyxy.js'
import type { Region } from '../rows/rows.js'
import { type AuditOptions, groundedPictures, kindsIn, wordsOf } from './grounded-pictures.js'
import type { GroundingSource } from './known-heads.js'
import type { PhraseKind } from './phrase-kinds.js'

/** A label as it stands in a grounding, or a phrase without one. */
export interface PlacedLabel {
  readonly key: string
  readonly caption: number
  /** Span of its words in the caption, in code points, half open. */
  readonly start: number
  readonly end: number
  readonly text: string
  /** Null, as the score, for a phrase without a box. */
  readonly xyxy: Xyxy | null
  readonly score: number | null
  readonly kinds: readonly PhraseKind[]
  /** How many boxes these words have in the picture. */
  readonly siblings: number
}

/**
 * The labels of a grounding, and its phrases without one, in their order.
 *
 * @throws UserError where the shards do not belong together
 */
export async function* placedLabels(
  source: GroundingSource,
  options: AuditOptions = {},
): AsyncGenerator<PlacedLabel> {
  for await (const picture of groundedPictures(source, options)) {
    const kindsOf = kindsIn(picture, options.known)
    for (const [at, phrase] of picture.phrases.entries()) {
      const own = picture.regions.filter((region) => region.phrase === at)
      const placed = (words: Pick<Region, 'start' | 'end'>, box: Region | null): PlacedLabel => {
        const { caption, start, end, text } = wordsOf(picture, phrase, words)
        const isOfThese = (region: Region) => region.start === start && region.end === end
        return {
          ...{ key: picture.key, caption, start, end, text },
          ...{ xyxy: box?.xyxy ?? null, score: box?.score ?? null },
          kinds: kindsOf(phrase, words),
          siblings: own.filter(isOfThese).length,
        }
      }
      if (own.length === 0) yield placed(phrase, null)
      for (const region of own) yield placed(region, region)
    }
  }
}
