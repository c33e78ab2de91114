import { hasFamily } from '../../shards/has-family.js'
import type { SampleSource } from './sample.js'

/**
 * The stage that says of a shard of a source what is not in its pictures: the one that the source names, else
 * the one that made its grounding; undefined where neither does.
 */
export async function negativesStage(
  { storage, grounding, negatives }: Pick<SampleSource, 'storage' | 'grounding' | 'negatives'>,
  shard: string,
): Promise<string | undefined> {
  for (const stage of [negatives, grounding])
    if (stage !== undefined && (await hasFamily(storage, 'negatives', stage, shard))) return stage
  return undefined
}
