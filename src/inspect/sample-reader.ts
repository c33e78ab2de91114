import { LruCache } from '../base/lru-cache.js'
import { layerBoxes } from './index/index-part.js'
import { type Inspected, type Layer, type LayerBox, placeOf } from './index/layer.js'
import type { RowGroups, StoredRow } from './row-groups.js'
import type { Sample } from './view/answers.js'

const keptSamples = 2000
/** The page draws no more boxes of a picture. */
export const mostBoxes = 300

/** Reads pictures' rows with their boxes in a layer, from no other row groups than they lie in. */
export class SampleReader {
  readonly #samples = new LruCache<string, Sample>({ maxSize: keptSamples })

  constructor(
    private readonly dataset: Inspected,
    private readonly groups: RowGroups,
  ) {}

  /** Samples at places in the dataset, in the order in which they are asked for. */
  async read(places: readonly number[], layer: Layer): Promise<Sample[]> {
    const samples = new Map<number, Sample>()
    // In the order of the dataset, so that each row group is decoded once.
    for (const place of [...places].sort((a, b) => a - b)) {
      const name = `${layer.name} ${place}`
      const known = this.#samples.get(name)
      if (known) {
        samples.set(place, known)
        continue
      }
      const { shard, row } = placeOf(this.dataset.shards, place)
      const stored = await this.groups.row(layer, shard, row)
      if (!stored) continue
      const boxes = [...layerBoxes(layer, stored)].sort((a, b) => b.to - a.to).slice(0, mostBoxes)
      const sample = sampleOf(`${shard.name}:${row}`, stored, boxes)
      this.#samples.set(name, sample)
      samples.set(place, sample)
    }
    return places.flatMap((place) => samples.get(place) ?? [])
  }
}

/** @param boxes of the picture that are shown */
export function sampleOf(id: string, row: StoredRow, boxes: readonly LayerBox[]): Sample {
  const { key, url, width, height, captions } = row
  return {
    ...{ id, key, url, width, height, captions },
    phrases: row.phrases.map(({ caption, text, start, end, head }) => ({ caption, text, start, end, head })),
    boxes: boxes.map(({ phrase, xyxy, score, from, to, relabelled }) => ({
      ...{ phrase, xyxy: [...xyxy], score, from, to },
      ...(relabelled && { relabelled }),
    })),
  }
}
