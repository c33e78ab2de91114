import type { Storage } from '../storage/storage.js'

/** Where a shard of a stage lies. */
export interface ShardPlace {
  readonly storage: Storage
  readonly stage: string
  readonly shard: string
}
