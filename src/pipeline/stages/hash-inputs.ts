import { hashJson } from '../../base/hash.js'
import { UserError } from '../../base/user-error.js'
import type { Family } from '../../rows/rows.js'
import { readCommit } from '../../shards/commit.js'
import type { Storage } from '../../storage/storage.js'
import type { SampleSource } from '../../train/samples/sample.js'

/** Hash of a shard's file, by its commit record. Throws a UserError where the shard is not there. */
export async function hashOfFile(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
): Promise<string> {
  const record = await readCommit(storage, family, stage, shard)
  const file = record?.files[family]
  if (!file) {
    throw new UserError(
      `${storage.url}: shard ${shard} of ${family}${stage ? ` "${stage}"` : ''} is not there: run its stage first.`,
    )
  }
  return file.sha256
}

/** Hash of everything that a model is trained or scored on of a dataset. */
export async function hashSource({
  storage,
  shards,
  grounding,
  phrases,
  negatives,
}: Omit<SampleSource, 'name'>): Promise<string> {
  const hashes: string[] = []
  for (const shard of shards) {
    hashes.push(
      await hashOfFile(storage, 'images', null, shard),
      await hashOfFile(storage, 'phrases', phrases, shard),
      await hashOfFile(storage, 'grounding', grounding, shard),
    )
    if (negatives === undefined) continue
    const known = (await readCommit(storage, 'negatives', negatives, shard))?.files.negatives
    if (known) hashes.push(known.sha256)
  }
  return hashJson(hashes)
}
