import { findFirst } from '../base/find-first.js'
import { type CommitRecord, readCommit } from '../shards/commit.js'
import type { OpenDataset } from './open-dataset.js'

/** The record of the first shard that has the grounding. */
export async function firstRecord(
  { storage, shards }: OpenDataset,
  grounding: string,
): Promise<CommitRecord | undefined> {
  return findFirst(shards, (shard) => readCommit(storage, 'grounding', grounding, shard))
}

/**
 * The stage of the proposals that a shard of grounding was made from: the one whose file has the hash that
 * the shard's record names. Undefined where they are gone, and for gold, which is made from none.
 */
export async function proposalsBehind(
  { storage, stages }: OpenDataset,
  { inputs, shard }: CommitRecord,
): Promise<string | undefined> {
  if (inputs.proposals === undefined) return undefined
  for (const { family, stage } of stages) {
    if (family !== 'proposals') continue
    const record = await readCommit(storage, 'proposals', stage, shard)
    if (record?.files.proposals?.sha256 === inputs.proposals) return stage
  }
  return undefined
}
