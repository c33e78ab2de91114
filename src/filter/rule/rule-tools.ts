import type { MeasuredCalibration } from './calibration.js'
import type { Candidate } from './rule.js'

/**
 * A text encoder: unit vectors, whose product is how much two texts mean the same. The pipeline opens it as
 * the teacher room's `TextEncoder`.
 */
export interface TextEmbedder {
  /** One vector for each text, in their order. */
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>
}

/** A model of pictures and texts. The pipeline opens it as the teacher room's `ClipScorer`. */
export interface RegionScorer {
  /** For each region of a stored picture how well the text fits what is in the box, 0 to 1. */
  score(
    bytes: Uint8Array,
    regions: readonly { readonly xyxy: Candidate['xyxy']; readonly text: string }[],
  ): Promise<readonly number[]>
}

/** What a rule may ask for by the path of a file or folder, by kind. */
export interface NamedTools {
  readonly calibrations: MeasuredCalibration
  readonly embedders: TextEmbedder
  readonly scorers: RegionScorer
}

/** What rules are made of besides their parameters: of each kind those that they name, by their paths. */
export type RuleTools = {
  readonly [Kind in keyof NamedTools]?: ReadonlyMap<string, NamedTools[Kind]>
} & {
  /** Phrases of the dataset by head noun. */
  readonly frequency?: ReadonlyMap<string, number>
}

/** Kinds that are models: a rule that asks one is a `ModelRule`. */
export const modelTools = ['embedders', 'scorers'] as const
