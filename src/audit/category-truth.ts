import type { Xyxy } from '../boxes/xyxy.js'
import type { Phrase } from '../rows/rows.js'
import type { LabelMatcher } from '../words/label-matches.js'
import { type PictureTruth, spanKey } from './truth.js'

/**
 * The same truth where words name things by their category: a phrase names all objects of the categories that
 * it can mean. One that means none, or none that the picture has, names nothing, so that its boxes are wrong.
 */
export function namedByCategory(
  { objects, ignored = [] }: PictureTruth,
  phrases: readonly Phrase[],
  means: LabelMatcher,
): PictureTruth {
  const namesThing = (phrase: Phrase, category: string | undefined) =>
    category !== undefined && means(category, phrase)
  const mentions = new Map<string, readonly number[]>()
  const unsure = new Map<string, readonly Xyxy[]>()
  for (const phrase of phrases) {
    const span = spanKey(phrase.caption, phrase.start, phrase.end)
    mentions.set(
      span,
      objects.flatMap(({ category }, at) => (namesThing(phrase, category) ? [at] : [])),
    )
    unsure.set(
      span,
      ignored.flatMap(({ category, xyxy }) => (namesThing(phrase, category) ? [xyxy] : [])),
    )
  }
  return { objects, mentions, unsure }
}
