/**
 * What is recorded of the rows of each family. Exact statistics (`src/query/measure-sql.ts`) measure the same
 * in SQL.
 */
import type { ImageRow, NegativeRow, Phrase, PhraseDisagreement, Region, Verdict } from '../rows/rows.js'
import { countWords } from '../words/count-words.js'
import { sameText } from '../words/same-text.js'
import { boxMeasures } from './box-measures.js'
import { hostOf, type MeasureName, measures } from './measures.js'
import { recordedOf } from './recorded.js'
import { type StatsBuilder, statsBuilder } from './stats.js'
import { recordTexts } from './tally.js'

/** What is recorded besides of a grounding that several teachers were asked for. */
const consensus = { counts: ['compared_phrases'], measures: ['disagreement'], tallies: [] } as const
const recordable = { ...recordedOf, consensus } as const

/** A builder for statistics of rows of these families. Heads are those of phrases where there are phrases. */
export function rowStats(...families: readonly (keyof typeof recordable)[]): StatsBuilder<MeasureName> {
  const names = families.flatMap((family): readonly MeasureName[] => recordable[family].measures)
  const tallies = families.flatMap((family): readonly string[] => recordable[family].tallies)
  const own = Object.fromEntries(names.map((name) => [name, measures[name]])) as typeof measures
  const stats = statsBuilder<MeasureName>(own, tallies, { phrase_texts: recordTexts })
  // None is not the same as not recorded.
  for (const family of families) for (const name of recordable[family].counts) stats.count(name, 0)
  return stats
}

/** Adds a row of images. */
export function addImage(
  stats: StatsBuilder<MeasureName>,
  { image, width, height, captions, url, license }: ImageRow,
): void {
  stats.count('images')
  stats.count('captions', captions.length)
  stats.count('image_bytes', image.bytes.length)
  stats.observe('longer_side', Math.max(width, height))
  stats.observe('picture_aspect', width / height)
  stats.observe('image_bytes', image.bytes.length)
  stats.observe('captions_an_image', captions.length)
  for (const { text, kind } of captions) {
    stats.observe('words_a_caption', countWords(text))
    stats.tally('caption_kinds', kind)
  }
  const host = url === null ? undefined : hostOf(url)
  if (host !== undefined) stats.tally('hosts', host)
  if (license !== null) stats.tally('licenses', license)
}

/**
 * Adds a picture's phrases.
 *
 * @param captions how many captions it has, those without phrases too
 * @param isRead whether phrases were looked for in a caption: one that was not read counts for nothing
 */
export function addPhrases(
  stats: StatsBuilder<MeasureName>,
  captions: number,
  phrases: readonly Pick<Phrase, 'caption' | 'text' | 'head'>[],
  isRead: (caption: number) => boolean = () => true,
): void {
  stats.count('phrases', phrases.length)
  const found = new Array<number>(captions).fill(0)
  for (const { caption, text, head } of phrases) {
    found[caption]!++
    stats.observe('words_a_phrase', countWords(text))
    stats.tally('heads', head)
    stats.tally('phrase_texts', sameText(text))
  }
  found.forEach((count, caption) => {
    if (isRead(caption)) stats.observe('phrases_a_caption', count)
  })
}

/** Adds what is said of a picture's negatives; the score is of those that a teacher was asked for. */
export function addNegatives(
  stats: StatsBuilder<MeasureName>,
  { negatives, exhaustive }: Pick<NegativeRow, 'negatives' | 'exhaustive'>,
): void {
  stats.count('negatives', negatives.length)
  if (exhaustive) stats.count('exhaustive_images')
  stats.observe('negatives_an_image', negatives.length)
  for (const { evidence, score } of negatives) {
    stats.tally('evidence', evidence)
    if (score !== null) stats.observe('negative_score', Math.fround(score))
  }
}

/** Adds a picture's verdicts. */
export function addVerdicts(
  stats: StatsBuilder<MeasureName>,
  verdicts: readonly Pick<Verdict, 'xyxy' | 'verdict' | 'probability' | 'judge'>[],
): void {
  stats.count('verdicts', verdicts.length)
  for (const { xyxy, verdict, probability, judge } of verdicts) {
    stats.count(xyxy === null ? 'judged_phrases' : 'judged_boxes')
    if (xyxy !== null) stats.observe('probability', Math.fround(probability))
    stats.tally('verdict_kinds', verdict)
    stats.tally('judges', judge)
  }
}

/** Adds how far teachers disagree on a picture's phrases. */
export function addDisagreement(
  stats: StatsBuilder<MeasureName>,
  phrases: readonly Pick<PhraseDisagreement, 'value'>[],
): void {
  stats.count('compared_phrases', phrases.length)
  for (const { value } of phrases) stats.observe('disagreement', Math.fround(value))
}

/** Adds a picture's regions, as they are once stored: in float32. */
export function addRegions(
  stats: StatsBuilder<MeasureName>,
  picture: Pick<ImageRow, 'width' | 'height'>,
  regions: readonly Pick<Region, 'xyxy' | 'score' | 'origin'>[],
): void {
  stats.count('regions', regions.length)
  if (regions.length > 0) stats.count('grounded_images')
  stats.observe('regions_an_image', regions.length)
  for (const region of regions) {
    const { score, area_share, aspect } = boxMeasures(picture, region)
    stats.observe('score', score)
    stats.observe('area_share', area_share)
    stats.observe('aspect', aspect)
    stats.tally('origins', region.origin)
  }
}
