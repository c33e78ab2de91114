import type { z } from 'zod'
import type { Storage } from '../../storage/storage.js'
import type { Judge } from './judge.js'

/** Parameters of a judge, and first, under `judge`, its name. */
export type JudgeSchema = z.ZodObject<{ judge: z.ZodLiteral<string> }, z.core.$strict>

/** A model that a judge asks, as the pipeline has found it. */
export interface JudgeModel {
  readonly folder: string
  readonly name: string
  /** Of all that its answers depend on. */
  readonly hash: string
}

/** What a judge is opened with. */
export interface JudgeTools {
  readonly storage: Storage
  /** There where `asksModel` says so. */
  readonly model?: JudgeModel
  readonly notice?: (text: string) => void
  readonly signal?: AbortSignal
}

/** Where a shard is. */
export interface JudgedShard {
  readonly storage: Storage
  readonly shard: string
}

/**
 * Everything that is known of a judge. Nothing has a default, so that a new judge has to state what it asks for.
 *
 * @see `judgeKind`, which infers the types
 */
export interface JudgeKind<Schema extends JudgeSchema = JudgeSchema> {
  readonly name: z.infer<Schema>['judge']
  readonly schema: Schema
  /** What `model` names: a network that was trained to judge, a teacher, a folder of CLIP; null where it asks none. */
  readonly model: 'judge' | 'teacher' | 'clip' | null
  /** Whether boxes must have been found before: people may draw where nothing was. */
  readonly needsBoxes: boolean
  /** Keys that do not change what it says. */
  readonly notHashed: readonly (keyof z.infer<Schema> & string)[]
  /** Reads what can be read before the run; throws a UserError that says what is wrong. */
  check(config: z.infer<Schema>): Promise<unknown>
  /** Hashes of files that it reads, and of what it says of a shard from elsewhere. */
  inputs(config: z.infer<Schema>, shard: JudgedShard): Promise<Readonly<Record<string, string>>>
  open(config: z.infer<Schema>, tools: JudgeTools): Promise<Judge>
}

/** Checks the types of a judge. */
export const judgeKind = <Schema extends JudgeSchema>(kind: JudgeKind<Schema>): JudgeKind<Schema> => kind
