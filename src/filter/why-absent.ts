import { iou } from '../boxes/iou.js'
import type { Phrase, Proposal, Region } from '../shards/rows.js'
import { leastIou } from './compare-regions.js'

/** What a filter had before it in a picture, and what it did with it. */
export interface FilteredRow {
  readonly phrases: readonly Pick<Phrase, 'caption' | 'start' | 'end'>[]
  readonly proposals: readonly Pick<Proposal, 'phrase' | 'xyxy' | 'score'>[]
  /** The rule that dropped a proposal, by its place; of a rule whose places were not written down there are none. */
  readonly droppedBy: ReadonlyMap<number, string>
}

/** Reasons that are no rule's. */
export type Absence =
  /** The stage has not that phrase. */
  | 'no_phrase'
  /** The teacher has no box for the phrase that overlaps this one by an IoU of 0.5. */
  | 'no_proposal'
  /** Its box is there, and goes with another box of the other grounding, or overlaps this one less than those that go together. */
  | 'another_box'
  /** There is no filter that could say: gold, or a stage whose proposals or ledger are no longer there. */
  | 'unknown'

/**
 * Why a picture's grounding lacks a region that another grounding of it has: the rule that dropped the proposal that
 * overlaps it most, or why there is none.
 */
export function whyAbsent(region: Region, row: FilteredRow | undefined): Absence | (string & {}) {
  if (!row) return 'unknown'
  const { phrases, proposals, droppedBy } = row
  const own = new Set<number>()
  phrases.forEach(({ caption, start, end }, index) => {
    if (caption === region.caption && start === region.start && end === region.end) own.add(index)
  })
  if (own.size === 0) return 'no_phrase'
  let [best, most] = [-1, 0]
  proposals.forEach(({ phrase, xyxy, score }, place) => {
    if (!own.has(phrase)) return
    const overlap = iou(region.xyxy, xyxy)
    if (overlap < leastIou || overlap < most) return
    if (overlap === most && score <= proposals[best].score) return
    best = place
    most = overlap
  })
  if (best === -1) return 'no_proposal'
  return droppedBy.get(best) ?? 'another_box'
}
