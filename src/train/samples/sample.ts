import type { Texts } from '../../base/text-list.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { Caption, Negative } from '../../rows/rows.js'
import type { Storage } from '../../storage/storage.js'
import type { Span } from '../../words/name-prompt.js'

/** A part of a caption and the boxes it names: a phrase, or a part of one that names others than it. */
export interface GroundedPhrase {
  /** Words that stand for it, in code points, half open. */
  readonly start: number
  readonly end: number
  /** The noun and what stands before it of those words: without the tail of a referring expression. */
  readonly name: Span
  readonly boxes: readonly Xyxy[]
  /** Who gave each box: `gold`, or a teacher. */
  readonly origins: readonly string[]
}

export interface GroundedCaption extends Caption {
  /** Phrases that have boxes. */
  readonly grounded: readonly GroundedPhrase[]
  /** Spans of phrases that have none: what they name may well be in the picture. */
  readonly ungrounded: readonly (readonly [number, number])[]
  /** Words that may be true of boxes, or not: what a phrase says beside the part that its box stands for. */
  readonly unsure: readonly UnsureWords[]
}

/** Words of a text of which nobody knows whether they are true of these boxes. */
export interface UnsureWords {
  readonly start: number
  readonly end: number
  readonly boxes: readonly Xyxy[]
}

export interface Sample {
  readonly key: string
  readonly bytes: Uint8Array
  /** Captions with at least one grounded phrase. */
  readonly captions: readonly GroundedCaption[]
  /** Texts of all phrases of all captions, with boxes or without. */
  readonly mentioned: readonly string[]
  /** What is known not to be in the picture. */
  readonly negatives: readonly Negative[]
  /**
   * Whether everything is boxed that the source's category names name: a name without a box is absent. Where
   * nothing is stored of it, whether the picture names its categories.
   */
  readonly exhaustive: boolean
  /** Category names of which the picture may hold more than is boxed. */
  readonly partial: readonly string[]
  /** What a judge says of its boxes, where boxes are weighed. */
  readonly judged?: readonly JudgedBox[]
}

/** What a judge says of a box of a phrase, or of a phrase that misses some. */
export interface JudgedBox {
  /** The noun of the phrase and what stands before it. */
  readonly name: string
  /** Null where it is not known where the missing ones are. */
  readonly xyxy: Xyxy | null
  /** How sure it is that the box is right, 0 to 1; `missing` where nobody has drawn it. */
  readonly probability: number | 'missing'
}

/** Where samples come from: a grounding column and the phrases that it points to. */
export interface SampleSource {
  readonly name: string
  readonly storage: Storage
  readonly shards: readonly string[]
  readonly grounding: string
  readonly phrases: string
  /**
   * The stage whose negatives are read, else those that were written with the grounding. A shard without any
   * is read as one that says nothing of them.
   */
  readonly negatives?: string | undefined
  /** The stage of verdicts that weighs its boxes; all count the same where there is none. */
  readonly verdicts?: string | undefined
  /** Whether boxes are taken where these verdicts would have them, and those that they add are there. */
  readonly mends?: boolean | undefined
}

/** Samples of a source by their place in an endless, shuffled, reproducible order. */
export interface SampleStream {
  readonly name: string
  /** Samples of one epoch. */
  readonly size: number
  /** Changes whenever its samples could. */
  readonly hash: string
  at(position: number): Promise<Sample>
  /** All captions, for negatives and vocabularies: their texts only. */
  readonly captions: Texts
  /** Category names, where there are any. */
  readonly categories: readonly string[]
  /** Boxes by who gave them (`gold`, or a teacher), each once for every phrase that names it. */
  readonly origins: ReadonlyMap<string, number>
  /** The licence that the dataset's card names. */
  readonly license: string | undefined
  /** Lets go of the captions. */
  close(): void
}
