import { listHash } from '../../base/hash.js'
import { readsAtOnce } from '../../base/map-limited.js'
import { orderedMap } from '../../base/ordered-map.js'
import type { Family } from '../../rows/rows.js'
import { committedFile } from '../../shards/committed-file.js'
import type { Storage } from '../../storage/storage.js'
import { negativesStage } from '../../train/samples/negatives-stage.js'
import type { SampleSource } from '../../train/samples/sample.js'

/** Hash of a shard's file, by its commit record. Throws a UserError where the shard is not there. */
export async function hashOfFile(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
): Promise<string> {
  return (await committedFile(storage, family, stage, shard)).sha256
}

/** Hash of everything that a model is trained or scored on of a dataset. */
export async function hashSource(source: Omit<SampleSource, 'name'>): Promise<string> {
  const { storage, shards, grounding, phrases, verdicts } = source
  const hashes = listHash()
  const ofShard = async (shard: string) => {
    const negatives = await negativesStage(source, shard)
    return [
      await hashOfFile(storage, 'images', null, shard),
      await hashOfFile(storage, 'phrases', phrases, shard),
      await hashOfFile(storage, 'grounding', grounding, shard),
      ...(negatives === undefined ? [] : [await hashOfFile(storage, 'negatives', negatives, shard)]),
      ...(verdicts === undefined ? [] : [await hashOfFile(storage, 'verdicts', verdicts, shard)]),
    ]
  }
  for await (const files of orderedMap(shards, readsAtOnce, ofShard))
    for (const hash of files) hashes.add(hash)
  return hashes.digest()
}
