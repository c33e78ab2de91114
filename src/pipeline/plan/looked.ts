import type { Stage } from '../stages/pipeline-config.js'
import type { Dataset, StageContext } from '../stages/stage-context.js'
import type { StagePlan } from './run-plan.js'

/** What is known of a stage when those behind it are looked at. */
export interface Looked {
  readonly plan: StagePlan
  /** Shards that need not be made. */
  readonly current: ReadonlySet<string>
  /** Whether nothing of it is to be made. */
  readonly isWhole: boolean
  /** The pictures that its shards are of, as far as they are known. */
  readonly pictures?: Pictures
}

/** The pictures of a dataset, by shard. */
export interface Pictures {
  readonly shards: readonly string[]
  readonly rows: ReadonlyMap<string, number>
  /** Bytes of one, stored. */
  readonly bytes: number
}

/** What a stage is looked at with. */
export interface Looking {
  readonly stage: Stage
  /** Over a storage in which nothing is left. */
  readonly context: StageContext
  readonly configHash: string
  /** The stages that it is made of: those that it needs, and all of them. */
  readonly needs: readonly Looked[]
  readonly behind: readonly Looked[]
  /** Its dataset, where that is there. */
  readonly dataset?: Dataset
}

export const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, one) => all + one, 0)
