import type { Proposal } from '../rows/rows.js'
import { splitProposals } from './index/index-part.js'
import { type Inspected, type Layer, placeOf, rowOf } from './index/layer.js'
import type { RowGroups } from './row-groups.js'
import { sampleOf } from './sample-reader.js'
import type { Reject } from './view/answers.js'

/** A layer of which it can be told which rule dropped a box. */
export type DroppingLayer = Layer & { readonly dropped: NonNullable<Layer['dropped']> }

/** Reads the boxes that the rules of a filter have dropped, which no file holds: the rules are run again. */
export class DroppedReader {
  constructor(
    private readonly dataset: Pick<Inspected, 'layers' | 'shards'>,
    private readonly groups: RowGroups,
  ) {}

  /** The layer of a filter's stage; undefined where it cannot be told what it dropped. */
  layerOf(stage: string): DroppingLayer | undefined {
    const layer = this.dataset.layers.find(({ name, kind }) => name === stage && kind === 'filter')
    return layer?.dropped ? (layer as DroppingLayer) : undefined
  }

  /**
   * A picture with the boxes that a rule has dropped, the best first, and how many they are; nothing where there is
   * no such picture.
   *
   * @param picture `shard:row`
   * @param most boxes that are given
   */
  async read(
    layer: DroppingLayer,
    picture: string | null,
    reason: string,
    most: number,
  ): Promise<Pick<Reject, 'sample' | 'dropped'>> {
    const place = rowOf(this.dataset.shards, picture)
    if (place === undefined) return {}
    const { shard, row } = placeOf(this.dataset.shards, place)
    const stored = await this.groups.row(layer, shard, row)
    if (!stored) return {}
    const { width, height, phrases, boxes } = stored
    const { own, negatives } = splitProposals(boxes as readonly Proposal[], phrases)
    const dropped = layer
      .dropped(own, { width, height, phrases, negatives })
      .filter((box) => box.reason === reason)
      .sort((a, b) => b.score - a.score)
    // They are drawn whatever the threshold is.
    const shown = dropped
      .slice(0, most)
      .map(({ phrase, xyxy, score }) => ({ phrase, xyxy, score, from: -1, to: 1 }))
    return { sample: sampleOf(`${shard.name}:${row}`, stored, shown), dropped: dropped.length }
  }
}
