import type { MeasureName } from './measures.js'

/** Names of what is counted, measured and tallied of a family's rows. */
export const recordedOf = {
  images: {
    counts: ['images', 'captions', 'image_bytes'],
    measures: ['longer_side', 'picture_aspect', 'image_bytes', 'captions_an_image', 'words_a_caption'],
    tallies: ['caption_kinds', 'hosts', 'licenses'],
  },
  phrases: {
    counts: ['phrases'],
    measures: ['phrases_a_caption', 'words_a_phrase'],
    tallies: ['heads', 'phrase_texts'],
  },
  proposals: { counts: ['proposals'], measures: ['score', 'boxes_a_phrase'], tallies: [] },
  verdicts: {
    counts: ['verdicts', 'judged_boxes', 'judged_phrases'],
    measures: ['probability'],
    tallies: ['verdict_kinds', 'judges'],
  },
  grounding: {
    counts: ['regions', 'grounded_images'],
    measures: ['regions_an_image', 'score', 'area_share', 'aspect'],
    tallies: ['heads', 'origins'],
  },
  negatives: {
    counts: ['negatives', 'exhaustive_images'],
    measures: ['negatives_an_image', 'negative_score'],
    tallies: ['evidence'],
  },
} as const satisfies Record<
  string,
  { counts: readonly string[]; measures: readonly MeasureName[]; tallies: readonly string[] }
>

export type RecordedFamily = keyof typeof recordedOf
