import type { Xyxy } from '../../boxes/xyxy.js'
import type { Caption, IgnoredRegion, Phrase, Proposal } from '../../rows/rows.js'
import { readCommit } from '../../shards/commit.js'
import type { Joined } from '../../shards/join-rows.js'
import type { Storage } from '../../storage/storage.js'
import type { LayerAnswer, Relabelled, StageAnswer } from '../view/answers.js'

/** A box of a layer, kept at thresholds above `from` and up to `to`. */
export interface LayerBox {
  readonly phrase: number
  readonly xyxy: Xyxy
  readonly score: number
  readonly from: number
  readonly to: number
  /** Where its label is not the whole phrase. */
  readonly relabelled?: Relabelled
}

/** One picture's row, as the rules of a filter take it. */
export interface LayerImage {
  readonly width: number
  readonly height: number
  readonly phrases: readonly Phrase[]
  readonly negatives: readonly Proposal[]
}

/**
 * Boxes over the pictures of a dataset: a grounding, or proposals with rules; or what there is of them yet.
 */
export interface Layer extends Omit<LayerAnswer, 'showsDropped'> {
  /** The stage whose phrases its boxes point to; null where there are none. */
  readonly phrases: string | null
  readonly boxes: { readonly family: 'proposals' | 'grounding'; readonly stage: string } | null
  /** A hash of all but stored rows that its boxes are made by; null where it is not known. */
  readonly madeBy: string | null
  /**
   * What the rules keep of a picture's proposals, and at which thresholds; null: the boxes are those that are
   * stored.
   */
  readonly passing: ((proposals: readonly Proposal[], image: LayerImage) => readonly LayerBox[]) | null
  /** The proposals that the rules drop as they were run, each with its rule; null where it cannot be told. */
  readonly dropped: ((proposals: readonly Proposal[], image: LayerImage) => readonly DroppedProposal[]) | null
}

/** A proposal that the rules of a layer drop. */
export interface DroppedProposal {
  readonly phrase: number
  readonly xyxy: Xyxy
  readonly score: number
  /** As the funnel names it. */
  readonly reason: string
}

/** What a truth says of a picture. */
export interface Told {
  readonly captions: readonly Pick<Caption, 'kind'>[]
  readonly phrases: readonly Phrase[]
  readonly regions: readonly { readonly phrase: number; readonly xyxy: Xyxy }[]
  readonly ignored?: readonly IgnoredRegion[] | null
}

/** Boxes of a truth that boxes of a phrase may find; undefined where it does not know the phrase. */
export interface Targets {
  readonly boxes: readonly Xyxy[] | undefined
  /** For boxes that have the span of a part of the phrase for a label. */
  named(start: number, end: number): readonly Xyxy[] | undefined
  /** Areas in which a box that finds nothing is not judged. */
  readonly unsure: readonly Xyxy[]
}

/** A box that is judged, for a phrase or a part of it. */
export interface JudgedBox {
  readonly phrase: number
  readonly xyxy: Xyxy
  readonly relabelled?: { readonly start: number; readonly end: number }
}

/** How boxes are held against a truth. */
export interface Judge {
  targets(phrases: readonly Phrase[], told: Told, isByCategory: boolean): readonly Targets[]
  /** Boxes best first; those that are not judged are left out. */
  boxes<B extends JudgedBox>(
    boxes: readonly B[],
    targets: readonly Targets[],
  ): readonly { readonly box: B; readonly right: boolean; readonly target?: Xyxy }[]
}

/** A shard of pictures, and the place of its first one in the dataset. */
export interface ImageShard {
  readonly name: string
  readonly rows: number
  readonly start: number
}

/**
 * A dataset as the page looks at it. What it needs of the stages is given to it, so that it knows none of
 * them.
 */
export interface Inspected {
  readonly url: string
  readonly name: string
  readonly storage: Storage
  readonly shards: readonly ImageShard[]
  readonly pictures: number
  readonly layers: readonly Layer[]
  readonly funnel: readonly StageAnswer[]
  readonly judge: Judge
}

/** The shard and row of a picture by its place in the dataset. */
export function placeOf(
  shards: readonly ImageShard[],
  row: number,
): { readonly shard: ImageShard; readonly row: number } {
  let [low, high] = [0, shards.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((shards[middle] as ImageShard).start <= row) low = middle
    else high = middle - 1
  }
  const shard = shards[low] as ImageShard
  return { shard, row: row - shard.start }
}

/** The place in the dataset that `shard:row` names; undefined where there is none. */
export function rowOf(shards: readonly ImageShard[], id: string | null): number | undefined {
  const [name, row] = id?.split(':') ?? []
  const shard = shards.find((one) => one.name === name)
  if (!shard || !/^\d{1,9}$/.test(row ?? '')) return undefined
  return Number(row) < shard.rows ? shard.start + Number(row) : undefined
}

/** Whether the stages of a layer have come to a shard. */
export async function isMade(storage: Storage, { phrases, boxes }: Layer, shard: string): Promise<boolean> {
  const records = await Promise.all([
    phrases === null || readCommit(storage, 'phrases', phrases, shard),
    boxes === null || readCommit(storage, boxes.family, boxes.stage, shard),
  ])
  return records.every(Boolean)
}

/** What is read of a layer, for a join: nothing where its stages have not come to the shard. */
export function layerParts({ phrases, boxes }: Layer, isThere: boolean) {
  if (!isThere) return { phrases: undefined, boxes: undefined }
  return {
    phrases: phrases === null ? undefined : ({ stage: phrases, columns: ['phrases'] } as const),
    boxes: boxes ? boxPart(boxes) : undefined,
  }
}

const boxPart = ({ family, stage }: NonNullable<Layer['boxes']>) =>
  family === 'grounding'
    ? ({ family, stage, columns: ['regions', 'ignored'] } as const)
    : ({ family, stage, columns: ['proposals'] } as const)

/** The phrases and stored boxes of a joined row; none where none were read. */
export function storedLayer({
  phrases,
  boxes,
}: Pick<Joined<ReturnType<typeof layerParts>>, 'phrases' | 'boxes'>) {
  const stored = boxes && ('regions' in boxes ? boxes.regions : boxes.proposals)
  const ignored = boxes && 'ignored' in boxes ? boxes.ignored : null
  return { phrases: phrases?.phrases ?? [], boxes: stored ?? [], ignored: ignored ?? null }
}
