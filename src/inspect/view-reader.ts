import { LruCache } from '../base/lru-cache.js'
import type { ShardRows } from '../shards/shard-rows.js'
import type { CountsAnswer, Sample, SampleAnswer, SamplesAnswer } from './answers.js'
import { chooseLayers } from './choose-layers.js'
import { compareSamples } from './compare-samples.js'
import type { DatasetIndex } from './dataset-index.js'
import { type Inspected, type Layer, placeOf, rowOf } from './layer.js'
import { type QueryResult, queryIndex } from './query-index.js'
import type { SampleReader } from './sample-reader.js'
import { needsIndex, pageSize, type View, writeView } from './view.js'

/**
 * Results of queries that are remembered: the page asks for counts and pictures of one view one after the
 * other.
 */
const mostResults = 3

/** What a view shows of a dataset: its counts, the pictures of its page, the open picture. */
export class ViewReader {
  readonly #results = new LruCache<string, QueryResult>({ maxSize: mostResults })

  constructor(
    private readonly dataset: Inspected,
    private readonly index: DatasetIndex,
    private readonly rows: ShardRows,
    private readonly reader: SampleReader,
  ) {}

  /** What is counted in the part of the dataset that is indexed by now; undefined where there is no layer. */
  counts(view: View): CountsAnswer | undefined {
    const { layer, against } = chooseLayers(view, this.dataset.layers)
    if (!layer) return undefined
    const { counts } = this.#query(view, layer, against)
    const progress = [layer, ...(against ? [against] : [])].map((one) => this.index.progress(one))
    return { ...counts, index: progress.reduce((a, b) => (b.rows < a.rows ? b : a)) }
  }

  /** The pictures of the view's page. */
  async samples(view: View): Promise<SamplesAnswer> {
    const { layer, against } = chooseLayers(view, this.dataset.layers)
    if (!layer || (view.tab === 'compare' && !against)) return { total: 0, isWhole: true, samples: [] }
    const start = view.page * pageSize
    if (!needsIndex(view)) {
      // It will be asked for its counts in any case.
      this.index.want(layer)
      const total = this.dataset.pictures
      const count = Math.max(0, Math.min(pageSize, total - start))
      const places = Array.from({ length: count }, (_, at) => start + at)
      return { total, isWhole: true, samples: await this.reader.read(places, layer) }
    }
    const { matches } = this.#query(view, layer, against)
    const places = [...matches.subarray(start, start + pageSize)]
    return {
      total: matches.length,
      isWhole: [layer, against].every((one) => !one || this.index.progress(one).isWhole),
      samples: await this.#read(view, places, layer, against),
    }
  }

  /** The open picture with its neighbours among what matches; undefined where there is no such picture. */
  async sample(view: View): Promise<SampleAnswer | undefined> {
    const { layer, against } = chooseLayers(view, this.dataset.layers)
    const place = view.open === null ? undefined : rowOf(this.dataset.shards, view.open)
    if (!layer || place === undefined) return undefined
    const [sample] = await this.#read(view, [place], layer, against)
    if (!sample) return undefined
    const { shard, row } = placeOf(this.dataset.shards, place)
    const [image] = await this.rows.read('images', null, shard.name, {
      ...{ start: row, end: row + 1 },
      columns: ['sha256', 'phash', 'license', 'meta'],
    })
    if (!image) return undefined
    const leftOut = await this.#leftOut(layer, shard.name, row)
    return { sample, ...image, leftOut, ...this.#neighbours(view, place, layer, against) }
  }

  #query(view: View, layer: Layer, against?: Layer): QueryResult {
    if (against) this.index.want(against)
    this.index.want(layer)
    const progress = [layer, against].map((one) => (one ? this.index.progress(one).rows : 0))
    const name = `${writeView({ ...view, page: 0, open: null })} ${progress}`
    const known = this.#results.get(name)
    if (known) return known
    const result = queryIndex(this.dataset, this.index, view, layer, against)
    this.#results.set(name, result)
    return result
  }

  #read(view: View, places: readonly number[], layer: Layer, against?: Layer): Promise<Sample[]> {
    if (!against) return this.reader.read(places, layer)
    return compareSamples(this.reader, places, layer, against, view)
  }

  async #leftOut(layer: Layer, shard: string, row: number): Promise<SampleAnswer['leftOut']> {
    if (layer.phrases === null || layer.kind === 'gold') return []
    const range = { start: row, end: row + 1, columns: ['left_out'] as const }
    // Shards of older versions have no such column.
    const [found] = await this.rows.read('phrases', layer.phrases, shard, range).catch(() => [])
    return (found?.left_out ?? []).map(({ caption, text, reason }) => ({ caption, text, reason }))
  }

  #neighbours(view: View, place: number, layer: Layer, against?: Layer) {
    const { shards, pictures } = this.dataset
    const matches = needsIndex(view) ? this.#query(view, layer, against).matches : undefined
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
