import type { ModelFacts } from '../../teacher/model-facts.js'
import type { Resource } from '../stages/resource.js'
import type { Estimate } from '../stages/stage-kind.js'
import type { Fault } from './check-stages.js'

/** What is to be known of a stage before it runs. */
export interface StagePlan {
  readonly name: string
  readonly uses: string
  /** Stages whose output it takes. */
  readonly needs: readonly string[]
  readonly resource: Resource
  /** The model that it opens, where it opens one. */
  readonly model?: PlannedModel
  /** Shards that there will be, or 1 thing; undefined where its source cannot be read. */
  readonly total?: number
  /** Those that are made already, of the same. */
  readonly done: number
  /** Pictures that there are, and those of them that are still to be worked on. */
  readonly pictures?: number
  readonly toDo?: number
  /** Why what is there would be made anew, in words; none where nothing would be. */
  readonly anew: readonly string[]
  /** What it will take on the disk. */
  readonly disk: Disk
  /** Seconds of work in one process, where shards of it were made before; else nobody knows. */
  readonly seconds?: number
}

/** Bytes, and whether they were measured on what is there. */
export type Disk = Pick<Estimate, 'bytes'> & { readonly from: Estimate['from'] | 'measured' }

/** A model by the stage that makes it, or by its folder. */
export type PlannedModel = { readonly stage: string } | ({ readonly folder: string } & Partial<ModelFacts>)

/** What a run would do. */
export interface RunPlan {
  readonly run: string
  readonly pipeline: string
  readonly stages: readonly StagePlan[]
  /** What would be fetched from the Hub, in bytes: it is not on this machine yet. */
  readonly fetches: readonly { readonly address: string; readonly bytes: number }[]
  /** Bytes that are needed, and those that are free where the run lies; null where that is not known. */
  readonly disk: { readonly needed: number; readonly free: number | null }
  /** What would stop a stage. */
  readonly faults: readonly Fault[]
  /** What the user should know besides. */
  readonly notices: readonly string[]
}
