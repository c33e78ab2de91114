import type { Xyxy } from '../../boxes/xyxy.js'
import type { Caption } from '../../rows/rows.js'
import type { Storage } from '../../storage/storage.js'

/** A phrase of a caption and the boxes it names. */
export interface GroundedPhrase {
  readonly start: number
  readonly end: number
  readonly boxes: readonly Xyxy[]
  /** Who gave each box: `gold`, or a teacher. */
  readonly origins: readonly string[]
}

export interface GroundedCaption extends Caption {
  /** Phrases that have boxes. */
  readonly grounded: readonly GroundedPhrase[]
  /** Spans of phrases that have none: what they name may well be in the picture. */
  readonly ungrounded: readonly (readonly [number, number])[]
}

export interface Sample {
  readonly key: string
  readonly bytes: Uint8Array
  /** Captions with at least one grounded phrase. */
  readonly captions: readonly GroundedCaption[]
}

/** Where samples come from: a grounding column and the phrases that it points to. */
export interface SampleSource {
  readonly name: string
  readonly storage: Storage
  readonly shards: readonly string[]
  readonly grounding: string
  readonly phrases: string
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
  readonly captions: readonly string[]
  /** Category names, where there are any. */
  readonly categories: readonly string[]
  /** Boxes by who gave them: `gold`, or a teacher. */
  readonly origins: ReadonlyMap<string, number>
  /** The licence that the dataset's card names. */
  readonly license: string | undefined
}
