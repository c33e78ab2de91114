import { LruCache } from '../../base/lru-cache.js'
import { UserError } from '../../base/user-error.js'
import { joinRows } from '../../shards/join-rows.js'
import { readShard } from '../../shards/read-shard.js'
import type { IndexAnswer } from '../view/answers.js'
import { type ImagePart, imagePartBuilder, type LayerPart, layerPartBuilder, toldBy } from './index-part.js'
import { KeptParts } from './kept-parts.js'
import { type ImageShard, type Inspected, isMade, type Layer, layerParts, storedLayer } from './layer.js'
import { StringTable } from './string-table.js'
import { type TruthPart, truthPartBuilder } from './truth-part.js'

/** Rows that are indexed before requests have their turn. */
const burstRows = 250
/** Layers that are held at once; the one that was asked for longest ago makes room. So are pairs of layer and truth. */
const mostLayers = 4

/** A shard as the filters see it. */
export interface IndexedShard {
  readonly shard: ImageShard
  readonly images: ImagePart
  readonly layer: LayerPart
  /** Where it was asked for. */
  readonly truth?: TruthPart
}

/** A layer that is held against another one, the truth. */
interface Judged {
  readonly layer: Layer
  readonly truth: Layer
  readonly parts: (TruthPart | undefined)[]
}

/**
 * What filters, search and the threshold read instead of the dataset: typed arrays of its thin columns, made
 * shard by shard in the background while requests are answered from the shards themselves. Of what is held in
 * memory, 1 GB at most: beyond that the rest of the dataset is left out, and `progress` says so.
 */
export class DatasetIndex {
  readonly hosts = new StringTable()
  readonly texts = new StringTable()
  readonly heads = new StringTable()
  readonly #images: (ImagePart | undefined)[] = []
  /** The one that was asked for last is at the end. */
  readonly #layers = new LruCache<string, (LayerPart | undefined)[]>({
    maxSize: mostLayers,
    onEvict: () => {
      this.#isFull = false
    },
  })
  readonly #judged = new LruCache<string, Judged>({
    maxSize: mostLayers,
    onEvict: () => {
      this.#isFull = false
    },
  })
  readonly #errors = new Map<string, string>()
  readonly #kept: KeptParts | undefined
  #running: Promise<void> | undefined
  #isClosed = false
  #isFull = false

  /**
   * @param idle is waited for between bursts of work, so that requests come first
   * @param most bytes that the index may take
   * @param keptFrom pictures from which on parts are kept beside a dataset in a folder of this machine
   */
  constructor(
    private readonly dataset: Inspected,
    private readonly idle: () => Promise<void>,
    private readonly most = 1e9,
    keptFrom = 20_000,
  ) {
    const { storage, pictures } = dataset
    if (storage.isLocal && pictures >= keptFrom) this.#kept = new KeptParts(storage, this)
  }

  /** Asks for a layer to be indexed, and held against a truth. Its parts come one after another. */
  want(layer: Layer, truth?: Layer): void {
    if (!this.#layers.get(layer.name)) this.#layers.set(layer.name, [])
    if (truth) {
      const name = pairName(layer, truth)
      if (!this.#judged.get(name)) this.#judged.set(name, { layer, truth, parts: [] })
    }
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** The shards of a layer that are indexed so far, in their order, without a gap. */
  *shards(of: Layer, against?: Layer): Generator<IndexedShard> {
    const parts = this.#layers.peek(of.name) ?? []
    const truths = against && (this.#judged.peek(pairName(of, against))?.parts ?? [])
    for (const [at, shard] of this.dataset.shards.entries()) {
      const [images, layer, truth] = [this.#images[at], parts[at], truths?.[at]]
      if (!images || !layer || (truths && !truth)) return
      yield { shard, images, layer, ...(truth && { truth }) }
    }
  }

  progress(layer: Layer, truth?: Layer): IndexAnswer {
    let rows = 0
    for (const { shard } of this.shards(layer, truth)) rows += shard.rows
    const total = this.dataset.pictures
    return {
      rows,
      total,
      isWhole: rows === total,
      isBusy: rows < total && !this.#isFull,
      errors: [...this.#errors.values()],
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  /** Bytes that the index takes. */
  get bytes(): number {
    const layers = [...this.#layers.entries()].flatMap(([, parts]) => parts)
    const truths = [...this.#judged.entries()].flatMap(([, { parts }]) => parts)
    const parts = [...this.#images, ...layers, ...truths]
    const words = this.hosts.bytes + this.texts.bytes + this.heads.bytes
    return parts.reduce((sum, part) => sum + (part?.bytes ?? 0), words)
  }

  async #run() {
    await this.idle()
    for (;;) {
      if (this.#isClosed) return
      this.#isFull = this.bytes >= this.most
      if (this.#isFull) return
      const next = this.#next()
      if (!next) {
        if (!(await this.#judgeNext())) return
        continue
      }
      const { layer, at } = next
      const shard = this.dataset.shards[at] as ImageShard
      const parts = this.#layers.peek(layer.name) ?? []
      this.#images[at] ??= await this.#guard(
        shard,
        () => {
          const make = async () => (await this.#readImages(shard)).build()
          return this.#kept ? this.#kept.images(shard.name, make) : make()
        },
        () => imagePartBuilder(this.hosts),
        (builder) => builder.add({ key: '', url: null, width: 0, height: 0 }),
      )
      parts[at] = await this.#guard(
        shard,
        () => {
          const make = async () => (await this.#readLayer(layer, shard)).build()
          return this.#kept ? this.#kept.layer(layer, shard.name, make) : make()
        },
        () => layerPartBuilder(layer, this.texts, this.heads),
        (builder) => builder.add({ width: 1, height: 1, phrases: [], boxes: [] }),
      )
    }
  }

  /** Holds the next shard of a layer against a truth; false where none is left. */
  async #judgeNext(): Promise<boolean> {
    for (const [, { layer, truth, parts }] of [...this.#judged.entries()].reverse()) {
      const at = this.dataset.shards.findIndex((_, index) => !parts[index])
      if (at === -1) continue
      const shard = this.dataset.shards[at] as ImageShard
      const builder = () => truthPartBuilder(layer, this.dataset.judge, truth.isByCategory, this.heads)
      parts[at] = await this.#guard(
        shard,
        async () => (await this.#readTruth(layer, truth, shard, builder())).build(),
        builder,
        (empty) =>
          empty.add(
            { width: 1, height: 1, phrases: [], boxes: [] },
            { captions: [], phrases: [], regions: [] },
          ),
      )
      return true
    }
    return false
  }

  /** The next shard of the layer that was asked for last. */
  #next(): { readonly layer: Layer; readonly at: number } | undefined {
    for (const [name, parts] of [...this.#layers.entries()].reverse()) {
      const layer = this.dataset.layers.find((one) => one.name === name)
      const at = this.dataset.shards.findIndex((_, index) => !parts[index])
      if (layer && at !== -1) return { layer, at }
    }
    return undefined
  }

  /** A part, or one of empty rows where the shard cannot be read: the others are shown all the same. */
  async #guard<B extends { build(): P }, P>(
    shard: ImageShard,
    read: () => Promise<P>,
    empty: () => B,
    addEmpty: (builder: B) => void,
  ): Promise<P> {
    try {
      return await read()
    } catch (error) {
      const message =
        error instanceof UserError ? error.message : `Shard ${shard.name}: ${(error as Error).message}`
      this.#errors.set(shard.name, message)
      const builder = empty()
      for (let row = 0; row < shard.rows; row++) addEmpty(builder)
      return builder.build()
    }
  }

  async #readImages(shard: ImageShard) {
    const builder = imagePartBuilder(this.hosts)
    const columns = ['key', 'url', 'width', 'height'] as const
    let rows = 0
    for await (const row of readShard(this.dataset.storage, 'images', null, shard.name, { columns })) {
      builder.add(row)
      if (++rows % burstRows === 0) await this.#pause()
    }
    checkRows(shard, 'images', rows)
    return builder
  }

  async #readLayer(layer: Layer, shard: ImageShard) {
    const { storage } = this.dataset
    const builder = layerPartBuilder(layer, this.texts, this.heads)
    const parts = {
      images: { columns: ['width', 'height'] },
      ...layerParts(layer, await isMade(storage, layer, shard.name)),
    } as const
    let rows = 0
    for await (const joined of joinRows(storage, shard.name, parts)) {
      const { width, height } = joined.images
      builder.add({ width, height, ...storedLayer(joined) })
      if (++rows % burstRows === 0) await this.#pause()
    }
    checkRows(shard, layer.name, rows)
    return builder
  }

  async #readTruth(
    layer: Layer,
    truth: Layer,
    shard: ImageShard,
    builder: ReturnType<typeof truthPartBuilder>,
  ) {
    const { storage } = this.dataset
    const own = layerParts(layer, await isMade(storage, layer, shard.name))
    const other = layerParts(truth, await isMade(storage, truth, shard.name))
    const parts = {
      images: { columns: ['width', 'height', 'captions'] },
      ...own,
      truthPhrases: other.phrases && ({ family: 'phrases', ...other.phrases } as const),
      truthBoxes: other.boxes,
    } as const
    let rows = 0
    for await (const joined of joinRows(storage, shard.name, parts)) {
      const { width, height, captions } = joined.images
      const told = storedLayer({ phrases: joined.truthPhrases, boxes: joined.truthBoxes })
      builder.add(
        { width, height, ...storedLayer(joined) },
        toldBy(truth, { width, height, ...told }, captions),
      )
      if (++rows % burstRows === 0) await this.#pause()
    }
    checkRows(shard, truth.name, rows)
    return builder
  }

  async #pause() {
    await this.idle()
    if (this.#isClosed) throw new Error('closed')
  }
}

const pairName = (layer: Layer, truth: Layer) => `${layer.name} ${truth.name}`

function checkRows(shard: ImageShard, family: string, rows: number) {
  if (rows !== shard.rows)
    throw new UserError(
      `Shard ${shard.name} of ${family} has ${rows} rows and its record says ${shard.rows}: run the pipeline again.`,
    )
}
