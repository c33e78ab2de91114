import { Recent } from '../base/recent.js'
import type { Caption, Families, Family } from '../rows/rows.js'
import type { ShardRows } from '../shards/shard-rows.js'
import type { LayerRow } from './index-part.js'
import { apart, type ImageShard, type Inspected, isMade, type Layer } from './layer.js'

/** Rows that are read together: a row group of the thin columns, which is decoded as a whole anyway. */
const groupRows = 500
/** Phrases and boxes that are kept decoded, some 200 bytes each. */
const mostKept = 60_000

/** A picture's row with what a layer says of it. */
export interface StoredRow extends LayerRow {
  readonly key: string
  readonly url: string | null
  readonly captions: readonly Caption[]
}

/** Rows of the thin columns, of which the last used groups stay decoded. */
export class RowGroups {
  readonly #groups = new Recent<string, Promise<readonly StoredRow[]>>(mostKept)
  readonly #made = new Recent<string, Promise<boolean>>(2000)

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
    let group = this.#groups.get(name)
    if (!group) {
      const read = this.#read(layer, shard, start)
      group = read
      this.#groups.set(name, read)
      read.then(
        (rows) => this.#groups.set(name, read, sizeOf(rows)),
        () => this.#groups.delete(name),
      )
    }
    return (await group)[row - start]
  }

  async #read(layer: Layer, shard: ImageShard, start: number): Promise<readonly StoredRow[]> {
    const read: ReadRows = (family, stage, columns) =>
      this.rows.read(family, stage, shard.name, { start, end: start + groupRows, columns })
    const images = await read('images', null, ['key', 'url', 'width', 'height', 'captions'])
    const made = await this.#isMade(layer, shard)
    const phrases =
      made && layer.phrases !== null ? await read('phrases', layer.phrases, ['key', 'phrases']) : undefined
    const boxes = made && layer.boxes ? await storedBoxes(layer.boxes, read) : undefined
    return images.map((image, at) => {
      const [phraseRow, boxRow] = [phrases?.[at], boxes?.[at]]
      if ((phrases && phraseRow?.key !== image.key) || (boxes && boxRow?.key !== image.key))
        throw apart(this.dataset.url, shard, layer)
      return { ...image, phrases: phraseRow?.phrases ?? [], boxes: boxRow?.boxes ?? [] }
    })
  }

  async #isMade(layer: Layer, { name }: ImageShard): Promise<boolean> {
    const id = `${layer.name} ${name}`
    let known = this.#made.get(id)
    if (!known) {
      known = isMade(this.dataset.storage, layer, name)
      this.#made.set(id, known)
    }
    return known
  }
}

/** Reads some rows of a shard. */
type ReadRows = <F extends Family, C extends keyof Families[F] & string>(
  family: F,
  stage: string | null,
  columns: readonly C[],
) => Promise<Pick<Families[F], C>[]>

async function storedBoxes({ family, stage }: NonNullable<Layer['boxes']>, read: ReadRows) {
  if (family === 'grounding')
    return (await read(family, stage, ['key', 'regions'])).map(({ key, regions }) => ({
      key,
      boxes: regions,
    }))
  const rows = await read(family, stage, ['key', 'proposals'])
  return rows.map(({ key, proposals }) => ({ key, boxes: proposals }))
}

const sizeOf = (rows: readonly StoredRow[]) =>
  rows.reduce((sum, { phrases, boxes }) => sum + 1 + phrases.length + boxes.length, 0)
