import type { Phrase, Proposal } from '../shards/rows.js'

/** A proposal on its way through the rules. */
export type Candidate = Proposal

/** What a rule may look at besides the candidates: one picture's row. */
export interface FilterImage {
  /** Pixels. */
  readonly width: number
  readonly height: number
  readonly phrases: readonly Phrase[]
}

/**
 * Keeps some of a picture's candidates, in their order. They come best first, in an order that is the same however the
 * teacher's rows were ordered. Pure: the same candidates give the same answer.
 */
export type Rule = (candidates: readonly Candidate[], image: FilterImage) => readonly Candidate[]
