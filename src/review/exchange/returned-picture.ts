import type { Xyxy } from '../../boxes/xyxy.js'
import type { NumberedPicture } from './exported-picture.js'

/** A picture as it came back from a reviewer. */
export interface ReturnedPicture {
  readonly picture: NumberedPicture
  /** As the file has it; null where it says nothing. */
  readonly reviewer: string | null
  /** When, in ISO 8601 and UTC; null where the file says nothing. */
  readonly at: string | null
  /** The captions whose boxes came back; null where it is all of them. */
  readonly captions: ReadonlySet<number> | null
  readonly boxes: readonly ReturnedBox[]
  /** Whether the reviewer says that all that the phrases name has a box. */
  readonly allFound: boolean
}

export interface ReturnedBox {
  /**
   * Which of the boxes that went out it says it is; `new` where it is none of them; null where the file keeps no ids,
   * so that nobody knows.
   */
  readonly box: number | 'new' | null
  /** In pixels of the picture; of a turned box the upright one around it. Not checked: sides may be NaN. */
  readonly xyxy: Xyxy
  readonly isTurned: boolean
  readonly words: ReturnedWords
}

/**
 * What a box is of: a phrase, by its index; words of a caption, in code points; a text that is no phrase of the
 * picture; null where the file does not say.
 */
export type ReturnedWords =
  | number
  | { readonly caption: number; readonly start: number; readonly end: number }
  | string
  | null

/** What a file has that is no picture, or nothing to judge. */
export interface ReturnedProblem {
  readonly place: string
  /** A short fixed word. */
  readonly reason: string
  readonly detail: string
}

/** What a reader finds: a picture, a problem, or one that was passed over (nobody has finished it). */
export type Returned =
  | { readonly place: string; readonly returned: ReturnedPicture; readonly exchange: string }
  | { readonly problem: ReturnedProblem }
  | { readonly passed: 'unfinished' | 'cancelled' }
