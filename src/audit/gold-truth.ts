import type { Caption, GroundingRow, Phrase } from '../rows/rows.js'
import { collectTruth, type PictureTruth, spanKey } from './truth.js'

/** The truth that a gold grounding tells of a picture: its boxes, and the spans that name them. */
export function goldTruth(
  captions: readonly Caption[],
  phrases: readonly Phrase[],
  { regions, ignored }: Pick<GroundingRow, 'regions' | 'ignored'>,
): PictureTruth {
  const collected = collectTruth()
  for (const { caption, phrase, start, end, xyxy } of regions) {
    const isCategory = captions[caption]?.kind === 'categories'
    const category = isCategory ? phrases[phrase]?.text : undefined
    const object = collected.object({ xyxy, ...(category !== undefined && { category }) })
    collected.mention(spanKey(caption, start, end), object)
  }
  const areas = (ignored ?? []).map(({ text, xyxy }) => ({ category: text, xyxy }))
  return { ...collected.truth(), ignored: areas }
}
