/**
 * Datasets: their stages, the rows of their shards, and what the records say of how they were made.
 *
 * @example
 * ```ts
 * import { joinRows, openDataset } from 'groundmill/dataset'
 *
 * const { name, storage, shards } = await openDataset('runs/quickstart/gold')
 * for (const shard of shards) {
 *   const rows = joinRows(storage, shard, { phrases: { stage: name }, grounding: { stage: name } })
 *   for await (const { key, phrases, grounding } of rows)
 *     for (const { phrase, xyxy } of grounding.regions) console.log(key, phrases.phrases[phrase].text, xyxy)
 * }
 * ```
 *
 * @module groundmill/dataset
 */

export type { Xyxy } from '../boxes/xyxy.js'
export type { FunnelStage } from '../catalog/funnel.js'
export { datasetsIn, type OpenDataset, openDataset } from '../catalog/open-dataset.js'
export { GroupMemory } from '../parquet/group-memory.js'
export {
  type Caption,
  type CaptionKind,
  type Families,
  type Family,
  type GroundingRow,
  type IgnoredRegion,
  type ImageRow,
  type LeftOutPhrase,
  type Negative,
  type NegativeEvidence,
  type NegativeRow,
  negativePhrase,
  type Phrase,
  type PhraseAttribute,
  type PhraseDisagreement,
  type PhraseRow,
  type Proposal,
  type ProposalRow,
  type Region,
  type RejectRow,
  type SelectionRow,
  type Verdict,
  type VerdictKind,
  type VerdictRow,
} from '../rows/rows.js'
export { type CommitRecord, readCommit } from '../shards/commit.js'
export {
  type Joined,
  type JoinedFamily,
  joinRows,
  type PartNamed,
  type PartOf,
  type PartsOf,
} from '../shards/join-rows.js'
export { type ReadOptions, readShard } from '../shards/read-shard.js'
export type { ShardFile } from '../shards/write-shard.js'
export type { Histogram, Moments, ShardStats } from '../statistics/stats.js'
export type { Tally, TallyTail } from '../statistics/tally.js'
export { openStorage } from '../storage/open-storage.js'
export type { Aside, Storage, StoredFile } from '../storage/storage.js'
