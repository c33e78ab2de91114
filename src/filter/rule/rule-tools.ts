import type { Synonyms } from '../../words/read-synonyms.js'
import type { MeasuredCalibration } from './calibration.js'
import type { Candidate } from './rule.js'

/**
 * A text encoder. It gives unit vectors, whose dot product is the cosine similarity of two texts. The
 * pipeline opens it as the teacher room's `TextEncoder`.
 */
export interface TextEmbedder {
  /** One vector for each text, in their order. */
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>
}

/** A model of pictures and texts. The pipeline opens it as the teacher room's `ClipScorer`. */
export interface RegionScorer {
  /**
   * For each region of a stored picture how well the text fits what is in the box, 0 to 1.
   *
   * @param key of the picture, for messages
   */
  score(
    bytes: Uint8Array,
    regions: readonly { readonly xyxy: Candidate['xyxy']; readonly texts: readonly string[] }[],
    key?: string,
  ): Promise<readonly number[]>
}

/** What a rule may ask for by the path of a file or folder, by kind. */
export interface NamedTools {
  readonly calibrations: MeasuredCalibration
  readonly synonyms: Synonyms
  readonly embedders: TextEmbedder
  readonly scorers: RegionScorer
}

/**
 * What rules need besides their parameters: the tools of each kind, by the paths under which rules name them.
 */
export type RuleTools = {
  readonly [Kind in keyof NamedTools]?: ReadonlyMap<string, NamedTools[Kind]>
} & {
  /** How many phrases of the dataset have each head noun. */
  readonly frequency?: ReadonlyMap<string, number>
}

/** Kinds that are models: a rule that asks one is a `ModelRule`. */
export const modelTools = ['embedders', 'scorers'] as const
