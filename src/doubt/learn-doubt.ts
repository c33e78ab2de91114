import { random } from '../base/random.js'
import { readCommit } from '../shards/commit.js'
import type { Storage } from '../storage/storage.js'
import type { DoubtConfig } from './config.js'
import { type DoubtModel, fitDoubt } from './doubt-model.js'
import type { DoubtedPicture } from './doubted-picture.js'
import { type DoubtStages, readDoubted } from './read-doubted.js'

/**
 * Learns what errors look like in a dataset, of some of its pictures: shards are read in an order that the seed
 * draws, until there are enough with boxes. Shards of which something is not there are left out.
 */
export async function learnDoubt(
  storage: Storage,
  shards: readonly string[],
  stages: DoubtStages,
  { fit_pictures, seed }: DoubtConfig,
  signal?: AbortSignal,
): Promise<DoubtModel> {
  const pictures: DoubtedPicture[] = []
  for (const shard of random(seed, 'doubt', 'shards').shuffle(shards)) {
    if (pictures.length >= fit_pictures) break
    if (!(await isThere(storage, shard, stages))) continue
    const own: DoubtedPicture[] = []
    for await (const { picture } of readDoubted(storage, shard, stages, signal))
      if (picture.boxes.length > 0) own.push(picture)
    pictures.push(
      ...random(seed, 'doubt', shard)
        .shuffle(own)
        .slice(0, fit_pictures - pictures.length),
    )
  }
  return fitDoubt(pictures, seed, signal)
}

/** Whether a shard has all that is held against each other. */
async function isThere(
  storage: Storage,
  shard: string,
  { phrases, grounding, proposals, verdicts }: DoubtStages,
): Promise<boolean> {
  const stages = { phrases, grounding, proposals, ...(verdicts !== undefined && { verdicts }) }
  const records = await Promise.all(
    Object.entries(stages).map(async ([family, stage]) => {
      const of = family as keyof typeof stages
      return (await readCommit(storage, of, stage, shard))?.files[of]
    }),
  )
  return records.every((file) => file !== undefined)
}
