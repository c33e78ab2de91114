import { binOf } from '../../statistics/measures.js'
import type { CountsAnswer, TallyAnswer } from '../view/answers.js'
import { shownMeasures } from '../view/shown-measures.js'
import { isKept, thresholdOf } from '../view/threshold.js'
import { disagreementOf, nearThreshold, orderOf, type View } from '../view/view.js'
import { type BoxBins, boxMoves, type Moves } from './box-moves.js'
import { binsOf, type Choices, choicesOf, perMeasure } from './choices.js'
import { type BoxPairs, pairCounter, pairsOf } from './count-changes.js'
import type { DatasetIndex, IndexedShard } from './dataset-index.js'
import type { LayerPart } from './index-part.js'
import { type JudgedBoxes, type RowVerdicts, rowJudge } from './judge-row.js'
import type { Inspected, Layer } from './layer.js'
import { type PairMoves, pairMoves } from './pair-moves.js'
import { Search } from './search.js'
import { type Places, placesBetween } from './slider-places.js'
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

/** Choices that a row may fail by at one threshold and not at another one. */
const boxDependent = rowFail.regions_an_image | rowFail.boxes | rowFail.verdict

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

/** Everything that the page counts of a view. */
export function queryIndex(
  dataset: Pick<Inspected, 'pictures'>,
  index: Pick<DatasetIndex, 'shards' | 'texts' | 'heads' | 'hosts'>,
  view: View,
  layer: Layer,
  others: Others = {},
): QueryResult {
  const counter = new ViewCounter(dataset, index, view, layer, others)
  for (const _ of counter.count(view));
  return counter.result()
}

/** Where the moves of boxes are more than this part of all boxes, all are counted anew: a move takes about twice the time. */
const mostMoves = 1 / 2

/**
 * Counts everything that the page counts of a view, at one threshold after another: in one pass over the index, and
 * from there to another place of the slider only in the rows whose boxes change.
 */
export class ViewCounter {
  #choices: Choices
  readonly #search: Search
  readonly #keys: Keys | undefined
  /** What is counted. */
  #shards: CountedShard[] = []
  readonly #judge: ReturnType<typeof rowJudge>
  readonly #countPairs = pairCounter()
  readonly #states = [rowState(), rowState()] as const
  #deltas = rowDeltas(0)
  #sums: Sums
  /** At which everything is counted; undefined while it is not. */
  #counted: Thresholds | undefined

  constructor(
    private readonly dataset: Pick<Inspected, 'pictures'>,
    private readonly index: Pick<DatasetIndex, 'shards' | 'texts' | 'heads' | 'hosts'>,
    private readonly view: View,
    private readonly layer: Layer,
    private readonly others: Others = {},
  ) {
    this.#choices = choicesOf(view, index)
    this.#keys = keysOf(view)
    this.#judge = rowJudge()
    this.#sums = this.#emptySums()
    this.#search = new Search(index, view.search)
  }

  #emptySums(): Sums {
    return emptySums(
      this.dataset.pictures,
      this.index,
      this.#keys !== undefined,
      Boolean(this.others.against),
    )
  }

  /**
   * Counts at the threshold of a view that is the same but for that, as far as the index has come by now. It stops after
   * every few rows.
   */
  *count(view: View): Generator<void, void> {
    const { against } = this.others
    const at: Thresholds = {
      own: thresholdOf(view, this.layer),
      before: against ? thresholdOf(view, against) : 0,
    }
    const last = this.#counted
    // Until it is done nothing is counted.
    this.#counted = undefined
    const now = this.#indexed()
    const isGrown = this.#shards.every((shard, place) => isSameShard(shard, now[place]))
    const step = last && isGrown ? stepBetween(last, at) : undefined
    if (last && step && this.#movesIn(step) <= mostMoves) yield* this.#step(last, at, step)
    else {
      this.#sums = this.#emptySums()
      this.#shards = []
    }
    yield* this.#scan(now.slice(this.#shards.length), at)
    this.#counted = at
  }

  /** Whether a row may fail other choices at another threshold, or be judged otherwise. */
  get #movesChoices(): boolean {
    const { bins, boxes } = this.#choices
    return Boolean(this.others.truth) || bins.regions_an_image !== null || boxes !== null
  }

  /** The shards that are indexed on all sides. */
  #indexed(): CountedShard[] {
    const { against, truth } = this.others
    const before = against && [...this.index.shards(against)]
    return [...this.index.shards(this.layer, truth)]
      .slice(0, before?.length)
      .map((shard, at) => ({ ...shard, ...(before && { before: before[at]?.layer }) }))
  }

  *#scan(shards: readonly CountedShard[], at: Thresholds): Generator<void, void> {
    // Words may have come since.
    this.#choices = choicesOf(this.view, this.index)
    this.#sums.heads = extended(this.#sums.heads, this.index.heads.list.length)
    this.#sums.hosts = extended(this.#sums.hosts, this.index.hosts.list.length)
    for (const indexed of shards) {
      const shard = { ...indexed, found: this.#search.rows(indexed) }
      const pairs = shard.before && pairsOf(shard.before, shard.layer)
      this.#sums.kept.proposals += shard.layer.proposals
      // Made here, where the work is cut in slices, and not at the first step.
      boxMoves(shard.layer)
      if (shard.before && pairs) pairMoves(shard.before, shard.layer, pairs)
      for (let row = 0; row < shard.images.rows; row++) this.#addRow(shard, row, at, pairs)
      this.#shards.push(shard)
      yield
    }
  }

  *#step(from: Thresholds, to: Thresholds, step: Step): Generator<void, void> {
    for (const shard of this.#shards) {
      const { rows } = shard.images
      if (this.#deltas.isChanged.length < rows) this.#deltas = rowDeltas(rows)
      const { isChanged } = this.#deltas
      const pairs = shard.before && pairsOf(shard.before, shard.layer)
      const { going, coming } = boxMoves(shard.layer)
      const sides = [
        { moves: going, sign: -step.own.sign },
        ...(coming ? [{ moves: coming, sign: step.own.sign }] : []),
      ]
      for (const { moves, sign } of sides) this.#sumMoves(moves, step, sign)
      if (shard.before && pairs) this.#sumPairs(pairMoves(shard.before, shard.layer, pairs), step)
      for (let row = 0; row < rows; row++)
        if (isChanged[row] === 1) this.#moveRow(shard, row, from, to, pairs, step)
      for (const { moves, sign } of sides) this.#moveBoxes(shard.layer, moves, step, sign)
      this.#deltas.clear(rows)
      yield
    }
  }

  /** Sums up for each row how many more of its boxes are kept, and of those that fit. */
  #sumMoves(moves: Moves, { own }: Step, sign: number): void {
    const { isChanged, boxes, fitting } = this.#deltas
    const choices = this.#choices
    const { wantsBox } = choices
    const { row: rows } = moves
    const end = moves.start[own.end] as number
    for (let at = moves.start[own.start] as number; at < end; at++) {
      const row = rows[at] as number
      isChanged[row] = 1
      boxes[row]! += sign
      if (wantsBox && boxFails(moves, at, choices) === 0) fitting[row]! += sign
    }
  }

  /** Sums up for each row how its pairs change, where both sides move alike; notes which rows do in any case. */
  #sumPairs({ start, row: rows, kept, moved, lost, added }: PairMoves, { own, before, isAlike }: Step): void {
    const { isChanged, changes } = this.#deltas
    for (const places of isAlike ? [own] : [own, before]) {
      const end = start[places.end] as number
      for (let at = start[places.start] as number; at < end; at++) {
        const row = rows[at] as number
        isChanged[row] = 1
        if (!isAlike) continue
        changes[4 * row]! += own.sign * (kept[at] as number)
        changes[4 * row + 1]! += own.sign * (moved[at] as number)
        changes[4 * row + 2]! += own.sign * (lost[at] as number)
        changes[4 * row + 3]! += own.sign * (added[at] as number)
      }
    }
  }

  /** Adds boxes of the rows that fail no choice before and after, and takes away those that go. */
  #moveBoxes(part: LayerPart, moves: Moves, { own }: Step, sign: number): void {
    const { isShown } = this.#deltas
    const end = moves.start[own.end] as number
    for (let at = moves.start[own.start] as number; at < end; at++) {
      if (isShown[moves.row[at] as number] === 0) continue
      addBox(moves, at, this.#choices, this.#sums, sign)
      if (part.boxFrom !== null) addScore(moves, at, this.#choices, this.#sums, sign)
    }
  }

  /** Which part of all boxes moves in a step. */
  #movesIn({ own, before }: Step): number {
    let [moved, all] = [0, 1]
    const within = (start: Uint32Array, places: Places) =>
      (start[places.end] as number) - (start[places.start] as number)
    for (const { layer, before: other } of this.#shards) {
      const { going, coming } = boxMoves(layer)
      all += layer.boxHead.length
      for (const moves of [going, coming]) if (moves) moved += within(moves.start, own)
      if (!other) continue
      all += other.boxHead.length
      moved += within(pairMoves(other, layer, pairsOf(other, layer)).start, before)
    }
    return moved / all
  }

  /** Another one that goes on from here. */
  copy(): ViewCounter {
    const copy = new ViewCounter(this.dataset, this.index, this.view, this.layer, this.others)
    copy.#choices = this.#choices
    copy.#shards = [...this.#shards]
    copy.#sums = structuredClone(this.#sums)
    copy.#counted = this.#counted
    return copy
  }

  counts(): QueryResult['counts'] {
    const { kept, matched, boxed, verdicts, changes, histograms, allScores, heads, hosts } = this.#sums
    const { against, truth } = this.others
    return {
      ...{ kept: { ...kept }, matched: { ...matched }, boxed: { ...boxed } },
      verdicts: truth ? { ...verdicts, pictures: { ...verdicts.pictures } } : null,
      histograms: perMeasure((name) => [...histograms[name]]),
      allScores: [...allScores],
      heads: tallyOf(heads, this.index.heads, this.view.heads),
      hosts: tallyOf(hosts, this.index.hosts, this.view.hosts),
      changes: against ? { ...changes } : null,
    }
  }

  result(): QueryResult {
    const [isMatch, noted] = [this.#sums.isMatch.slice(), this.#keys && this.#sums.keys.slice()]
    const threshold = this.#counted?.own ?? 0
    const keys = () => (this.#keys === 'threshold' ? this.#nearKeys(threshold) : noted)
    const { pictures } = this.#sums.matched
    let matches: Uint32Array | undefined
    return {
      counts: this.counts(),
      get matches() {
        matches ??= matchesOf(isMatch, keys(), pictures)
        return matches
      },
    }
  }

  /** How many boxes of each picture are near a threshold. Those of one that does not change as it moves are others. */
  #nearKeys(threshold: number): Uint32Array {
    const keys = new Uint32Array(this.dataset.pictures)
    for (const { shard, layer } of this.#shards)
      for (let row = 0; row < layer.rows; row++) keys[shard.start + row] = nearBoxes(layer, row, threshold)
    return keys
  }

  /** Adds a row to the sums. */
  #addRow(shard: CountedShard, row: number, at: Thresholds, pairs: BoxPairs | undefined): void {
    const [state] = this.#states
    const place = shard.shard.start + row
    this.#countBoxes(state, shard.layer, row, at.own)
    this.#setState(state, shard, row, at)
    if (pairs) this.#countChanges(state, shard, row, at, pairs)
    this.#addState(state, shard, row, 1)
    if (state.fails === 0) scanBoxes(shard.layer, row, at.own, this.#choices, this.#sums, 1)
    this.#noteRow(state, shard.layer, row, place, at)
  }

  /** Takes away what a row adds to the sums at one threshold, and adds what it adds at another one. */
  #moveRow(
    shard: CountedShard,
    row: number,
    from: Thresholds,
    to: Thresholds,
    pairs: BoxPairs | undefined,
    { isAlike }: Step,
  ): void {
    const [last, next] = this.#states
    const { layer } = shard
    const { boxes, fitting, changes, isShown } = this.#deltas
    const place = shard.shard.start + row
    last.boxes = this.#sums.rowBoxes[2 * place] as number
    last.fitting = this.#sums.rowBoxes[2 * place + 1] as number
    next.boxes = last.boxes + (boxes[row] as number)
    next.fitting = this.#choices.wantsBox ? last.fitting + (fitting[row] as number) : next.boxes
    this.#setState(next, shard, row, to)
    if (this.#movesChoices) this.#setState(last, shard, row, from)
    else {
      last.fails = next.fails
      last.own = undefined
      last.passes = (last.fails & (last.fails - 1)) === 0 && (!this.#choices.wantsBox || last.fitting > 0)
      last.isMatch = last.passes && last.fails === 0
    }
    if (pairs) {
      this.#recallChanges(last, place)
      if (isAlike) {
        next.kept = last.kept + (changes[4 * row] as number)
        next.moved = last.moved + (changes[4 * row + 1] as number)
        next.lost = last.lost + (changes[4 * row + 2] as number)
        next.added = last.added + (changes[4 * row + 3] as number)
        next.isMatch &&= this.view.same || isChanged(next)
      } else this.#countChanges(next, shard, row, to, pairs)
    }
    if (last.fails === next.fails && last.passes && next.passes) this.#changeState(last, next)
    else {
      this.#addState(last, shard, row, -1)
      this.#addState(next, shard, row, 1)
    }
    if (last.fails === 0 && next.fails === 0) isShown[row] = 1
    else if (last.fails === 0) scanBoxes(layer, row, from.own, this.#choices, this.#sums, -1)
    else if (next.fails === 0) scanBoxes(layer, row, to.own, this.#choices, this.#sums, 1)
    this.#noteRow(next, layer, row, place, to)
  }

  /** Notes of a row what is asked for again. */
  #noteRow(state: RowState, layer: LayerPart, row: number, place: number, at: Thresholds): void {
    const { rowBoxes, rowChanges, keys, isMatch } = this.#sums
    rowBoxes[2 * place] = state.boxes
    rowBoxes[2 * place + 1] = state.fitting
    isMatch[place] = state.isMatch ? 1 : 0
    if (this.others.against) {
      rowChanges[4 * place] = state.kept
      rowChanges[4 * place + 1] = state.moved
      rowChanges[4 * place + 2] = state.lost
      rowChanges[4 * place + 3] = state.added
    }
    if (state.isMatch && this.#keys) keys[place] = this.#keyOf(state, layer, row, at.own)
  }

  /** What changed in a row, as it was noted. */
  #recallChanges(state: RowState, place: number): void {
    const { rowChanges: rows } = this.#sums
    state.kept = rows[4 * place] as number
    state.moved = rows[4 * place + 1] as number
    state.lost = rows[4 * place + 2] as number
    state.added = rows[4 * place + 3] as number
    state.isMatch &&= this.view.same || isChanged(state)
  }

  /** Counts the boxes of a row that are kept at a threshold, and those of them that fit. */
  #countBoxes(state: RowState, part: LayerPart, row: number, threshold: number): void {
    const { boxStart, boxFrom, boxTo } = part
    const choices = this.#choices
    const { wantsBox } = choices
    const end = boxStart[row + 1] as number
    let boxes = 0
    let fitting = 0
    for (let box = boxStart[row] as number; box < end; box++) {
      if (!isKept(boxFrom === null ? -1 : (boxFrom[box] as number), boxTo[box] as number, threshold)) continue
      boxes++
      if (wantsBox && boxFails(part, box, choices) === 0) fitting++
    }
    state.boxes = boxes
    state.fitting = wantsBox ? fitting : boxes
  }

  /** Looks at a row at a threshold, at which its boxes have been counted; what changed in it is told later. */
  #setState(state: RowState, shard: CountedShard, row: number, at: Thresholds): void {
    const { layer: part, truth } = shard
    const choices = this.#choices
    const { wantsBox, verdicts } = choices
    const { boxes, fitting } = state
    state.isMatch = state.passes = false
    state.own = undefined
    state.fails = this.#failsOf(shard, row, boxes)
    // A row that fails two choices is in no histogram: each leaves out one of them only.
    if ((state.fails & (state.fails - 1)) !== 0) return
    const own = truth && this.#judge(part, truth, at.own, row, judgedBoxes(part, choices))
    if (own && verdicts.length > 0 && !verdicts.some((verdict) => own[verdict] > 0))
      state.fails |= rowFail.verdict
    if ((state.fails & (state.fails - 1)) !== 0) return
    if (own) state.own = { ...own }
    // What is missed has no box that could fit.
    const isMissed = own !== undefined && verdicts.includes('missed') && own.missed > 0
    state.passes = !wantsBox || fitting > 0 || isMissed
    state.isMatch = state.passes && state.fails === 0
  }

  /** Counts what changed in a row; not where it is never shown, whatever the threshold is. */
  #countChanges(
    state: RowState,
    { before, layer }: CountedShard,
    row: number,
    at: Thresholds,
    pairs: BoxPairs,
  ): void {
    state.kept = state.moved = state.lost = state.added = 0
    if (!before || (state.fails & ~boxDependent) !== 0) return
    const changes = this.#countPairs(before, at.before, layer, at.own, row, pairs)
    state.kept = changes.kept
    state.moved = changes.moved
    state.lost = changes.before - changes.kept - changes.moved
    state.added = changes.after - changes.kept - changes.moved
    state.isMatch &&= this.view.same || isChanged(state)
  }

  /** The choices that a row fails by. @param boxes how many of it are kept */
  #failsOf({ shard, images, layer, found }: CountedShard, row: number, boxes: number): number {
    const { bins, hosts, boxes: wanted } = this.#choices
    const { only } = this.others
    let fails = 0
    if (found && found[row] === 0) fails |= rowFail.search
    if (only && only[shard.start + row] !== 1) fails |= rowFail.only
    if (bins.longer_side?.[images.side[row] as number] === 0) fails |= rowFail.longer_side
    if (bins.phrases_an_image?.[phraseBinOf(layer, row)] === 0) fails |= rowFail.phrases_an_image
    if (bins.regions_an_image?.[countBinOf(boxes)] === 0) fails |= rowFail.regions_an_image
    if (hosts && !hosts[images.host[row] as number]) fails |= rowFail.host
    if (wanted !== null && wanted !== hasBox(boxes)) fails |= rowFail.boxes
    return fails
  }

  /**
   * Adds what is told of a row to the sums, but for its boxes.
   *
   * @param sign 1, or -1 where it is taken away
   */
  #addState(state: RowState, { images, layer }: CountedShard, row: number, sign: 1 | -1): void {
    const { kept, matched, histograms, hosts, boxed, verdicts, changes } = this.#sums
    const { boxes, fails, fitting } = state
    kept.boxes += sign * boxes
    if (boxes > 0) kept.pictures += sign
    if (!state.passes) return
    if ((fails & ~rowFail.regions_an_image) === 0)
      increase(histograms.regions_an_image, countBinOf(boxes), sign)
    if ((fails & ~rowFail.phrases_an_image) === 0)
      increase(histograms.phrases_an_image, phraseBinOf(layer, row), sign)
    if ((fails & ~rowFail.longer_side) === 0)
      increase(histograms.longer_side, images.side[row] as number, sign)
    if ((fails & ~rowFail.host) === 0) increase(hosts, images.host[row] as number, sign)
    if ((fails & ~rowFail.boxes) === 0) boxed[hasBox(boxes)] += sign
    if (state.own && (fails & ~rowFail.verdict) === 0) addVerdicts(verdicts, state.own, sign)
    if (fails !== 0) return
    if (this.others.against) {
      changes.kept += sign * state.kept
      changes.moved += sign * state.moved
      changes.lost += sign * state.lost
      changes.added += sign * state.added
      if (isChanged(state)) changes.pictures += sign
    }
    if (!state.isMatch) return
    matched.pictures += sign
    matched.boxes += sign * fitting
  }

  /** Takes away what is told of a row and adds what is told now, where it passes by the same choices. */
  #changeState(last: RowState, next: RowState): void {
    const { kept, matched, histograms, boxed, verdicts, changes } = this.#sums
    const { fails } = next
    kept.boxes += next.boxes - last.boxes
    kept.pictures += Number(next.boxes > 0) - Number(last.boxes > 0)
    const [lastBin, nextBin] = [countBinOf(last.boxes), countBinOf(next.boxes)]
    if (lastBin !== nextBin && (fails & ~rowFail.regions_an_image) === 0) {
      increase(histograms.regions_an_image, lastBin, -1)
      increase(histograms.regions_an_image, nextBin, 1)
    }
    if ((fails & ~rowFail.boxes) === 0) {
      boxed[hasBox(last.boxes)]--
      boxed[hasBox(next.boxes)]++
    }
    if (last.own && next.own && (fails & ~rowFail.verdict) === 0) {
      addVerdicts(verdicts, last.own, -1)
      addVerdicts(verdicts, next.own, 1)
    }
    if (fails !== 0) return
    if (this.others.against) {
      changes.kept += next.kept - last.kept
      changes.moved += next.moved - last.moved
      changes.lost += next.lost - last.lost
      changes.added += next.added - last.added
      changes.pictures += Number(isChanged(next)) - Number(isChanged(last))
    }
    matched.pictures += Number(next.isMatch) - Number(last.isMatch)
    matched.boxes += (next.isMatch ? next.fitting : 0) - (last.isMatch ? last.fitting : 0)
  }

  /** What a row is put in order by. */
  #keyOf({ own, moved, lost, added }: RowState, part: LayerPart, row: number, threshold: number): number {
    const keys = this.#keys
    if (keys === 'truth') return own ? own.wrong + own.missed : 0
    if (keys === 'best' || keys === 'worst') return scoreKey(part, row, threshold, this.#choices, keys)
    // What is on one side alone weighs more than what moved.
    return this.others.against ? (lost + added) * 64 + Math.min(63, moved) : 0
  }
}

/** What is told of a row at a threshold. */
const rowState = () => ({
  /** Kept ones, and those of them that fit the choices of boxes. */
  ...{ boxes: 0, fitting: 0 },
  /** Of its choices (`rowFail`). */
  fails: 0,
  /** Whether it has the box that choices of boxes ask for; then histograms have it whose own choice alone it fails. */
  passes: false,
  isMatch: false,
  own: undefined as RowVerdicts | undefined,
  /** Of a comparison, where it fails no choice. */
  ...{ kept: 0, moved: 0, lost: 0, added: 0 },
})
type RowState = ReturnType<typeof rowState>

/** What a step of the slider changes in the rows of a shard: by their places in it, 0 in all others. */
function rowDeltas(rows: number) {
  const arrays = {
    /** 1 where a box comes or goes. */
    isChanged: new Uint8Array(rows),
    /** 1 where a row fails no choice before the step and after it. */
    isShown: new Uint8Array(rows),
    ...{ boxes: new Int32Array(rows), fitting: new Int32Array(rows) },
    /** As `rowChanges` of the sums. */
    changes: new Int32Array(4 * rows),
  }
  const clear = (count: number) => {
    for (const array of Object.values(arrays)) array.fill(0, 0, array === arrays.changes ? 4 * count : count)
  }
  return { ...arrays, clear }
}

/** Whether a row is not the same on both sides of a comparison. */
const isChanged = ({ moved, lost, added }: RowState) => moved + lost + added > 0

const judgedBoxes = (part: LayerPart, choices: Choices): JudgedBoxes => ({
  fits: choices.wantsBox ? (at) => boxFails(part, at, choices) === 0 : () => true,
  heads: choices.heads,
})

/** What matches are put in order by; undefined where it is the order of the dataset. */
type Keys = 'best' | 'worst' | ReturnType<typeof disagreementOf>

function keysOf(view: View): Keys | undefined {
  const order = orderOf(view)
  if (order === 'dataset') return undefined
  return order === 'disagreement' ? disagreementOf(view) : order
}

function emptySums(
  pictures: number,
  index: Pick<DatasetIndex, 'heads' | 'hosts'>,
  keys: boolean,
  changes: boolean,
) {
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
    heads: new Float64Array(index.heads.list.length) as Float64Array,
    hosts: new Float64Array(index.hosts.list.length) as Float64Array,
    /** 1 for each picture that matches, by its place in the dataset. */
    isMatch: new Uint8Array(pictures),
    /** By which matches are put in order, by the places of pictures. */
    keys: new Uint32Array(keys ? pictures : 0),
    /** Of each picture how many boxes are kept, and how many of them fit. */
    rowBoxes: new Uint32Array(2 * pictures),
    /** Of each picture of a comparison how many boxes are kept, moved, lost and added. */
    rowChanges: new Uint16Array(changes ? 4 * pictures : 0),
  }
}

/** A shard with all that is asked of its rows. */
interface CountedShard extends IndexedShard {
  /** 1 for each row that the search finds; undefined where there is no search. */
  readonly found?: Uint8Array | undefined
  /** The other side of a comparison. */
  readonly before?: LayerPart | undefined
}

const isSameShard = (a: CountedShard, b: CountedShard | undefined) =>
  a.images === b?.images && a.layer === b.layer && a.truth === b.truth && a.before === b.before

/** Counts with room for more. */
function extended(counts: Float64Array, length: number): Float64Array {
  const longer = new Float64Array(length)
  longer.set(counts)
  return longer
}

/** The thresholds of a layer and of the one that it is compared with. */
interface Thresholds {
  readonly own: number
  readonly before: number
}

/** A step from one place of the slider to another one. */
interface Step {
  readonly own: Places
  readonly before: Places
  /** Whether both layers are at one place, before it and after. */
  readonly isAlike: boolean
}

/** The step between two thresholds; undefined where they are not both the slider's. */
function stepBetween(from: Thresholds, to: Thresholds): Step | undefined {
  const [own, before] = [placesBetween(from.own, to.own), placesBetween(from.before, to.before)]
  return own && before && { own, before, isAlike: from.own === from.before && to.own === to.before }
}

/** Places of pictures that match, in their order. */
function matchesOf(isMatch: Uint8Array, keys: Uint32Array | undefined, count: number): Uint32Array {
  const places = new Uint32Array(count)
  const own = new Uint32Array(keys ? count : 0)
  let at = 0
  for (let place = 0; place < isMatch.length; place++) {
    if (isMatch[place] === 0) continue
    if (keys) own[at] = keys[place] as number
    places[at++] = place
  }
  return keys ? sortedRows(places, own) : places
}

function addVerdicts(sums: ReturnType<typeof emptySums>['verdicts'], own: RowVerdicts, sign: number): void {
  for (const name of ['right', 'wrong', 'missed', 'found', 'unjudged'] as const)
    sums[name] += sign * own[name]
  for (const name of ['right', 'wrong', 'missed'] as const) if (own[name] > 0) sums.pictures[name] += sign
}

const hasBox = (boxes: number) => (boxes > 0 ? 'with' : 'without')
const countBinOf = (count: number) => countBins[Math.min(count, mostCount)] as number
const phraseBinOf = ({ phraseStart }: LayerPart, row: number) =>
  countBinOf((phraseStart[row + 1] as number) - (phraseStart[row] as number))

/** How many boxes of a row a threshold that is a little lower keeps and one that is a little higher does not. */
function nearBoxes({ boxStart, boxFrom, boxTo }: LayerPart, row: number, threshold: number): number {
  let near = 0
  for (let at = boxStart[row] as number; at < (boxStart[row + 1] as number); at++) {
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
  row: number,
  threshold: number,
  choices: Choices,
  order: 'best' | 'worst',
): number {
  const { boxStart, boxFrom, boxTo, boxScore } = part
  let key = 0
  for (let at = boxStart[row] as number; at < (boxStart[row + 1] as number); at++) {
    if (!isKept(boxFrom === null ? -1 : (boxFrom[at] as number), boxTo[at] as number, threshold)) continue
    if (choices.wantsBox && boxFails(part, at, choices) !== 0) continue
    const score = (boxScore === null ? boxTo[at] : boxScore[at]) as number
    key = Math.max(key, order === 'best' ? keyOf(score) : fallingKeyOf(score))
  }
  return key
}

/** The choices that a box fails by. */
function boxFails(
  { boxHead, scoreBin, areaBin, aspectBin }: BoxBins,
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

type Sums = ReturnType<typeof emptySums>

/**
 * Adds the boxes of a row to the sums.
 *
 * @param sign 1, or -1 where they are taken away
 */
function scanBoxes(
  part: LayerPart,
  row: number,
  threshold: number,
  choices: Choices,
  sums: Sums,
  sign: 1 | -1,
): void {
  const { boxStart, boxFrom, boxTo } = part
  const end = boxStart[row + 1] as number
  for (let at = boxStart[row] as number; at < end; at++) {
    const isIn = isKept(boxFrom === null ? -1 : (boxFrom[at] as number), boxTo[at] as number, threshold)
    if (isIn) addBox(part, at, choices, sums, sign)
    // Where rules look at weaker boxes a box may pass with several scores, and only what is kept is counted.
    if (isIn || boxFrom === null) addScore(part, at, choices, sums, sign)
  }
}

function addBox(part: BoxBins, at: number, choices: Choices, { histograms, heads }: Sums, sign: number) {
  const fails = boxFails(part, at, choices)
  if ((fails & ~boxFail.score) === 0) increase(histograms.score, part.scoreBin[at] as number, sign)
  if ((fails & ~boxFail.area_share) === 0) increase(histograms.area_share, part.areaBin[at] as number, sign)
  if ((fails & ~boxFail.aspect) === 0) increase(histograms.aspect, part.aspectBin[at] as number, sign)
  if ((fails & ~boxFail.head) === 0) increase(heads, part.boxHead[at] as number, sign)
}

function addScore(part: BoxBins, at: number, choices: Choices, { allScores }: Sums, sign: number) {
  if ((boxFails(part, at, choices) & ~boxFail.score) === 0)
    increase(allScores, part.scoreBin[at] as number, sign)
}

/** Counts from here on are all in the last bin. */
const mostCount = shownMeasures.regions_an_image.edges.at(-1) ?? 0
/** The bin of each count: looked up, since it is asked for twice a row. */
const countBins = Uint8Array.from({ length: mostCount + 1 }, (_, count) =>
  binOf(shownMeasures.regions_an_image.edges, count),
)

const increase = (counts: Float64Array, at: number, by: number): void => {
  counts[at] = (counts[at] as number) + by
}

function tallyOf(counts: Float64Array, words: StringTable, chosen: readonly string[]): TallyAnswer {
  const countOf = (id: number) => counts[id] as number
  /** The most frequent ones, of equal ones those that came first: few of what may be very many. */
  const most: number[] = []
  let [different, once] = [0, 0]
  counts.forEach((count, id) => {
    if (count === 0) return
    different++
    if (count === 1) once++
    if (most.length === mostWords && count <= countOf(most.at(-1) as number)) return
    let at = most.length
    while (at > 0 && countOf(most[at - 1] as number) < count) at--
    most.splice(at, 0, id)
    if (most.length > mostWords) most.pop()
  })
  const top = most.map((id): [string, number] => [words.list[id] as string, countOf(id)])
  for (const word of chosen) {
    if (!top.some(([one]) => one === word)) top.push([word, counts[words.find(word) ?? -1] ?? 0])
  }
  return { top, different, once }
}
