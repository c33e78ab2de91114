import type { Phrase, PhraseDisagreement, Proposal, Verdict } from '../../rows/rows.js'

/** A proposal on its way through the rules. */
export interface Candidate extends Proposal {
  /** Where a rule left the box a part of its phrase for a label. */
  readonly relabelled?: Relabelling
  /** Place of the stage that it is of among `FilterImage.sources`, `noSource` of none; absent where there is one. */
  readonly source?: number
  /** Who gave it, where that is not the teacher of its stage. */
  readonly origin?: string
}

/** The place among the sources of a box that no stage has found: a person has added it. */
export const noSource = -1

/** The words that are left of a box's phrase. To rules the box is of its phrase all the same. */
export interface Relabelling {
  /** The rule that took the others away; of a region of another grounding, that grounding. */
  readonly rule: string
  /** Span in the caption, in code points, half open: within that of the phrase, but where a person chose the words. */
  readonly start: number
  readonly end: number
}

/** What a rule may look at besides the candidates: one picture's row. */
export interface FilterImage {
  /** Of the row, for messages. */
  readonly key?: string
  /** Pixels. */
  readonly width: number
  readonly height: number
  readonly phrases: readonly Phrase[]
  /** Boxes of the teacher's negative prompts; they belong to no phrase. */
  readonly negatives?: readonly Pick<Candidate, 'xyxy' | 'score'>[]
  /**
   * All names that a detector with a fixed list can give a box; absent where it has none, or did not say. Of several
   * sources each has its own.
   */
  readonly labels?: readonly string[] | undefined
  /** The stored picture, where a rule looks at it. */
  readonly bytes?: Uint8Array
  /** What judges said of its boxes and phrases, where a rule reads that. */
  readonly verdicts?: readonly StageVerdict[]
  /** The stages whose boxes are candidates, in the order of `Candidate.source`; absent where there is one. */
  readonly sources?: readonly BoxSource[]
}

/** A verdict, and the stage that gave it. */
export interface StageVerdict extends Verdict {
  readonly stage: string
}

/** A stage whose boxes are candidates, and who found them. */
export interface BoxSource {
  readonly stage: string
  readonly teacher: string
  /** All names that it can give a box; absent where it has no fixed list, or did not say. */
  readonly labels?: readonly string[] | undefined
}

/** Tells how far the sources of a picture's candidates disagree on each phrase. */
export type Disagreement = (
  candidates: readonly Candidate[],
  image: FilterImage,
) => readonly PhraseDisagreement[]

/**
 * Keeps some of a picture's candidates, in their order; one that changes scores or labels gives new candidates in
 * their place. Candidates come best first, in an order that does not depend on the teacher's. Pure: the same
 * candidates give the same result.
 */
export type Rule = (candidates: readonly Candidate[], image: FilterImage) => readonly Candidate[]

/**
 * Keeps boxes by what each is itself, whatever the others are. They come in any order, and most are not kept: a box is
 * good until it has been decided on.
 */
export interface BoxRule {
  readonly keeps: (box: Candidate, image: FilterImage) => boolean
}

/** A picture's row on its way through the rules. */
export interface FilterRow {
  readonly candidates: readonly Candidate[]
  readonly image: FilterImage
}

/** A rule that asks a model, which is best asked for many pictures at once. */
export type ModelRule = (rows: readonly FilterRow[]) => Promise<readonly (readonly Candidate[])[]>
