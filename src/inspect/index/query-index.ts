import { binOf } from '../../statistics/measures.js'
import type { CountsAnswer, TallyAnswer } from '../view/answers.js'
import { shownMeasures } from '../view/shown-measures.js'
import { isKept, thresholdOf } from '../view/threshold.js'
import { disagreementOf, nearThreshold, orderOf, type View } from '../view/view.js'
import { binsOf, type Choices, choicesOf, perMeasure } from './choices.js'
import { type ChangeCounter, changeCounter } from './count-changes.js'
import type { DatasetIndex, IndexedShard } from './dataset-index.js'
import type { LayerPart } from './index-part.js'
import { type JudgedBoxes, type RowVerdicts, rowJudge } from './judge-row.js'
import type { Inspected, Layer } from './layer.js'
import { Search } from './search.js'
import { fallingKeyOf, keyOf, sortedRows } from './sorted-rows.js'
import type { StringTable } from './string-table.js'

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
const rowFail = {
  ...{ regions_an_image: 1, phrases_an_image: 2, longer_side: 4, host: 8, search: 16 },
  ...{ boxes: 32, only: 64, verdict: 128 },
} as const

/** Words shown of a tally. */
const mostWords = 40

/** The other layers of a view: of a comparison, or a truth. */
export interface Others {
  /** Its shards must be indexed as well. */
  readonly against?: Layer
  /** The layer must have been held against it. */
  readonly truth?: Layer
  /** 1 for each picture of the selection that is shown, by its place. */
  readonly only?: Uint8Array
}

/** Everything that the page counts, in one pass over the index. */
export function queryIndex(
  dataset: Pick<Inspected, 'pictures'>,
  index: Pick<DatasetIndex, 'shards' | 'texts' | 'heads' | 'hosts'>,
  view: View,
  layer: Layer,
  { against, truth, only }: Others = {},
): QueryResult {
  const choices = choicesOf(view, index)
  const sums = emptySums(dataset.pictures, index)
  const comparison = against && {
    ...{ count: changeCounter(), withSame: view.same },
    threshold: thresholdOf(view, against),
  }
  const search = new Search(index, view.search)
  const scan: Scan = {
    threshold: thresholdOf(view, layer),
    choices,
    sums,
    keys: keysOf(view),
    ...(only && { only }),
    ...(truth && { judge: rowJudge() }),
  }
  const others = against && index.shards(against)
  for (const shard of index.shards(layer, truth)) {
    const other = others?.next().value?.layer
    if (others && !other) break
    scanShard(shard, scan, search.rows(shard), comparison && other && { ...comparison, layer: other })
  }
  const { kept, matched, changes, histograms, allScores, boxed } = sums
  const matches = sums.matches.subarray(0, matched.pictures)
  return {
    counts: {
      ...{ kept, matched, boxed },
      verdicts: truth ? sums.verdicts : null,
      histograms: perMeasure((name) => [...histograms[name]]),
      allScores: [...allScores],
      heads: tallyOf(sums.heads, index.heads, view.heads),
      hosts: tallyOf(sums.hosts, index.hosts, view.hosts),
      changes: against ? changes : null,
    },
    matches: scan.keys ? sortedRows(matches, sums.keys.subarray(0, matched.pictures)) : matches.slice(),
  }
}

/** What matches are put in order by; undefined where it is the order of the dataset. */
type Keys = 'best' | 'worst' | ReturnType<typeof disagreementOf>

function keysOf(view: View): Keys | undefined {
  const order = orderOf(view)
  if (order === 'dataset') return undefined
  return order === 'disagreement' ? disagreementOf(view) : order
}

function emptySums(pictures: number, index: Pick<DatasetIndex, 'heads' | 'hosts'>) {
  return {
    kept: { boxes: 0, pictures: 0, proposals: 0 },
    matched: { boxes: 0, pictures: 0 },
    boxed: { with: 0, without: 0 },
    verdicts: {
      ...{ right: 0, wrong: 0, missed: 0, found: 0, unjudged: 0 },
      pictures: { right: 0, wrong: 0, missed: 0 },
    },
    changes: { kept: 0, moved: 0, lost: 0, added: 0, pictures: 0 },
    histograms: perMeasure((name) => new Float64Array(binsOf(name))),
    allScores: new Float64Array(binsOf('score')),
    heads: new Float64Array(index.heads.list.length),
    hosts: new Float64Array(index.hosts.list.length),
    matches: new Uint32Array(pictures),
    /** By which matches are put in order. */
    keys: new Uint32Array(pictures),
  }
}

/** How shards are scanned. */
interface Scan {
  readonly threshold: number
  readonly choices: Choices
  readonly sums: ReturnType<typeof emptySums>
  readonly keys: Keys | undefined
  readonly only?: Uint8Array
  readonly judge?: ReturnType<typeof rowJudge>
}

/** The other side of a comparison. */
interface Before {
  readonly layer: LayerPart
  readonly threshold: number
  readonly count: ChangeCounter
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
  { threshold, choices, sums, keys, only, judge }: Scan,
  found: Uint8Array | undefined,
  before?: Before,
): void {
  const { images, layer: part, truth } = shard
  const { boxStart, boxFrom, boxTo, phraseStart } = part
  const { kept, matched, histograms } = sums
  const { bins } = choices
  const judged: JudgedBoxes = {
    fits: choices.wantsBox ? (at) => boxFails(part, at, choices) === 0 : () => true,
    heads: choices.heads,
  }
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
    const hasBox = boxes > 0 ? 'with' : 'without'
    let fails = 0
    if (found && found[row] === 0) fails |= rowFail.search
    if (only && only[shard.shard.start + row] !== 1) fails |= rowFail.only
    if (bins.longer_side?.[sideBin] === 0) fails |= rowFail.longer_side
    if (bins.phrases_an_image?.[phraseBin] === 0) fails |= rowFail.phrases_an_image
    if (bins.regions_an_image?.[regionBin] === 0) fails |= rowFail.regions_an_image
    if (choices.hosts && !choices.hosts[host]) fails |= rowFail.host
    if (choices.boxes !== null && choices.boxes !== hasBox) fails |= rowFail.boxes
    // A row that fails two choices is in no histogram: each leaves out one of them only.
    if ((fails & (fails - 1)) !== 0) continue
    const own = judge && truth && judge(part, truth, threshold, row, judged)
    if (own && choices.verdicts.length > 0 && !choices.verdicts.some((verdict) => own[verdict] > 0))
      fails |= rowFail.verdict
    if ((fails & (fails - 1)) !== 0) continue
    const fitting = scanBoxes(part, start, end, threshold, choices, fails === 0 ? sums : undefined)
    // What is missed has no box that could fit.
    const isMissed = own !== undefined && choices.verdicts.includes('missed') && own.missed > 0
    if (choices.wantsBox && fitting === 0 && !isMissed) continue
    if ((fails & ~rowFail.regions_an_image) === 0) increase(histograms.regions_an_image, regionBin)
    if ((fails & ~rowFail.phrases_an_image) === 0) increase(histograms.phrases_an_image, phraseBin)
    if ((fails & ~rowFail.longer_side) === 0) increase(histograms.longer_side, sideBin)
    if ((fails & ~rowFail.host) === 0) increase(sums.hosts, host)
    if ((fails & ~rowFail.boxes) === 0) sums.boxed[hasBox]++
    if (own && (fails & ~rowFail.verdict) === 0) addVerdicts(sums.verdicts, own)
    if (fails !== 0) continue
    let key = 0
    if (before) {
      const { lost, added, moved } = countRow(before, part, threshold, row, sums)
      if (lost + added + moved === 0 && !before.withSame) continue
      // What is on one side alone weighs more than what moved.
      key = (lost + added) * 64 + Math.min(63, moved)
    }
    if (keys === 'truth') key = own ? own.wrong + own.missed : 0
    else if (keys === 'threshold') key = nearBoxes(part, start, end, threshold)
    else if (keys === 'best' || keys === 'worst') key = scoreKey(part, start, end, threshold, choices, keys)
    sums.keys[matched.pictures] = key
    sums.matches[matched.pictures++] = shard.shard.start + row
    matched.boxes += fitting
  }
}

function addVerdicts(sums: ReturnType<typeof emptySums>['verdicts'], own: RowVerdicts): void {
  sums.right += own.right
  sums.wrong += own.wrong
  sums.missed += own.missed
  sums.found += own.found
  sums.unjudged += own.unjudged
  if (own.right > 0) sums.pictures.right++
  if (own.wrong > 0) sums.pictures.wrong++
  if (own.missed > 0) sums.pictures.missed++
}

/** How many boxes of a row a threshold that is a little lower keeps and one that is a little higher does not. */
function nearBoxes({ boxFrom, boxTo }: LayerPart, start: number, end: number, threshold: number): number {
  let near = 0
  for (let at = start; at < end; at++) {
    const from = boxFrom === null ? -1 : (boxFrom[at] as number)
    const to = boxTo[at] as number
    const below = isKept(from, to, Math.max(0, threshold - nearThreshold))
    if (below !== isKept(from, to, threshold + nearThreshold)) near++
  }
  return near
}

/** A key by the best or the worst score of the boxes of a row that fit; 0 where none does. */
function scoreKey(
  part: LayerPart,
  start: number,
  end: number,
  threshold: number,
  choices: Choices,
  order: 'best' | 'worst',
): number {
  const { boxFrom, boxTo, boxScore } = part
  let key = 0
  for (let at = start; at < end; at++) {
    if (!isKept(boxFrom === null ? -1 : (boxFrom[at] as number), boxTo[at] as number, threshold)) continue
    if (choices.wantsBox && boxFails(part, at, choices) !== 0) continue
    const score = (boxScore === null ? boxTo[at] : boxScore[at]) as number
    key = Math.max(key, order === 'best' ? keyOf(score) : fallingKeyOf(score))
  }
  return key
}

/** The choices that a box fails by. */
function boxFails(
  { boxHead, scoreBin, areaBin, aspectBin }: LayerPart,
  at: number,
  { bins: { score, area_share, aspect }, heads }: Choices,
): number {
  let fails = 0
  if (score?.[scoreBin[at] as number] === 0) fails |= boxFail.score
  if (area_share?.[areaBin[at] as number] === 0) fails |= boxFail.area_share
  if (aspect?.[aspectBin[at] as number] === 0) fails |= boxFail.aspect
  if (heads && !heads[boxHead[at] as number]) fails |= boxFail.head
  return fails
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
  choices: Choices,
  sums: ReturnType<typeof emptySums> | undefined,
): number {
  const { boxFrom, boxTo, boxHead, scoreBin, areaBin, aspectBin } = part
  let fitting = 0
  for (let at = start; at < end; at++) {
    const ofScore = scoreBin[at] as number
    const ofArea = areaBin[at] as number
    const ofAspect = aspectBin[at] as number
    const head = boxHead[at] as number
    const fails = boxFails(part, at, choices)
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
