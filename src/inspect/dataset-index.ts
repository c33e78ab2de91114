import { LruCache } from '../base/lru-cache.js'
import { UserError } from '../base/user-error.js'
import { joinRows } from '../shards/join-rows.js'
import { readShard } from '../shards/read-shard.js'
import type { IndexAnswer } from './answers.js'
import { type ImagePart, imagePartBuilder, type LayerPart, layerPartBuilder } from './index-part.js'
import { type ImageShard, type Inspected, isMade, type Layer, layerParts, storedLayer } from './layer.js'
import { StringTable } from './string-table.js'

/** Rows that are indexed before requests have their turn. */
const burstRows = 250
/** Layers that are held at once; the one that was asked for longest ago makes room. */
const mostLayers = 4

/** A shard as the filters see it. */
export interface IndexedShard {
  readonly shard: ImageShard
  readonly images: ImagePart
  readonly layer: LayerPart
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
  readonly #errors = new Map<string, string>()
  #running: Promise<void> | undefined
  #isClosed = false
  #isFull = false

  /**
   * @param idle is waited for between bursts of work, so that requests come first
   * @param most bytes that the index may take
   */
  constructor(
    private readonly dataset: Inspected,
    private readonly idle: () => Promise<void>,
    private readonly most = 1e9,
  ) {}

  /** Asks for a layer to be indexed. Its parts come one after another. */
  want(layer: Layer): void {
    if (!this.#layers.get(layer.name)) this.#layers.set(layer.name, [])
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** The shards of a layer that are indexed so far, in their order, without a gap. */
  *shards({ name }: Layer): Generator<IndexedShard> {
    const parts = this.#layers.peek(name) ?? []
    for (const [at, shard] of this.dataset.shards.entries()) {
      const [images, layer] = [this.#images[at], parts[at]]
      if (!images || !layer) return
      yield { shard, images, layer }
    }
  }

  progress(layer: Layer): IndexAnswer {
    let rows = 0
    for (const { shard } of this.shards(layer)) rows += shard.rows
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
    const parts = [...this.#images, ...layers]
    const words = this.hosts.bytes + this.texts.bytes + this.heads.bytes
    return parts.reduce((sum, part) => sum + (part?.bytes ?? 0), words)
  }

  async #run() {
    await this.idle()
    for (;;) {
      if (this.#isClosed) return
      this.#isFull = this.bytes >= this.most
      const next = this.#isFull ? undefined : this.#next()
      if (!next) return
      const { layer, at } = next
      const shard = this.dataset.shards[at] as ImageShard
      const parts = this.#layers.peek(layer.name) ?? []
      this.#images[at] ??= await this.#guard(
        shard,
        () => this.#readImages(shard),
        () => imagePartBuilder(this.hosts),
        (builder) => builder.add({ key: '', url: null, width: 0, height: 0 }),
      )
      parts[at] = await this.#guard(
        shard,
        () => this.#readLayer(layer, shard),
        () => layerPartBuilder(layer, this.texts, this.heads),
        (builder) => builder.add({ width: 1, height: 1, phrases: [], boxes: [] }),
      )
    }
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
    read: () => Promise<B>,
    empty: () => B,
    addEmpty: (builder: B) => void,
  ): Promise<P> {
    try {
      const builder = await read()
      return builder.build()
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

  async #pause() {
    await this.idle()
    if (this.#isClosed) throw new Error('closed')
  }
}

function checkRows(shard: ImageShard, family: string, rows: number) {
  if (rows !== shard.rows)
    throw new UserError(
      `Shard ${shard.name} of ${family} has ${rows} rows and its record says ${shard.rows}: run the pipeline again.`,
    )
}
