import type { Xyxy } from '../boxes/xyxy.js'

/**
 * What a person does. With a box: `accept`, `reject`, `redraw`, `add`, and `relabel`, its words are others of the
 * caption. With a phrase: `complete`, all that it names has a box; `incomplete`; `unseen`, it names no thing that
 * can be seen. With a picture: `done`, it was looked at. `undo` takes an entry back.
 */
export const reviewActions = [
  'accept',
  'reject',
  'redraw',
  'add',
  'relabel',
  'complete',
  'incomplete',
  'unseen',
  'done',
  'undo',
] as const
export type ReviewAction = (typeof reviewActions)[number]

/** Whether an entry is of a box; else it is of a phrase or of a whole picture. */
export const isOfBox = (action: ReviewAction): boolean => boxActions.has(action)
const boxActions: ReadonlySet<ReviewAction> = new Set(['accept', 'reject', 'redraw', 'add', 'relabel'])

/** The words of a caption that a phrase is, by which it is found again when phrases have been made anew. */
export interface ReviewedPhrase {
  readonly caption: number
  /** Code points, half open. */
  readonly start: number
  readonly end: number
  readonly text: string
}

/** A line of a review's log. It is never changed: another one supersedes it, or takes it back. */
export interface ReviewEntry {
  /** Of this entry alone: its session, and a number that rises. */
  readonly id: string
  /** When, in ISO 8601 and UTC. */
  readonly at: string
  readonly reviewer: string
  /** Of the picture. */
  readonly key: string
  readonly action: ReviewAction
  /** Null of `done` and `undo`. */
  readonly phrase: ReviewedPhrase | null
  /** The box that was shown, or that is added, in pixels of the stored picture; null where none is meant. */
  readonly xyxy: Xyxy | null
  /** Of `redraw`, the box that it should be. */
  readonly redrawn: Xyxy | null
  /** Of `relabel`, the words of the same caption that name the box; of `redraw`, where they are others as well. */
  readonly words: { readonly start: number; readonly end: number } | null
  /** The stage whose boxes were shown; null where they came from elsewhere. */
  readonly stage: string | null
  /** Of `undo`, the entry that is taken back. */
  readonly undoes: string | null
}
