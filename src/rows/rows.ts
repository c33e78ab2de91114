/**
 * The rows of every column family of a dataset.
 *
 * One row an image in every family, in the same order. `caption` and `phrase` are indices into that row's own
 * lists. Spans are Unicode code points, half open, so that a Python slice takes them unchanged. Boxes are
 * [x1, y1, x2, y2] in pixels of the stored image, x2 > x1 and y2 > y1.
 */
import type { Xyxy } from '../boxes/xyxy.js'

/** Where a caption's words come from. */
export type CaptionKind = 'web' | 'gold' | 'categories'

export interface Caption {
  readonly text: string
  /** `web`: crawled; `gold`: written for the picture; `categories`: category names joined by '. '. */
  readonly kind: CaptionKind
}

/** Family `images`: the one place where picture bytes live. */
export interface ImageRow {
  /** Unique in the dataset: shard id and index in the shard, as img2dataset writes it ("000010005"). */
  readonly key: string
  /** The struct that Hugging Face datasets decodes as an Image. */
  readonly image: { readonly bytes: Uint8Array; readonly path: string | null }
  readonly width: number
  readonly height: number
  readonly captions: readonly Caption[]
  /** As the source names it. */
  readonly url: string | null
  /** Hex digest of the bytes as they came in, before any re-encoding. */
  readonly sha256: string
  /** 64-bit difference hash as 16 hex digits. */
  readonly phash: string
  /** What edited copies are known by (`fingerprintLayout`), in Base64; shards of older versions have none. */
  readonly fingerprint?: string | null
  readonly license: string | null
  /** A JSON object with whatever else the source said of the picture. */
  readonly meta: string | null
}

export interface Phrase {
  /** Index into the image row's captions. */
  readonly caption: number
  readonly text: string
  /** Span in the caption, in code points, half open. */
  readonly start: number
  readonly end: number
  /** Head noun, lower case. */
  readonly head: string
  // What follows came later: shards of older versions have none of it, and where nobody told (gold) it is
  // null.
  /** End of the referring expression that begins at `start`: the phrase and the tail that belongs to it. */
  readonly expression_end?: number | null
  readonly number?: 'singular' | 'plural' | 'mass' | null
  /** How many the phrase says there are; null where it does not say. */
  readonly count?: number | null
  readonly attributes?: readonly PhraseAttribute[] | null
  /** Why it is asked for: what of its head can be seen, `category` or `ngram`. */
  readonly kept?: string | null
}

export interface PhraseAttribute {
  /** `colour`, `size`, `material` or `other`. */
  readonly kind: string
  readonly text: string
}

/** A phrase that is not asked for. */
export interface LeftOutPhrase {
  readonly caption: number
  readonly text: string
  readonly start: number
  readonly end: number
  readonly head: string
  /** A short fixed word, such as `abstract_head`. */
  readonly reason: string
}

/** Family `selection`: which pictures later stages leave alone, and why. */
export interface SelectionRow {
  readonly key: string
  /** `duplicate_url`, `duplicate_bytes`, `near_duplicate`, `contaminated`; null where the picture is kept. */
  readonly reason: string | null
  /** Key of the picture that is kept instead, or the entry of the evaluation set; null where it is kept. */
  readonly duplicate_of: string | null
}

/** Family `phrases`. */
export interface PhraseRow {
  readonly key: string
  readonly phrases: readonly Phrase[]
  /** Absent in shards of older versions. */
  readonly left_out?: readonly LeftOutPhrase[] | null
}

/**
 * In the place of a phrase: the box was found for a negative prompt of the teacher, which the label names.
 */
export const negativePhrase = -1

export interface Proposal {
  /** Index into the phrase row's phrases, or `negativePhrase`. */
  readonly phrase: number
  readonly xyxy: Xyxy
  /** In 0 to 1. */
  readonly score: number
  /**
   * What a detector with a fixed list of labels calls the box, which it proposes for every phrase; null where
   * the box was found for its phrase. Shards of schema version 1 have no such column and are read as null.
   */
  readonly label: string | null
  /**
   * The best score that a box around the same thing had when an attribute of its phrase was asked with another
   * value ("a blue cat" for "a red cat"), 0 to 1; 0 where no box was above the floor. Null, or absent in what
   * no file holds, where the phrase has no attribute or nobody asked: shards that are older than the column.
   */
  readonly contrast?: number | null
}

/** Family `proposals`: what a teacher found, down to a low floor score. */
export interface ProposalRow {
  readonly key: string
  readonly proposals: readonly Proposal[]
  /** Name of the model that found them. */
  readonly teacher: string
}

export interface Region {
  readonly caption: number
  readonly phrase: number
  readonly start: number
  readonly end: number
  readonly xyxy: Xyxy
  /** The teacher's score; 1 for gold. */
  readonly score: number
  /** `gold`, or the teacher's name and round. */
  readonly origin: string
  /**
   * What the source calls the thing's area, such as that of its outline, in pixels of the stored picture,
   * squared; null, or absent in what is older, where it says nothing: then it is the box's own.
   */
  readonly area?: number | null
}

/**
 * A box that an evaluation neither asks for nor counts as wrong where it is found: a crowd, or one that its
 * source marks so (`ignore` of LVIS). No phrase names it; training, filters and statistics do not see it.
 */
export interface IgnoredRegion {
  /** Name of its category, as phrases have it. */
  readonly text: string
  readonly xyxy: Xyxy
  /** As that of a region; of the box where the source says nothing. */
  readonly area: number
  /** Whether it holds many things of its name: any number of boxes may lie in it. */
  readonly crowd: boolean
}

/** Family `grounding`: which phrase of which caption names which box. */
export interface GroundingRow {
  readonly key: string
  readonly regions: readonly Region[]
  /** Of gold; null, or absent in what is older, where nobody told. */
  readonly ignored?: readonly IgnoredRegion[] | null
  /**
   * Sides of a pixel of the picture that the source describes, in those of the stored one: 0.5 where it was
   * halved. Of gold; null, or absent in what is older, where nobody told. COCO's size classes are in the
   * source's pixels.
   */
  readonly scale?: number | null
  /**
   * How far the teachers disagree on each phrase of which one of them found a box, where several were asked
   * (rule `consensus`); null, or absent in what is older, where one was.
   */
  readonly disagreement?: readonly PhraseDisagreement[] | null
}

/** How far teachers disagree on a phrase. */
export interface PhraseDisagreement {
  /** Index into the phrase row's phrases. */
  readonly phrase: number
  /** 0: each found the boxes of the others; 1: no box of one is that of another. */
  readonly value: number
}

/**
 * What a judge says. Of a box: `accept` and `reject`; `redraw`, its thing is there and the box should be another;
 * `add`, a box that nobody had proposed. Of a phrase: `complete`, its boxes are all the things that it names;
 * `incomplete`, some have none; `unseen`, it names no thing that can be seen.
 */
export type VerdictKind = 'accept' | 'reject' | 'redraw' | 'add' | 'complete' | 'incomplete' | 'unseen'

export interface Verdict {
  /** Index into the phrase row's phrases. */
  readonly phrase: number
  /** The box that is judged, or that is added; null where the verdict is of the phrase as a whole. */
  readonly xyxy: Xyxy | null
  readonly verdict: VerdictKind
  /** 0 to 1: how sure the judge is that the box is right, or that the phrase has all its boxes. */
  readonly probability: number
  /** Of `redraw`, the box that it should be; null otherwise. */
  readonly redrawn: Xyxy | null
  /**
   * Words of the phrase's caption that name the box better, in code points, half open; null where those of the
   * phrase do.
   */
  readonly start: number | null
  readonly end: number | null
  /** Who: the name of a model, or of a person. */
  readonly judge: string
  /** Whether a person says so: then no model is asked. */
  readonly person: boolean
  /** A short fixed word for why, such as `swapped`; null where none is given. */
  readonly reason: string | null
  /** When, in ISO 8601 and UTC; null where it is when the shard was made, as its record says. */
  readonly at: string | null
}

/** Family `verdicts`: what a judge says of the boxes that were found for a picture's phrases. */
export interface VerdictRow {
  readonly key: string
  readonly verdicts: readonly Verdict[]
}

/**
 * How it is known that a phrase names nothing in a picture: `gold`, boxes of an exhaustive source without one
 * of it; `categories`, a source's list of what it looked for; `caption`, the text of an exhaustive source;
 * `attribute`, a phrase with boxes is of another value of an attribute; `verified`, a person or the source
 * said so of this picture.
 */
export type NegativeEvidence = 'gold' | 'categories' | 'caption' | 'attribute' | 'verified'

export interface Negative {
  /** The phrase that names nothing in the picture. */
  readonly text: string
  readonly evidence: NegativeEvidence
  /** Index of the phrase that it is a variant of, "blue cat" of "red cat"; -1 where it is of none. */
  readonly phrase: number
  /** Score of the best box that a teacher found for it all the same, 0 to 1; null where none was asked. */
  readonly score: number | null
}

/** Family `negatives`: what is known not to be in a picture. */
export interface NegativeRow {
  readonly key: string
  readonly negatives: readonly Negative[]
  /**
   * Whether the source boxed everything that its own category names name: a name without a box is absent.
   */
  readonly exhaustive: boolean
  /** Category names of which the picture may hold more than is boxed. */
  readonly partial: readonly string[]
  /** Name of the model that gave the scores; null where none was asked. */
  readonly teacher: string | null
}

/** Family `rejects`: what did not make it through a stage, and why. Not row for row with the others. */
export interface RejectRow {
  readonly key: string | null
  readonly url: string | null
  /** A short fixed word, such as `http_404`, counted in statistics. */
  readonly reason: string
  /** What a person wants to read: the message, the value, the place. */
  readonly detail: string
}

export interface Families {
  readonly images: ImageRow
  readonly selection: SelectionRow
  readonly phrases: PhraseRow
  readonly proposals: ProposalRow
  readonly verdicts: VerdictRow
  readonly grounding: GroundingRow
  readonly negatives: NegativeRow
  readonly rejects: RejectRow
}

export type Family = keyof Families
