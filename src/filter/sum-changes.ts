import { measures } from '../shards/measures.js'
import type { Region } from '../shards/rows.js'
import { type Histogram, statsBuilder } from '../shards/stats.js'
import type { RegionChanges } from './compare-regions.js'

/** How many boxes of a phrase became what. */
export interface PhraseChanges {
  readonly phrase: string
  readonly kept: number
  readonly moved: number
  readonly lost: number
  readonly added: number
}

/** What changed from one grounding to another, over all pictures. */
export interface SummedChanges {
  readonly images: number
  /** Pictures with a box that moved, was lost or was added. */
  readonly changed: number
  readonly kept: number
  readonly rescored: number
  readonly moved: number
  readonly lost: number
  readonly added: number
  /** Why the second lacks what was lost, and why the first lacks what was added: counts by reason. */
  readonly lostBy: Readonly<Record<string, number>>
  readonly addedBy: Readonly<Record<string, number>>
  readonly histograms: {
    /** Scores in the grounding that has the box. */
    readonly lost_score: Histogram
    readonly added_score: Histogram
    /** Of kept and moved boxes, the second's score less the first's. */
    readonly score_change: Histogram
    readonly moved_iou: Histogram
  }
  /** Phrases with the most boxes lost and added, most first; of equally many those with the most that moved. */
  readonly phrases: readonly PhraseChanges[]
}

const compared = {
  lost_score: { edges: measures.score.edges },
  added_score: { edges: measures.score.edges },
  score_change: { edges: [-0.5, -0.2, -0.1, -0.05, -0.02, 0, 0.02, 0.05, 0.1, 0.2, 0.5] },
  moved_iou: { edges: [0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95] },
} as const

/** Phrases that are counted at once; beyond it those with the fewest changes are forgotten, and may come again. */
const mostPhrases = 100_000

/** Adds up changes, picture by picture, in memory that does not grow with the dataset. */
export function changesSum() {
  const stats = statsBuilder<keyof typeof compared>(compared)
  const sums = { images: 0, changed: 0, kept: 0, rescored: 0, moved: 0, lost: 0, added: 0 }
  const [lostBy, addedBy] = [new Map<string, number>(), new Map<string, number>()]
  let phrases = new Map<string, Omit<Mutable<PhraseChanges>, 'phrase'>>()

  const ranked = () =>
    [...phrases].sort(
      ([a, one], [b, other]) => drops(other) - drops(one) || other.moved - one.moved || (a < b ? -1 : 1),
    )
  const count = (phrase: string, what: 'kept' | 'moved' | 'lost' | 'added') => {
    const own = phrases.get(phrase) ?? { kept: 0, moved: 0, lost: 0, added: 0 }
    phrases.set(phrase, own)
    own[what]++
    if (phrases.size > 2 * mostPhrases) phrases = new Map(ranked().slice(0, mostPhrases))
  }
  return {
    /** @param textOf the words of a region @param why why the other grounding lacks it */
    add(
      { kept, rescored, moved, lost, added }: RegionChanges,
      textOf: (region: Region) => string,
      why: { readonly lost: (region: Region) => string; readonly added: (region: Region) => string },
    ): void {
      sums.images++
      if (moved.length + lost.length + added.length > 0) sums.changed++
      sums.kept += kept.length
      sums.rescored += rescored
      sums.moved += moved.length
      sums.lost += lost.length
      sums.added += added.length
      for (const { before, after } of kept) {
        count(textOf(after), 'kept')
        stats.observe('score_change', after.score - before.score)
      }
      for (const { before, after, iou } of moved) {
        count(textOf(after), 'moved')
        stats.observe('score_change', after.score - before.score)
        stats.observe('moved_iou', iou)
      }
      for (const region of lost) {
        count(textOf(region), 'lost')
        stats.observe('lost_score', region.score)
        increase(lostBy, why.lost(region))
      }
      for (const region of added) {
        count(textOf(region), 'added')
        stats.observe('added_score', region.score)
        increase(addedBy, why.added(region))
      }
    },
    /** @param top how many phrases */
    result(top: number): SummedChanges {
      const changed = ranked().filter(([, own]) => drops(own) + own.moved > 0)
      return {
        ...sums,
        lostBy: byCount(lostBy),
        addedBy: byCount(addedBy),
        histograms: stats.build().histograms as unknown as SummedChanges['histograms'],
        phrases: changed.slice(0, top).map(([phrase, own]) => ({ phrase, ...own })),
      }
    },
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Counts = Omit<PhraseChanges, 'phrase'>

const drops = ({ lost, added }: Counts) => lost + added

const increase = (counts: Map<string, number>, name: string) => {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

const byCount = (counts: ReadonlyMap<string, number>) =>
  Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)))
