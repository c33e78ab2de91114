import { setImmediate } from 'node:timers/promises'
import { LruCache } from '../base/lru-cache.js'
import { UserError } from '../base/user-error.js'
import type { ShardRows } from '../shards/shard-rows.js'
import { compareSamples } from './compare-samples.js'
import type { DroppedReader } from './dropped-reader.js'
import type { DatasetIndex } from './index/dataset-index.js'
import { type Inspected, type Layer, placeOf, rowOf } from './index/layer.js'
import { type Others, type QueryResult, ViewCounter } from './index/query-index.js'
import { lastPlace, placeCount, sliderPlace } from './index/slider-places.js'
import { judgedSamples } from './judged-samples.js'
import type { RowGroups } from './row-groups.js'
import { mostBoxes, type SampleReader } from './sample-reader.js'
import type { Selections } from './selections.js'
import type { VerdictReader } from './verdict-reader.js'
import type { CountsAnswer, IndexAnswer, Sample, SampleAnswer, SamplesAnswer } from './view/answers.js'
import { chooseLayers } from './view/choose-layers.js'
import { thresholdOf } from './view/threshold.js'
import { needsIndex, pageSize, type View, writeView } from './view/view.js'

/**
 * Results of queries that are remembered: the page asks for counts and pictures of one view one after the
 * other.
 */
const mostResults = 3

/** Other requests have their turn after so long. */
const sliceMs = 15

/** Does work that may stop, and lets others work in between. @param pause resolves when it may go on */
async function inSlices(work: Iterable<void>, pause: () => Promise<void> = setImmediate): Promise<void> {
  let since = performance.now()
  for (const _ of work) {
    if (performance.now() - since < sliceMs) continue
    await pause()
    since = performance.now()
  }
}

/** What a view is read from. */
export interface ViewSources {
  readonly index: DatasetIndex
  readonly rows: ShardRows
  readonly samples: SampleReader
  readonly groups: RowGroups
  readonly dropped: DroppedReader
  readonly selections: Selections
  readonly verdicts: VerdictReader
}

type Layers = ReturnType<typeof chooseLayers<Layer>>

/** What is asked of the index. */
interface Question {
  readonly view: View
  readonly layer: Layer
  readonly others: Others
  /** The view but for its threshold, which may move, and for how far the index is, which grows. */
  readonly viewName: string
  /** How far the index is. */
  readonly rows: string
}

/** Counts of a view at the places of the slider, and at its own threshold (null). */
interface CountsAhead {
  readonly name: string
  readonly counts: Map<View['threshold'], QueryResult['counts']>
}

/** What a view shows of a dataset: its counts, the pictures of its page, the open picture. */
export class ViewReader {
  readonly #results = new LruCache<string, QueryResult>({ maxSize: mostResults })
  #counting: Promise<unknown> = Promise.resolve()
  /** What has counted last, and of what. */
  #counter: { readonly name: string; readonly counter: ViewCounter } | undefined
  #ahead: CountsAhead | undefined
  #countingAhead: Promise<void> = Promise.resolve()

  /** @param idle as `DatasetIndex` takes it */
  constructor(
    private readonly dataset: Inspected,
    private readonly read: ViewSources,
    private readonly idle: () => Promise<void>,
  ) {}

  /** Ends what is done in the background. */
  async close(): Promise<void> {
    this.#ahead = undefined
    await this.#countingAhead
  }

  /** What is counted in the part of the dataset that is indexed by now; undefined where there is no layer. */
  async counts(view: View): Promise<CountsAnswer | undefined> {
    const layers = chooseLayers(view, this.dataset.layers)
    if (!layers.layer) return undefined
    const question = await this.#question(view, layers)
    const index = this.#progress(layers)
    const name = `${question.viewName} ${question.rows}`
    const known = this.#ahead?.name === name ? this.#ahead.counts.get(view.threshold) : undefined
    if (known) return { ...known, index }
    const { counts } = await this.#answer(question)
    // A layer that made room for another one meanwhile was not counted.
    if (index.isWhole && this.#rows(layers) === question.rows) {
      if (this.#ahead?.name !== name) {
        this.#ahead = { name, counts: new Map() }
        // What goes wrong here goes wrong again where it is asked for, and is told there.
        this.#countingAhead = this.#countAhead(question, this.#ahead).catch(() => {})
      }
      const { threshold } = view
      if (threshold === null || sliderPlace(threshold) !== undefined)
        this.#ahead.counts.set(threshold, counts)
    }
    return { ...counts, index: this.#progress(layers) }
  }

  /** The pictures of the view's page. */
  async samples(view: View): Promise<SamplesAnswer> {
    const layers = chooseLayers(view, this.dataset.layers)
    const { layer, truth, against } = layers
    if (!layer || (view.tab === 'compare' && !against)) return { total: 0, isWhole: true, samples: [] }
    const start = view.page * pageSize
    if (!needsIndex(view)) {
      // It will be asked for its counts in any case.
      this.read.index.want(layer, truth)
      const total = this.dataset.pictures
      const count = Math.max(0, Math.min(pageSize, total - start))
      const places = Array.from({ length: count }, (_, at) => start + at)
      return { total, isWhole: true, samples: await this.#read(view, places, layers) }
    }
    const { matches } = await this.#query(view, layers)
    const places = [...matches.subarray(start, start + pageSize)]
    const { isWhole } = this.#progress(layers)
    return { total: matches.length, isWhole, samples: await this.#read(view, places, layers) }
  }

  /**
   * The places in the dataset of all pictures that match.
   *
   * @throws UserError while they are not known yet
   */
  async matches(view: View): Promise<Iterable<number>> {
    const layers = chooseLayers(view, this.dataset.layers)
    if (!needsIndex(view)) return Array.from({ length: this.dataset.pictures }, (_, place) => place)
    const { matches } = await this.#query(view, layers)
    const { isWhole, isBusy } = this.#progress(layers)
    if (isWhole) return matches
    throw new UserError(
      isBusy
        ? 'The dataset is still being looked through: save the selection when that is done.'
        : 'The dataset does not fit into the memory of the page: not all pictures that match are known.',
    )
  }

  /** The open picture with its neighbours among what matches; undefined where there is no such picture. */
  async sample(view: View): Promise<SampleAnswer | undefined> {
    const layers = chooseLayers(view, this.dataset.layers)
    const place = rowOf(this.dataset.shards, view.open)
    if (!layers.layer || place === undefined) return undefined
    const [sample] = await this.#read(view, [place], layers)
    if (!sample) return undefined
    const { shard, row } = placeOf(this.dataset.shards, place)
    const [image] = await this.read.rows.read('images', null, shard.name, {
      ...{ start: row, end: row + 1 },
      columns: ['sha256', 'phash', 'license', 'meta'],
    })
    if (!image) return undefined
    const leftOut = await this.#leftOut(layers.layer, shard.name, row)
    const [opinions] = await this.read.verdicts.read(layers.layer, shard.name, row, row + 1)
    const { verdicts = [], disagreement = [] } = opinions ?? {}
    return {
      sample,
      ...image,
      leftOut,
      verdicts,
      disagreement,
      ...(await this.#neighbours(view, place, layers)),
    }
  }

  /**
   * Counts a view at all places of the slider, from its own threshold upward and then downward, while nothing is asked,
   * so that the slider need not wait. It has a counter of its own: that of the requests stays where they are.
   */
  async #countAhead({ view, viewName, layer, others, rows }: Question, ahead: CountsAhead): Promise<void> {
    await this.idle()
    // Before a count that is asked for meanwhile begins.
    const counter = await this.#counting.then(() =>
      this.#counter?.name === viewName ? this.#counter.counter.copy() : undefined,
    )
    if (!counter) return
    const here = Math.max(0, lastPlace(thresholdOf(view, layer)))
    for (let at = 0; at <= placeCount; at++) {
      const place = here + at <= placeCount ? here + at : placeCount - at
      const threshold = place / placeCount
      if (ahead.counts.has(threshold)) continue
      await this.idle()
      if (this.#ahead !== ahead) return
      await inSlices(counter.count({ ...view, threshold }), this.idle)
      // As above.
      if (this.#rows({ layer, ...others }) !== rows) return
      ahead.counts.set(threshold, counter.counts())
    }
  }

  async #query(view: View, layers: Layers): Promise<QueryResult> {
    return this.#answer(await this.#question(view, layers))
  }

  /** What a view asks of the index, with the layers that it needs asked for. */
  async #question(view: View, { layer, against, truth }: Layers): Promise<Question> {
    if (against) this.read.index.want(against)
    if (layer) this.read.index.want(layer, truth)
    // Read before the index is looked at, which may grow meanwhile.
    const only = view.only === null ? undefined : await this.read.selections.flags(view.only)
    const shown = { ...view, page: 0, open: null }
    return {
      view,
      layer: layer as Layer,
      others: { ...(against && { against }), ...(truth && { truth }), ...(only && { only }) },
      viewName: `${writeView({ ...shown, threshold: null })} ${this.read.selections.version}`,
      rows: this.#rows({ layer, against, truth }),
    }
  }

  /** How far the index of a view's layers is. */
  #rows({ layer, against, truth }: Layers): string {
    const progress = [
      layer && this.read.index.progress(layer, truth),
      against && this.read.index.progress(against),
    ]
    return progress.map((one) => one?.rows ?? 0).join(' ')
  }

  async #answer({ view, layer, others, viewName, rows }: Question): Promise<QueryResult> {
    const name = `${viewName} ${rows} ${view.threshold}`
    const known = this.#results.get(name)
    if (known) return known
    // One after another, since a counter goes on from where it is.
    const counted = this.#counting.then(async () => {
      const done = this.#results.get(name)
      if (done) return done
      if (this.#counter?.name !== viewName) {
        const counter = new ViewCounter(this.dataset, this.read.index, view, layer, others)
        this.#counter = { name: viewName, counter }
      }
      const { counter } = this.#counter
      await inSlices(counter.count(view))
      const result = counter.result()
      this.#results.set(name, result)
      return result
    })
    this.#counting = counted.catch(() => {})
    return counted
  }

  #progress({ layer, against, truth }: Layers): IndexAnswer {
    const all = [
      ...(layer ? [this.read.index.progress(layer), this.read.index.progress(layer, truth)] : []),
      ...(against ? [this.read.index.progress(against)] : []),
    ]
    return all.reduce((a, b) => (b.rows < a.rows ? b : a))
  }

  async #read(view: View, places: readonly number[], { layer, against, truth }: Layers): Promise<Sample[]> {
    if (!layer) return []
    if (view.tab === 'funnel') return this.#readDropped(view, places)
    if (against) return compareSamples(this.read.samples, places, layer, against, view)
    if (!truth) return this.read.samples.read(places, layer)
    return judgedSamples(this.dataset, this.read, places, { layer, truth, view })
  }

  /** The open picture of the funnel. */
  async #readDropped({ stage, reason, open }: View, places: readonly number[]): Promise<Sample[]> {
    const layer = stage === null ? undefined : this.read.dropped.layerOf(stage)
    if (layer && reason !== null) {
      const { sample } = await this.read.dropped.read(layer, open, reason, mostBoxes)
      return sample ? [sample] : []
    }
    const last = this.dataset.layers.at(-1)
    return last ? this.read.samples.read(places, last) : []
  }

  async #leftOut(layer: Layer, shard: string, row: number): Promise<SampleAnswer['leftOut']> {
    if (layer.phrases === null || layer.kind === 'gold') return []
    const range = { start: row, end: row + 1, columns: ['left_out'] as const }
    // Shards of older versions have no such column.
    const [found] = await this.read.rows.read('phrases', layer.phrases, shard, range).catch(() => [])
    return (found?.left_out ?? []).map(({ caption, text, reason }) => ({ caption, text, reason }))
  }

  async #neighbours(view: View, place: number, layers: Layers) {
    if (view.tab === 'funnel') return { place: null, total: 0, before: null, after: null }
    const { shards, pictures } = this.dataset
    const matches = needsIndex(view) ? (await this.#query(view, layers)).matches : undefined
    const total = matches?.length ?? pictures
    const at = matches ? matches.indexOf(place) : place
    const idAt = (position: number) => {
      if (at === -1 || position < 0 || position >= total) return null
      const { shard, row } = placeOf(shards, matches ? (matches[position] as number) : position)
      return `${shard.name}:${row}`
    }
    return { place: at === -1 ? null : at, total, before: idAt(at - 1), after: idAt(at + 1) }
  }
}
