/** What the server answers of a review, and what it is told. */
import type { ReviewAction, ReviewEntry } from '../../review/review-entry.js'
import type { Verdict } from '../../rows/rows.js'
import type { Sample, SampleBox } from './answers.js'

/** In which order pictures are reviewed; `sample` is that of a file that was drawn for judging. */
export const queueOrders = ['doubt', 'random', 'matches', 'sample'] as const
export type QueueOrder = (typeof queueOrders)[number]

/** A picture of the queue. */
export interface QueuedPicture {
  /** `shard:row`. */
  readonly id: string
  /** Whether the reviewer has done it, and whether anything was said of it. */
  readonly done: boolean
  readonly begun: boolean
}

export interface QueueAnswer {
  readonly pictures: readonly QueuedPicture[]
  /** How many there are, of which the first are listed. */
  readonly total: number
  /** Whether all of the dataset was looked through for the order. */
  readonly isWhole: boolean
  /** What is wrong with the log, where anything is. */
  readonly notices: readonly string[]
}

/** A box or a phrase of a sample. */
export interface AskedLabel {
  readonly caption: number
  readonly start: number
  readonly end: number
  readonly xyxy: SampleBox['xyxy'] | null
}

export interface ReviewedPicture {
  readonly sample: Sample
  /** Entries of the reviewer about it; those that no longer hold too. */
  readonly mine: readonly ReviewEntry[]
  /** What holds of what others have said; null where that was not asked for. */
  readonly others: readonly ReviewEntry[] | null
  /** What machines say of it, as `others`. */
  readonly machines: readonly Verdict[] | null
  /** What of it a sample asks about; null: everything. */
  readonly asked: readonly AskedLabel[] | null
}

/** An entry as the page sends it. */
export interface SentEntry {
  /** Of the page's session: what is sent again is not written again. */
  readonly id: string
  /** `shard:row`. */
  readonly picture: string
  /** The layer whose phrases and boxes were shown. */
  readonly layer: string
  readonly action: ReviewAction
  /** Index into the phrases of that layer. */
  readonly phrase: number | null
  readonly xyxy: SampleBox['xyxy'] | null
  readonly redrawn: SampleBox['xyxy'] | null
  readonly words: { readonly start: number; readonly end: number } | null
  readonly undoes: string | null
}

export interface ReviewQuestion {
  readonly reviewer: string
  readonly entries: readonly SentEntry[]
}

/** An entry that cannot be written, and why: sending it again would not help. */
export interface RefusedEntry {
  readonly id: string
  readonly error: string
}

export interface ReviewAnswer {
  /** As they are in the log, on disk. */
  readonly written: readonly ReviewEntry[]
  readonly refused: readonly RefusedEntry[]
}
