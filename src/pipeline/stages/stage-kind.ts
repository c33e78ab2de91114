import type { z } from 'zod'
import type { StageContext, StageOf, StageOutput } from './stage-context.js'

/** What a stage offers once it has run, and its result. */
export interface StageResult<Result> {
  /** For the stages that need it. `runStage` adds its name and configuration. */
  readonly offers: Omit<StageOutput, 'name' | 'config'>
  /** For a command that runs this one stage: sums of shards, losses, scores, a report. */
  readonly result: Result
}

/** A kind of stage: what a pipeline may say of it, what of that decides its results, and how it is run. */
export interface StageKind<
  Name extends string = string,
  Schema extends z.ZodType = z.ZodType,
  Result = unknown,
> {
  readonly name: Name
  /** Of `with`. */
  readonly schema: Schema
  /** Whether `with` may be left out. */
  readonly optional: boolean
  /** What it makes: each shard of a dataset, or one thing. */
  readonly makes: 'shards' | 'one'
  /** Keys that do not change the results, or that name something whose content is hashed among the inputs. */
  readonly notHashed: readonly string[]
  /** Keys that name a model by its stage or its folder. Where a folder lies is not hashed either. */
  readonly modelKeys?: readonly string[]
  /**
   * Does what is not done yet of the same configuration and inputs.
   *
   * @param configHash of what decides the results
   */
  run(
    stage: StageOf<z.infer<Schema>>,
    configHash: string,
    context: StageContext,
  ): Promise<StageResult<Result>>
}

/** Keys of a configuration, of each of several where it is one of them. */
type KeyOf<Config> = Config extends unknown ? keyof Config & string : never

/** Checks a kind: what is not hashed are keys of its schema. */
export function stageKind<Name extends string, Schema extends z.ZodType, Result>(
  kind: StageKind<Name, Schema, Result> & {
    readonly notHashed: readonly KeyOf<z.infer<Schema>>[]
    readonly modelKeys?: readonly KeyOf<z.infer<Schema>>[]
  },
): StageKind<Name, Schema, Result> {
  return kind
}
