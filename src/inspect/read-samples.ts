import type { Families, Family } from '../shards/rows.js'
import type { ShardRows } from '../shards/shard-rows.js'
import type { Change, Grounded, Sample } from './answers.js'
import { type LayerRow, layerBoxes } from './index-part.js'
import {
  apart,
  type Comparable,
  type ImageShard,
  type Inspected,
  isMade,
  type Layer,
  placeOf,
} from './layer.js'
import { Recent } from './recent.js'

/** Rows that are read together where several of them are wanted: a row group, which is decoded as a whole anyway. */
const togetherRows = 500
const keptSamples = 3000
/** The page draws no more boxes of a picture. */
const mostBoxes = 300

const columns = ['key', 'url', 'width', 'height', 'captions'] as const

/** Reads pictures' rows with their boxes in a layer, from no other row groups than they lie in. */
export class SampleReader {
  readonly #samples = new Recent<string, Sample>(keptSamples)
  readonly #made = new Recent<string, Promise<boolean>>(keptSamples)

  constructor(
    private readonly dataset: Inspected,
    private readonly rows: ShardRows,
  ) {}

  /** Samples at places in the dataset, in the order in which they are asked for. */
  async read(places: readonly number[], layer: Layer): Promise<Sample[]> {
    const found = new Map<number, Sample>()
    const missing = new Map<string, { shard: ImageShard; rows: number[] }>()
    for (const place of places) {
      const known = this.#samples.get(`${layer.name} ${place}`)
      if (known) {
        found.set(place, known)
        continue
      }
      const { shard, row } = placeOf(this.dataset.shards, place)
      const group = `${shard.name} ${Math.floor(row / togetherRows)}`
      const together = missing.get(group) ?? { shard, rows: [] }
      missing.set(group, together)
      together.rows.push(row)
    }
    for (const { shard, rows } of missing.values()) {
      for (const [row, sample] of await this.#readRows(shard, rows, layer)) {
        found.set(shard.start + row, sample)
        this.#samples.set(`${layer.name} ${shard.start + row}`, sample)
      }
    }
    return places.flatMap((place) => found.get(place) ?? [])
  }

  /** The same with the other side of a comparison, and what became of each box between them. */
  async readBeside(
    places: readonly number[],
    layer: Layer,
    against: Layer,
    threshold: number | null,
  ): Promise<Sample[]> {
    const after = await this.read(places, layer)
    const before = await this.read(places, against)
    return after.map((sample, at) => {
      const [a, b] = [
        regionsOf(before[at], threshold ?? against.threshold),
        regionsOf(sample, threshold ?? layer.threshold),
      ]
      const { moved, lost, added } = this.dataset.compare([...a.keys()], [...b.keys()])
      const [gone, come] = [new Set(lost), new Set(added)]
      const shifted = new Set(moved.map(({ region }) => region))
      // `compare` names what moved by its new place alone: an old box that is not lost has moved unless it is there still.
      const changeBefore = (region: Comparable): Change =>
        gone.has(region) ? 'alone' : hasEqual(b.keys(), region) ? 'same' : 'moved'
      const changeAfter = (region: Comparable): Change =>
        come.has(region) ? 'alone' : shifted.has(region) ? 'moved' : 'same'
      return {
        ...sample,
        changes: changesOf(sample, b, changeAfter),
        against: {
          phrases: before[at].phrases,
          boxes: before[at].boxes,
          changes: changesOf(before[at], a, changeBefore),
        },
      }
    })
  }

  async #readRows(shard: ImageShard, wanted: readonly number[], layer: Layer): Promise<Map<number, Sample>> {
    const start = Math.min(...wanted)
    const end = Math.max(...wanted) + 1
    const read: ReadRows = (family, stage, columns) =>
      this.rows.read(family, stage, shard.name, { start, end, columns })
    const images = await read('images', null, columns)
    const made = await this.#isMade(layer, shard)
    const phrases =
      made && layer.phrases !== null ? await read('phrases', layer.phrases, ['key', 'phrases']) : undefined
    const boxes = made && layer.boxes ? await storedBoxes(layer.boxes, read) : undefined
    const samples = new Map<number, Sample>()
    for (const row of wanted) {
      const image = images[row - start]
      if (!image) continue
      const phraseRow = phrases?.[row - start]
      const boxRow = boxes?.[row - start]
      if ((phrases && phraseRow?.key !== image.key) || (boxes && boxRow?.key !== image.key))
        throw apart(this.dataset.url, shard, layer)
      const { width, height } = image
      const grounded = groundedOf(layer, {
        width,
        height,
        phrases: phraseRow?.phrases ?? [],
        boxes: boxRow?.boxes ?? [],
      })
      const { key, url, captions } = image
      samples.set(row, { id: `${shard.name}:${row}`, key, url, width, height, captions, ...grounded })
    }
    return samples
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

function groundedOf(layer: Layer, row: LayerRow): Grounded {
  const boxes = [...layerBoxes(layer, row)].sort((a, b) => b.to - a.to).slice(0, mostBoxes)
  return {
    phrases: row.phrases.map(({ caption, text, start, end, head }) => ({ caption, text, start, end, head })),
    boxes: boxes.map(({ phrase, xyxy, score, from, to }) => ({ phrase, xyxy: [...xyxy], score, from, to })),
  }
}

/** The boxes above the threshold as regions, each with its place among the boxes. */
function regionsOf({ phrases, boxes }: Grounded, threshold: number): Map<Comparable, number> {
  const regions = new Map<Comparable, number>()
  boxes.forEach(({ phrase, xyxy, score, from, to }, at) => {
    if (!(from < threshold && threshold <= to)) return
    const { caption, start, end } = phrases[phrase]
    regions.set({ caption, phrase, start, end, xyxy, score, origin: '' }, at)
  })
  return regions
}

function changesOf(
  { boxes }: Grounded,
  regions: ReadonlyMap<Comparable, number>,
  changeOf: (region: Comparable) => Change,
): (Change | null)[] {
  const changes = new Array<Change | null>(boxes.length).fill(null)
  for (const [region, at] of regions) changes[at] = changeOf(region)
  return changes
}

const sameSpan = (a: Comparable, b: Comparable) =>
  a.caption === b.caption && a.start === b.start && a.end === b.end

const hasEqual = (regions: Iterable<Comparable>, one: Comparable) =>
  [...regions].some(
    (other) => sameSpan(one, other) && one.xyxy.every((value, at) => value === other.xyxy[at]),
  )
