import { LruCache } from '../base/lru-cache.js'
import type { Caption } from '../rows/rows.js'
import { joinRange } from '../shards/join-rows.js'
import type { ShardRows } from '../shards/shard-rows.js'
import type { LayerRow } from './index/index-part.js'
import {
  type ImageShard,
  type Inspected,
  isMade,
  type Layer,
  layerParts,
  storedLayer,
} from './index/layer.js'

/** Rows that are read together: a row group of the thin columns, which is decoded as a whole anyway. */
const groupRows = 500
/** Phrases and boxes that are kept decoded, some 200 bytes each. */
const mostKept = 60_000
/** Shards of which it is remembered whether a layer has come to them. */
const mostShards = 2000

/** A picture's row with what a layer says of it. */
export interface StoredRow extends LayerRow {
  readonly key: string
  readonly url: string | null
  readonly captions: readonly Caption[]
}

/** Rows of the thin columns, of which the last used groups stay decoded. */
export class RowGroups {
  readonly #groups = new LruCache<string, readonly StoredRow[]>({ maxSize: mostKept, sizeOf })
  readonly #made = new LruCache<string, boolean>({ maxSize: mostShards })

  constructor(
    private readonly dataset: Inspected,
    private readonly rows: ShardRows,
  ) {}

  /**
   * The row of a picture; undefined where the shard has none.
   *
   * @throws UserError where the layer's shard is not of the same pictures
   */
  async row(layer: Layer, shard: ImageShard, row: number): Promise<StoredRow | undefined> {
    const start = row - (row % groupRows)
    const name = `${layer.name} ${shard.name} ${start}`
    const group = await this.#groups.load(name, () => this.#read(layer, shard, start))
    return group[row - start]
  }

  async #read(layer: Layer, shard: ImageShard, start: number): Promise<readonly StoredRow[]> {
    const parts = {
      images: { columns: ['url', 'width', 'height', 'captions'] },
      ...layerParts(layer, await this.#isMade(layer, shard)),
    } as const
    const range = { start, end: start + groupRows }
    const joined = await joinRange(this.rows, shard.name, parts, range)
    return joined.map((row) => ({ ...row.images, ...storedLayer(row) }))
  }

  #isMade(layer: Layer, { name }: ImageShard): Promise<boolean> {
    return this.#made.load(`${layer.name} ${name}`, () => isMade(this.dataset.storage, layer, name))
  }
}

const sizeOf = (rows: readonly StoredRow[]) =>
  rows.reduce((sum, { phrases, boxes }) => sum + 1 + phrases.length + boxes.length, 0)
