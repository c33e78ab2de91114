import { binOf } from '../statistics/measures.js'
import type { CountsAnswer, TallyAnswer } from './answers.js'
import { binsOf, type Choices, choicesOf, perMeasure } from './choices.js'
import { type ChangeCounter, changeCounter } from './count-changes.js'
import type { DatasetIndex, IndexedShard } from './dataset-index.js'
import type { LayerPart } from './index-part.js'
import type { Inspected, Layer } from './layer.js'
import { Search } from './search.js'
import { shownMeasures } from './shown-measures.js'
import type { StringTable } from './string-table.js'
import { isKept, thresholdOf } from './threshold.js'
import type { View } from './view.js'

export interface QueryResult {
  readonly counts: Omit<CountsAnswer, 'index'>
  /**
   * Places in the dataset of the pictures that match, in their order; of a comparison the most changed ones
   * first.
   */
  readonly matches: Uint32Array
}

/**
 * A choice that a row or a box fails by, as a bit: each histogram shows what passes all the other choices.
 */
const boxFail = { score: 1, area_share: 2, aspect: 4, head: 8 } as const
const rowFail = { regions_an_image: 1, phrases_an_image: 2, longer_side: 4, host: 8, search: 16 } as const

/** Words shown of a tally. */
const mostWords = 40

/**
 * Everything that the page counts, in one pass over the index.
 *
 * @param against the other layer of a comparison, whose shards must be indexed as well
 */
export function queryIndex(
  dataset: Pick<Inspected, 'pictures'>,
  index: Pick<DatasetIndex, 'shards' | 'texts' | 'heads' | 'hosts'>,
  view: View,
  layer: Layer,
  against?: Layer,
): QueryResult {
  const choices = choicesOf(view, index)
  const sums = emptySums(dataset.pictures, index)
  const comparison = against && {
    ...{ count: changeCounter(), weights: new Uint32Array(dataset.pictures), withSame: view.same },
    threshold: thresholdOf(view, against),
  }
  const search = new Search(index, view.search)
  const threshold = thresholdOf(view, layer)
  const others = against && index.shards(against)
  for (const shard of index.shards(layer)) {
    const other = others?.next().value?.layer
    if (others && !other) break
    const before = comparison && other && { ...comparison, layer: other }
    scanShard(shard, threshold, choices, search.rows(shard), sums, before)
  }
  const { kept, matched, changes, histograms, allScores } = sums
  const matches = sums.matches.slice(0, matched.pictures)
  return {
    counts: {
      ...{ kept, matched },
      histograms: perMeasure((name) => [...histograms[name]]),
      allScores: [...allScores],
      heads: tallyOf(sums.heads, index.heads, view.heads),
      hosts: tallyOf(sums.hosts, index.hosts, view.hosts),
      changes: against ? changes : null,
    },
    matches: comparison ? mostFirst(matches, comparison.weights) : matches,
  }
}

function emptySums(pictures: number, index: Pick<DatasetIndex, 'heads' | 'hosts'>) {
  return {
    kept: { boxes: 0, pictures: 0, proposals: 0 },
    matched: { boxes: 0, pictures: 0 },
    changes: { kept: 0, moved: 0, lost: 0, added: 0, pictures: 0 },
    histograms: perMeasure((name) => new Float64Array(binsOf(name))),
    allScores: new Float64Array(binsOf('score')),
    heads: new Float64Array(index.heads.list.length),
    hosts: new Float64Array(index.hosts.list.length),
    matches: new Uint32Array(pictures),
  }
}

/** The other side of a comparison. */
interface Before {
  readonly layer: LayerPart
  readonly threshold: number
  readonly count: ChangeCounter
  /** How much each match has changed. */
  readonly weights: Uint32Array
  /** Whether pictures that are the same on both sides match too. */
  readonly withSame: boolean
}

/**
 * Adds a shard to the sums.
 *
 * @param found 1 for each row that the search finds; undefined where there is no search
 */
function scanShard(
  shard: IndexedShard,
  threshold: number,
  choices: Choices,
  found: Uint8Array | undefined,
  sums: ReturnType<typeof emptySums>,
  before?: Before,
): void {
  const { images, layer: part } = shard
  const { boxStart, boxFrom, boxTo, phraseStart } = part
  const { kept, matched, histograms } = sums
  const { bins } = choices
  kept.proposals += part.proposals
  for (let row = 0; row < images.rows; row++) {
    const start = boxStart[row] as number
    const end = boxStart[row + 1] as number
    let boxes = 0
    for (let at = start; at < end; at++) {
      if (isKept(boxFrom === null ? -1 : (boxFrom[at] as number), boxTo[at] as number, threshold)) boxes++
    }
    kept.boxes += boxes
    if (boxes > 0) kept.pictures++
    const phrases = (phraseStart[row + 1] as number) - (phraseStart[row] as number)
    const regionBin = countBins[Math.min(boxes, mostCount)] as number
    const phraseBin = countBins[Math.min(phrases, mostCount)] as number
    const sideBin = images.side[row] as number
    const host = images.host[row] as number
    let fails = 0
    if (found && found[row] === 0) fails |= rowFail.search
    if (bins.longer_side?.[sideBin] === 0) fails |= rowFail.longer_side
    if (bins.phrases_an_image?.[phraseBin] === 0) fails |= rowFail.phrases_an_image
    if (bins.regions_an_image?.[regionBin] === 0) fails |= rowFail.regions_an_image
    if (choices.hosts && !choices.hosts[host]) fails |= rowFail.host
    // A row that fails two choices is in no histogram: each leaves out one of them only.
    if ((fails & (fails - 1)) !== 0) continue
    const fitting = scanBoxes(part, start, end, threshold, choices, fails === 0 ? sums : undefined)
    if (choices.wantsBox && fitting === 0) continue
    if ((fails & ~rowFail.regions_an_image) === 0) increase(histograms.regions_an_image, regionBin)
    if ((fails & ~rowFail.phrases_an_image) === 0) increase(histograms.phrases_an_image, phraseBin)
    if ((fails & ~rowFail.longer_side) === 0) increase(histograms.longer_side, sideBin)
    if ((fails & ~rowFail.host) === 0) increase(sums.hosts, host)
    if (fails !== 0) continue
    if (before) {
      const { lost, added, moved } = countRow(before, part, threshold, row, sums)
      if (lost + added + moved === 0 && !before.withSame) continue
      // What is on one side alone weighs more than what moved.
      before.weights[matched.pictures] = (lost + added) * 64 + Math.min(63, moved)
    }
    sums.matches[matched.pictures++] = shard.shard.start + row
    matched.boxes += fitting
  }
}

/**
 * Counts the boxes of a row that fit all choices.
 *
 * @param sums to which they are added; none for a row that fails
 */
function scanBoxes(
  part: LayerPart,
  start: number,
  end: number,
  threshold: number,
  { bins: { score, area_share, aspect }, heads }: Choices,
  sums: ReturnType<typeof emptySums> | undefined,
): number {
  const { boxFrom, boxTo, boxHead, scoreBin, areaBin, aspectBin } = part
  let fitting = 0
  for (let at = start; at < end; at++) {
    const ofScore = scoreBin[at] as number
    const ofArea = areaBin[at] as number
    const ofAspect = aspectBin[at] as number
    const head = boxHead[at] as number
    let fails = 0
    if (score?.[ofScore] === 0) fails |= boxFail.score
    if (area_share?.[ofArea] === 0) fails |= boxFail.area_share
    if (aspect?.[ofAspect] === 0) fails |= boxFail.aspect
    if (heads && !heads[head]) fails |= boxFail.head
    const isIn = isKept(boxFrom === null ? -1 : (boxFrom[at] as number), boxTo[at] as number, threshold)
    if (isIn && fails === 0) fitting++
    if (!sums) continue
    const { histograms, allScores } = sums
    // Where rules look at weaker boxes a box may pass with several scores, and only what is kept is counted.
    if ((isIn || boxFrom === null) && (fails & ~boxFail.score) === 0) increase(allScores, ofScore)
    if (!isIn) continue
    if ((fails & ~boxFail.score) === 0) increase(histograms.score, ofScore)
    if ((fails & ~boxFail.area_share) === 0) increase(histograms.area_share, ofArea)
    if ((fails & ~boxFail.aspect) === 0) increase(histograms.aspect, ofAspect)
    if ((fails & ~boxFail.head) === 0) increase(sums.heads, head)
  }
  return fitting
}

/** What changed in a row, which is added to the sums. */
function countRow(
  before: Before,
  part: LayerPart,
  threshold: number,
  row: number,
  { changes }: ReturnType<typeof emptySums>,
) {
  const own = before.count(before.layer, before.threshold, part, threshold, row)
  changes.kept += own.kept
  changes.moved += own.moved
  changes.lost += own.lost
  changes.added += own.added
  if (own.moved + own.lost + own.added > 0) changes.pictures++
  return own
}

/** Counts from here on are all in the last bin. */
const mostCount = shownMeasures.regions_an_image.edges.at(-1) ?? 0
/** The bin of each count: looked up, since it is asked for twice a row. */
const countBins = Uint8Array.from({ length: mostCount + 1 }, (_, count) =>
  binOf(shownMeasures.regions_an_image.edges, count),
)

const increase = (counts: Float64Array, at: number): void => {
  counts[at] = (counts[at] as number) + 1
}

/** Rows by falling weights, those of one weight in their order. */
function mostFirst(rows: Uint32Array, weights: Uint32Array): Uint32Array {
  const weightOf = (at: number) => weights[at] as number
  let most = 0
  for (let at = 0; at < rows.length; at++) most = Math.max(most, weightOf(at))
  // A counting sort: weights are small numbers, and each has its own stretch of the answer.
  const starts = new Uint32Array(most + 2)
  const startOf = (weight: number) => starts[most - weight] as number
  for (let at = 0; at < rows.length; at++) starts[most - weightOf(at) + 1] = startOf(weightOf(at) - 1) + 1
  for (let at = 0; at <= most; at++) starts[at + 1] = (starts[at + 1] as number) + (starts[at] as number)
  const sorted = new Uint32Array(rows.length)
  for (let at = 0; at < rows.length; at++) {
    const start = startOf(weightOf(at))
    sorted[start] = rows[at] as number
    starts[most - weightOf(at)] = start + 1
  }
  return sorted
}

function tallyOf(counts: Float64Array, words: StringTable, chosen: readonly string[]): TallyAnswer {
  const known: number[] = []
  let once = 0
  counts.forEach((count, id) => {
    if (count === 0) return
    known.push(id)
    if (count === 1) once++
  })
  const different = known.length
  const countOf = (id: number) => counts[id] as number
  known.sort((a, b) => countOf(b) - countOf(a) || a - b)
  const top = known.slice(0, mostWords).map((id): [string, number] => [words.list[id] as string, countOf(id)])
  for (const word of chosen) {
    if (!top.some(([one]) => one === word)) top.push([word, counts[words.find(word) ?? -1] ?? 0])
  }
  return { top, different, once }
}
