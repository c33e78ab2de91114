import type { Storage } from '../storage/storage.js'
import { type CommitRecord, readCommit } from './commit.js'

/** All that the teacher of some proposals can call a box, as their record says; undefined where it says nothing. */
export function labelsOf(record: CommitRecord | undefined): readonly string[] | undefined {
  const labels = record?.config?.labels
  return Array.isArray(labels) ? labels.map(String) : undefined
}

/** `labelsOf` of a shard. */
export const recordedLabels = async (
  { storage, shard }: { readonly storage: Storage; readonly shard: string },
  proposals: string,
): Promise<readonly string[] | undefined> =>
  labelsOf(await readCommit(storage, 'proposals', proposals, shard))
