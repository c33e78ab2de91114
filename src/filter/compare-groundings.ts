import { UserError } from '../base/user-error.js'
import { type OpenDataset, requireGrounding } from '../catalog/open-dataset.js'
import type { Caption, Region } from '../rows/rows.js'
import { readCommit } from '../shards/commit.js'
import { joinRows } from '../shards/join-rows.js'
import { changedPhrases, type PhraseChanges } from './changed-phrases.js'
import { compareRegions, type RegionChanges } from './compare-regions.js'
import { type JudgeChange, judgeChanges } from './judge-changes.js'
import { openRegionReasons, type RegionReasons, type RowReasons } from './region-reasons.js'
import { relabelledReason } from './why-dropped.js'

/** What became of the regions of all pictures. */
export interface ChangeSums {
  /** In both groundings, box for box, and how many of them have another score. */
  readonly kept: number
  readonly rescored: number
  /** The same phrase with another box. */
  readonly moved: number
  readonly lost: number
  readonly added: number
  /** Pictures, and those of them that have a box moved, lost or added. */
  readonly images: number
  readonly changed: number
}

/** Regions of scores from `from` on, up to the next bin, by what became of them. */
export interface ScoreChanges extends PhraseChanges {
  readonly from: number
  readonly kept: number
}

/** How many boxes a reason dropped, or re-labelled, in each grounding; null where its records do not have the reason. */
export interface ReasonChange {
  readonly reason: string
  readonly before: number | null
  readonly after: number | null
}

/** A picture whose regions differ, and how many of them do. */
export interface ChangedPicture {
  readonly shard: string
  /** Number of its row in the shard. */
  readonly row: number
  readonly changes: number
  readonly before: readonly Region[]
  readonly after: readonly Region[]
}

/** What changed from one grounding of a dataset to another. */
export interface GroundingComparison {
  readonly sums: ChangeSums
  /** Of the boxes that moved; null where none did. */
  readonly meanIou: number | null
  /** Lost and added regions by why the other grounding does not have them. */
  readonly why: Readonly<Record<OneSided, ReadonlyMap<string, number>>>
  /** What each judge, of whose verdicts one of the two was made, said of lost and added regions. */
  readonly judges: readonly JudgeChange[]
  /** Why reasons are unknown, where they are. */
  readonly notes: readonly string[]
  readonly scores: readonly ScoreChanges[]
  /** Those that changed most. */
  readonly phrases: readonly (readonly [text: string, changes: PhraseChanges])[]
  /** A phrase may have changed oftener than told by this. */
  readonly phrasesError: number
  readonly reasons: readonly ReasonChange[]
  /** The pictures that changed most, as many as were asked for. */
  readonly mostChanged: readonly ChangedPicture[]
}

export interface CompareOptions {
  /** Phrases that are told of. */
  readonly top: number
  /** Changed pictures that are given; none by default. */
  readonly pictures?: number
  readonly signal?: AbortSignal
}

/** What a region of one grounding alone is. */
type OneSided = 'lost' | 'added'
const oneSided = ['lost', 'added'] as const

/**
 * Compares two groundings of a dataset, picture by picture, over the shards that have both.
 *
 * @throws UserError where the dataset has not both, or no shard has both
 */
export async function compareGroundings(
  dataset: OpenDataset,
  [before, after]: readonly [string, string],
  { top, pictures = 0, signal }: CompareOptions,
): Promise<GroundingComparison> {
  for (const grounding of [before, after]) requireGrounding(dataset, grounding)
  // What is lost the second grounding does not have, and what is added the first does not.
  const reasons = {
    lost: await openRegionReasons(dataset, after),
    added: await openRegionReasons(dataset, before),
  }
  const sums = { kept: 0, rescored: 0, moved: 0, lost: 0, added: 0, images: 0, changed: 0 }
  const why = { lost: new Map<string, number>(), added: new Map<string, number>() }
  const judges = judgeChanges()
  const phrases = changedPhrases()
  const scores = scoreBins.map((from) => ({ from, kept: 0, moved: 0, lost: 0, added: 0 }))
  let overlap = 0
  let mostChanged: ChangedPicture[] = []
  for await (const pair of groundingPairs(dataset, before, after, reasons)) {
    signal?.throwIfAborted()
    const changes = compareRegions(pair.before, pair.after)
    addToSums(sums, changes)
    addToScores(scores, changes)
    overlap += changes.moved.reduce((sum, { iou }) => sum + iou, 0)
    for (const change of oneSided) {
      for (const region of changes[change]) {
        phrases.add(textOf(region, pair.captions), change)
        const { lost, added } = pair.reasons
        judges.add(change, [...lost.verdictsOf(region), ...added.verdictsOf(region)])
        const reason = pair.reasons[change].reasonOf(region)
        why[change].set(reason, (why[change].get(reason) ?? 0) + 1)
      }
    }
    for (const { region } of changes.moved) phrases.add(textOf(region, pair.captions), 'moved')
    const count = changes.lost.length + changes.added.length + changes.moved.length
    if (count === 0 || pictures === 0) continue
    mostChanged.push({
      shard: pair.shard,
      row: pair.row,
      changes: count,
      before: pair.before,
      after: pair.after,
    })
    // Sorted now and then, so that the regions of all pictures are not held in memory.
    if (mostChanged.length > 4 * pictures) mostChanged = largest(mostChanged, pictures)
  }
  return {
    sums,
    meanIou: sums.moved > 0 ? overlap / sums.moved : null,
    why,
    judges: judges.all(),
    notes: Object.values(reasons).flatMap(({ note }) => (note === undefined ? [] : [note])),
    scores,
    phrases: phrases.top(top),
    phrasesError: phrases.error(),
    reasons: compareReasons(dataset, before, after),
    mostChanged: largest(mostChanged, pictures),
  }
}

/** The rows of two groundings, picture by picture, over the shards that have both. */
async function* groundingPairs(
  { storage, shards, url }: OpenDataset,
  before: string,
  after: string,
  reasons: Readonly<Record<OneSided, RegionReasons>>,
) {
  let hasPairs = false
  for (const shard of shards) {
    const records = await Promise.all(
      [before, after].map((stage) => readCommit(storage, 'grounding', stage, shard)),
    )
    if (records.some((record) => !record)) continue
    hasPairs = true
    const lost = reasons.lost.rows(shard)
    const added = reasons.added.rows(shard)
    const parts = {
      images: { columns: ['captions'] },
      before: { family: 'grounding', stage: before },
      after: { family: 'grounding', stage: after },
    } as const
    try {
      for await (const joined of joinRows(storage, shard, parts)) {
        const reasonsOfRow = {
          lost: (await lost.next()).value ?? unknown,
          added: (await added.next()).value ?? unknown,
        }
        yield {
          shard,
          row: joined.row,
          captions: joined.images.captions,
          before: joined.before.regions,
          after: joined.after.regions,
          reasons: reasonsOfRow,
        }
      }
    } finally {
      for (const rows of [lost, added]) await rows.return(undefined)
    }
  }
  if (!hasPairs) throw new UserError(`${url}: no shard has both "${before}" and "${after}".`)
}

const unknown: RowReasons = { reasonOf: () => 'unknown', verdictsOf: () => [] }

/** The words of a region's phrase, lower case. */
function textOf({ caption, start, end }: Region, captions: readonly Caption[]): string {
  const text = captions[caption]?.text
  if (text === undefined)
    throw new Error(`a region is of caption ${caption} of a picture that has ${captions.length}`)
  return [...text].slice(start, end).join('').toLowerCase()
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

function addToSums(sums: Mutable<ChangeSums>, { kept, rescored, moved, lost, added }: RegionChanges): void {
  sums.kept += kept.length
  sums.rescored += rescored
  sums.moved += moved.length
  sums.lost += lost.length
  sums.added += added.length
  sums.images++
  if (moved.length + lost.length + added.length > 0) sums.changed++
}

/** Lower ends of bins of scores. */
const scoreBins = Array.from({ length: 10 }, (_, at) => at / 10)

/** Counts regions by score; those in both groundings by the score that the second gives them. */
function addToScores(
  scores: readonly Mutable<ScoreChanges>[],
  { kept, moved, lost, added }: RegionChanges,
): void {
  const binOf = ({ score }: Region) => scores[Math.min(scores.length - 1, Math.floor(score * scores.length))]!
  for (const region of kept) binOf(region).kept++
  for (const { region } of moved) binOf(region).moved++
  for (const region of lost) binOf(region).lost++
  for (const region of added) binOf(region).added++
}

/** Boxes that each reason dropped, or re-labelled, in the two groundings; gold has dropped none. */
function compareReasons({ stages }: OpenDataset, before: string, after: string): ReasonChange[] {
  const rejectedBy = (name: string): Readonly<Record<string, number>> => {
    const made = stages.find(({ family, stage }) => family === 'grounding' && stage === name)
    const renamed = Object.entries(made?.relabelled ?? {})
    return {
      ...made?.rejected,
      ...Object.fromEntries(renamed.map(([rule, count]) => [relabelledReason(rule), count])),
    }
  }
  const rejectedBefore = rejectedBy(before)
  const rejectedAfter = rejectedBy(after)
  const reasons = new Set([...Object.keys(rejectedBefore), ...Object.keys(rejectedAfter)])
  return [...reasons].sort().map((reason) => ({
    reason,
    before: rejectedBefore[reason] ?? null,
    after: rejectedAfter[reason] ?? null,
  }))
}

/** Those with the most changes, equal ones in the order of the dataset. */
const largest = (changed: readonly ChangedPicture[], count: number) =>
  [...changed]
    .sort((a, b) => b.changes - a.changes || (a.shard < b.shard ? -1 : 1) || a.row - b.row)
    .slice(0, count)
