import { hasFamily } from '../shards/has-family.js'
import { joinRows } from '../shards/join-rows.js'
import type { Storage } from '../storage/storage.js'
import type { KnownCategories } from './presence-scores.js'
import type { DetectionTruth } from './read-detection-truth.js'

/** A dataset with gold boxes, and the stage that has them. */
interface GoldShards {
  readonly storage: Storage
  readonly shards: readonly string[]
  readonly stage: string
}

/**
 * What is known of the categories of each picture of a dataset, by its place among all pictures. The family
 * `negatives` says it where the stage has it. Elsewhere a picture with a caption of category names is taken
 * to have boxes of all categories that it shows, and of another picture nothing is known.
 *
 * @param categories by whose places categories are named
 */
export async function knownCategories(
  { storage, shards, stage }: GoldShards,
  categories: readonly string[],
): Promise<Map<number, KnownCategories>> {
  const places = new Map(categories.map((name, place) => [name, place]))
  const placesOf = (names: readonly string[]) => names.flatMap((name) => places.get(name) ?? [])
  const known = new Map<number, KnownCategories>()
  for (const shard of shards) {
    const isSaid = await hasFamily(storage, 'negatives', stage, shard)
    const parts = {
      images: { columns: ['captions'] },
      negatives: isSaid ? { stage, columns: ['negatives', 'exhaustive', 'partial'] as const } : undefined,
    } as const
    for await (const { images, negatives } of joinRows(storage, shard, parts))
      known.set(known.size, {
        exhaustive: negatives?.exhaustive ?? images.captions.some(({ kind }) => kind === 'categories'),
        absent: placesOf(negatives?.negatives.map(({ text }) => text) ?? []),
        partial: placesOf(negatives?.partial ?? []),
      })
  }
  return known
}

/**
 * What an annotation file says of the categories of each picture, by its place: COCO has boxes of all categories
 * that a picture shows; LVIS says of each picture which others were looked for, and which are not exhaustive.
 */
export function knownOfFile({
  images,
  lvis,
}: Pick<DetectionTruth, 'images' | 'lvis'>): Map<number, KnownCategories> {
  if (!lvis) return new Map(images.map((_, place) => [place, { exhaustive: true, absent: [], partial: [] }]))
  return new Map(
    lvis.images.map(({ id, negative, notExhaustive }) => [
      id,
      { exhaustive: false, absent: negative, partial: notExhaustive },
    ]),
  )
}
