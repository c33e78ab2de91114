import type { Xyxy } from '../boxes/xyxy.js'
import type { Phrase } from '../rows/rows.js'

/** A box that a phrase has in a grounding. */
export interface PlacedBox {
  /** Index into the picture's phrases. */
  readonly phrase: number
  readonly xyxy: Xyxy
}

/** A box that a model found for a phrase. */
export interface FoundBox {
  readonly xyxy: Xyxy
  /** 0 to 1. */
  readonly score: number
}

/** A picture's grounding, and what a model found for the same phrases. */
export interface DoubtedPicture {
  readonly key: string
  readonly width: number
  readonly height: number
  readonly phrases: readonly Phrase[]
  readonly boxes: readonly PlacedBox[]
  /** By phrase; of one that the model cannot be asked for there is nothing, not even an empty list. */
  readonly found: ReadonlyMap<number, readonly FoundBox[]>
  /** What a judge says of a box of a phrase, 0 to 1; undefined where none was asked. */
  judged(phrase: number, xyxy: Xyxy): number | undefined
}

/** Two boxes of one thing: the same, but for rounding. */
export const sameBox = 0.95
/** Boxes that overlap by so much are of one thing, as COCO's AP50 has it. */
export const sameThing = 0.5
