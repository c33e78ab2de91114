import type { ChangesAnswer, CountsAnswer, TallyAnswer } from './answers.js'
import { binOf, type MeasureName, measureNames, measures } from './bins.js'
import { countChanges } from './count-changes.js'
import type { DatasetIndex } from './dataset-index.js'
import type { Inspected, Layer } from './layer.js'
import { Search } from './search.js'
import { isNarrowed, type View } from './view.js'
import type { Words } from './words.js'

export interface QueryResult {
  readonly counts: Omit<CountsAnswer, 'index'>
  /** Places in the dataset of the pictures that match, in their order; of a comparison those that changed most first. */
  readonly matches: Uint32Array
}

/** A choice that a row or box fails by; each histogram shows what passes all the others. */
const fails = {
  score: 1,
  area: 2,
  aspect: 4,
  head: 8,
  boxes: 1,
  phrases: 2,
  side: 4,
  host: 8,
  search: 16,
} as const

/** Words shown of a tally. */
const mostWords = 40

/**
 * Everything that the page counts, in one pass over the index.
 *
 * @param against the other layer of a comparison, whose shards must be indexed as well
 */
export function runQuery(
  dataset: Inspected,
  index: DatasetIndex,
  view: View,
  layer: Layer,
  against?: Layer,
): QueryResult {
  const search = new Search(index, view.search)
  const chosen = Object.fromEntries(
    measureNames.map((name) => [name, flagsOf(view.bins[name], measures[name].edges.length + 1)]),
  ) as Record<MeasureName, Uint8Array | null>
  const headFlags = wordFlags(view.heads, index.heads)
  const hostFlags = wordFlags(view.hosts, index.hosts)
  const wantsBox = Boolean(chosen.score || chosen.area || chosen.aspect || headFlags)
  const histograms = Object.fromEntries(
    measureNames.map((name) => [name, new Float64Array(measures[name].edges.length + 1)]),
  ) as Record<MeasureName, Float64Array>
  const heads = new Float64Array(index.heads.list.length)
  const hosts = new Float64Array(index.hosts.list.length)
  const kept = { boxes: 0, pictures: 0, proposals: 0 }
  const matched = { boxes: 0, pictures: 0 }
  const changes = { same: 0, moved: 0, gone: 0, come: 0, pictures: 0 }
  const matches = new Uint32Array(dataset.pictures)
  const weights = against ? new Uint32Array(dataset.pictures) : undefined
  const threshold = view.threshold ?? layer.threshold
  const others = against ? index.shards(against) : undefined
  const otherThreshold = against ? (view.threshold ?? against.threshold) : 0

  for (const shard of index.shards(layer)) {
    const other = others?.next().value?.layer
    if (others && !other) break
    const found = search.rows(shard)
    const { images, layer: part } = shard
    const { boxStart, boxTo, boxFrom, boxHead, scoreBin, areaBin, aspectBin, phraseStart } = part
    kept.proposals += part.proposals
    for (let row = 0; row < images.rows; row++) {
      const [start, end] = [boxStart[row], boxStart[row + 1]]
      const phrases = binOf(measures.phrases.edges, phraseStart[row + 1] - phraseStart[row])
      let rowFails = 0
      if (found && found[row] === 0) rowFails |= fails.search
      if (chosen.side && chosen.side[images.side[row]] === 0) rowFails |= fails.side
      if (chosen.phrases && chosen.phrases[phrases] === 0) rowFails |= fails.phrases
      if (hostFlags && !hostFlags[images.host[row]]) rowFails |= fails.host
      let [live, fitting] = [0, 0]
      for (let at = start; at < end; at++) {
        if (threshold <= boxTo[at] && (boxFrom === null || boxFrom[at] < threshold)) live++
      }
      kept.boxes += live
      if (live > 0) kept.pictures++
      const boxes = binOf(measures.boxes.edges, live)
      if (chosen.boxes && chosen.boxes[boxes] === 0) rowFails |= fails.boxes
      // Of two choices that it fails, no histogram leaves out both.
      if ((rowFails & (rowFails - 1)) !== 0) continue
      for (let at = start; at < end; at++) {
        let boxFails = 0
        if (chosen.score && chosen.score[scoreBin[at]] === 0) boxFails |= fails.score
        if (chosen.area && chosen.area[areaBin[at]] === 0) boxFails |= fails.area
        if (chosen.aspect && chosen.aspect[aspectBin[at]] === 0) boxFails |= fails.aspect
        if (headFlags && !headFlags[boxHead[at]]) boxFails |= fails.head
        const isLive = threshold <= boxTo[at] && (boxFrom === null || boxFrom[at] < threshold)
        if (isLive && boxFails === 0) fitting++
        if (rowFails !== 0) continue
        // The score's own shows what the threshold leaves out, where a box has one score only.
        if ((isLive || boxFrom === null) && (boxFails & ~fails.score) === 0) histograms.score[scoreBin[at]]++
        if (!isLive) continue
        if ((boxFails & ~fails.area) === 0) histograms.area[areaBin[at]]++
        if ((boxFails & ~fails.aspect) === 0) histograms.aspect[aspectBin[at]]++
        if ((boxFails & ~fails.head) === 0) heads[boxHead[at]]++
      }
      if (wantsBox && fitting === 0) continue
      if ((rowFails & ~fails.boxes) === 0) histograms.boxes[boxes]++
      if ((rowFails & ~fails.phrases) === 0) histograms.phrases[phrases]++
      if ((rowFails & ~fails.side) === 0) histograms.side[images.side[row]]++
      if ((rowFails & ~fails.host) === 0) hosts[images.host[row]]++
      if (rowFails !== 0) continue
      if (other && weights) {
        const { same, moved, gone, come } = countChanges(other, otherThreshold, part, threshold, row)
        changes.same += same
        changes.moved += moved
        changes.gone += gone
        changes.come += come
        if (moved + gone + come > 0) changes.pictures++
        else if (!view.same) continue
        // What is on one side alone weighs more than what moved.
        weights[matched.pictures] = (gone + come) * 64 + Math.min(63, moved)
      }
      matches[matched.pictures++] = shard.shard.start + row
      matched.boxes += fitting
    }
  }
  const found = matches.slice(0, matched.pictures)
  return {
    counts: {
      kept,
      matched,
      histograms: Object.fromEntries(
        measureNames.map((name) => [name, [...histograms[name]]]),
      ) as unknown as CountsAnswer['histograms'],
      heads: tallyOf(heads, index.heads, view.heads),
      hosts: tallyOf(hosts, index.hosts, view.hosts),
      changes: against ? (changes satisfies ChangesAnswer) : null,
    },
    matches: weights ? mostFirst(found, weights) : found,
  }
}

/** Whether pictures are shown in the order of the dataset, all of them: then no index is needed to find them. */
export const showsAll = (view: View) => view.tab !== 'compare' && !isNarrowed(view)

function flagsOf(bins: readonly number[] | undefined, count: number): Uint8Array | null {
  if (!bins || bins.length === 0) return null
  const flags = new Uint8Array(count)
  for (const bin of bins) flags[bin] = 1
  return flags
}

/** 1 at the places of the words; words that are nowhere leave all at 0. */
function wordFlags(chosen: readonly string[], words: Words): Uint8Array | null {
  if (chosen.length === 0) return null
  const flags = new Uint8Array(words.list.length)
  for (const word of chosen) {
    const id = words.find(word)
    if (id !== undefined) flags[id] = 1
  }
  return flags
}

/** Rows by falling weights, those of one weight in their order. */
function mostFirst(rows: Uint32Array, weights: Uint32Array): Uint32Array {
  let most = 0
  for (let at = 0; at < rows.length; at++) most = Math.max(most, weights[at])
  // Weights are small numbers: each has its own stretch of the answer.
  const starts = new Uint32Array(most + 2)
  for (let at = 0; at < rows.length; at++) starts[most - weights[at] + 1]++
  for (let at = 0; at <= most; at++) starts[at + 1] += starts[at]
  const sorted = new Uint32Array(rows.length)
  for (let at = 0; at < rows.length; at++) sorted[starts[most - weights[at]]++] = rows[at]
  return sorted
}

function tallyOf(counts: Float64Array, words: Words, chosen: readonly string[]): TallyAnswer {
  const known: number[] = []
  let once = 0
  counts.forEach((count, id) => {
    if (count === 0) return
    known.push(id)
    if (count === 1) once++
  })
  const different = known.length
  known.sort((a, b) => counts[b] - counts[a] || a - b)
  const top = known.slice(0, mostWords).map((id): [string, number] => [words.list[id], counts[id]])
  for (const word of chosen) {
    if (!top.some(([one]) => one === word)) top.push([word, counts[words.find(word) ?? -1] ?? 0])
  }
  return { top, different, once }
}
