import { hashJson } from '../../base/hash.js'
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
  const { storage, shards, grounding, phrases } = source
  const hashes: string[] = []
  for (const shard of shards) {
    hashes.push(
      await hashOfFile(storage, 'images', null, shard),
      await hashOfFile(storage, 'phrases', phrases, shard),
      await hashOfFile(storage, 'grounding', grounding, shard),
    )
    const negatives = await negativesStage(source, shard)
    if (negatives !== undefined) hashes.push(await hashOfFile(storage, 'negatives', negatives, shard))
  }
  return hashJson(hashes)
}
