import type { z } from 'zod'
import type { Family } from '../../rows/rows.js'
import type { ShardResult } from '../../shards/shard-task.js'
import type { Resource } from './resource.js'
import type { StageContext, StageOf, StageOutput } from './stage-context.js'

/** What a stage offers to those that need it: its name and configuration are added by who runs it. */
export type Offers = Omit<StageOutput, 'name' | 'config'>

/** What one thing that a stage makes offers, and its result. */
export interface StageResult<Result> {
  readonly offers: Offers
  /** For a command that runs this one stage: losses, scores, a report. */
  readonly result: Result
  /** True where an earlier run had made the same. */
  readonly skipped: boolean
}

/** What a shard is made with. */
export interface ShardOptions {
  readonly signal?: AbortSignal
  /** Told how many rows of the shard are done. */
  readonly onProgress?: (rows: number) => void
  /** Told when what is left of the shard waits for others: the next one may be begun beside it. */
  readonly onWaiting?: () => void
}

/** A stage that is open: its model is loaded when the first shard asks for it, and stays for the next ones. */
export interface OpenStage {
  /** Rows of a shard, for progress; undefined where the shard's inputs are not there. */
  rows(shard: string): Promise<number | undefined>
  /** Makes a shard, or finds it made of the same. */
  make(shard: string, options: ShardOptions): Promise<ShardResult>
  /** Hashes of what a shard is made of. Throws where that is not there. */
  inputs(shard: string): Promise<Readonly<Record<string, string>>>
  /** Shards that there will be, where the stage itself says so. */
  readonly shards?: readonly string[]
  close(): Promise<void>
}

/** Looks at the sums of a stage as its shards are made. */
export interface StageWatch {
  add(sums: {
    readonly in: number
    readonly out: number
    readonly rejected: Readonly<Record<string, number>>
    /** Whether they were made by an earlier run. */
    readonly skipped?: boolean
  }): void
  /** Warns, or throws an Error that ends the stage. */
  check(): void
}

/** Something that a stage needs and that can be looked at before the first stage of a run. */
export interface Look {
  /** The key of `with` that names it. */
  readonly key: string
  /** Whether only those who do the work must find it, which may be others than who begins the run. */
  readonly atWork?: boolean
  /** Takes little time and leaves nothing. Throws an Error that says what is wrong. */
  look(): Promise<unknown>
}

/** What a stage has to do, for an estimate. */
export interface ExpectedWork {
  /** Pictures that it works on: of one that makes shards, those of the shards that are not made. */
  readonly pictures: number
  /** Bytes of one of them, stored. */
  readonly pictureBytes: number
}

/** Bytes that a stage is likely to take on the disk, and whether its source says so or it is what is usual. */
export interface Estimate {
  readonly bytes: number
  readonly from: 'source' | 'typical'
}

interface AnyKind<Name extends string, Schema extends z.ZodType> {
  readonly name: Name
  /** Of `with`. */
  readonly schema: Schema
  /** Whether `with` may be left out. */
  readonly optional: boolean
  /** What its tasks want most of. */
  readonly resource: Resource
  /** Keys that do not change the results, or that name something whose content is hashed among the inputs. */
  readonly notHashed: readonly string[]
  /** Keys that name a model by its stage or its folder. Where a folder lies is not hashed either. */
  readonly modelKeys?: readonly string[]
  /**
   * What can be looked at before the first stage of a run. What stages before it will make is promised in the outputs
   * (`promise`) and not looked at.
   *
   * @throws UserError where it lacks a stage that it needs
   */
  looks?(stage: StageOf<z.infer<Schema>>, context: StageContext): readonly Look[]
  /** What it takes where nothing of it is there to be measured; next to nothing where it does not say. */
  estimate?(stage: StageOf<z.infer<Schema>>, context: StageContext, work: ExpectedWork): Promise<Estimate>
}

/** A kind of stage that makes each shard of a dataset. */
export interface ShardsKind<Name extends string = string, Schema extends z.ZodType = z.ZodType>
  extends AnyKind<Name, Schema> {
  readonly makes: 'shards'
  /** The family whose records say that its shards are there. */
  readonly family: Family
  /** Whether that nothing came of it is an answer as well, with which those that need it go on. */
  readonly mayBeEmpty?: boolean
  /**
   * What a shard needs of the stages before: the same shard alone, or all of them. A stage `in order` makes its
   * shards one after another, and is one task.
   */
  edge(config: z.infer<Schema>): 'shard' | 'all' | 'in order'
  /**
   * Finds out which shards there will be and says so in the storage; who opens the stage then finds it there.
   * Undefined where they are those of the stages before.
   *
   * @returns rows of all of them
   */
  readonly plan?: (
    stage: StageOf<z.infer<Schema>>,
    configHash: string,
    context: StageContext,
  ) => Promise<{ readonly rows: number }>
  /** What it will offer, before anything is made; as `offers` where it does not say. */
  readonly promise?: (stage: StageOf<z.infer<Schema>>, context: StageContext) => Promise<Offers>
  /** What it offers when its shards are made, as the storage has it. `missing` are those that came without. */
  offers(
    stage: StageOf<z.infer<Schema>>,
    context: StageContext,
  ): Promise<Offers & Required<Pick<Offers, 'dataset'>>>
  open(stage: StageOf<z.infer<Schema>>, configHash: string, context: StageContext): Promise<OpenStage>
  /** @param rows of all shards */
  readonly watch?: (
    stage: StageOf<z.infer<Schema>>,
    rows: number,
    warn: (message: string) => void,
  ) => StageWatch
}

/** A kind of stage that makes one thing: a model, scores, a folder. */
export interface OneKind<Name extends string = string, Schema extends z.ZodType = z.ZodType, Result = unknown>
  extends AnyKind<Name, Schema> {
  readonly makes: 'one'
  /** The model that it offers: one that finds boxes, or one that judges them; absent where it offers none. */
  readonly offersModel?: 'model' | 'judge'
  /** Name in the run of the record that it leaves; undefined where that lies elsewhere. */
  record(stage: StageOf<z.infer<Schema>>): string | undefined
  /** What it offers where it is made of the same already; undefined where it is not. */
  find(
    stage: StageOf<z.infer<Schema>>,
    configHash: string,
    context: StageContext,
  ): Promise<Offers | undefined>
  /** Whether it is made of the same, where only this machine can tell: `find` does not say. */
  isThere?(stage: StageOf<z.infer<Schema>>, context: StageContext): Promise<boolean>
  /** Makes it, or finds it made of the same. */
  run(
    stage: StageOf<z.infer<Schema>>,
    configHash: string,
    context: StageContext,
  ): Promise<StageResult<Result>>
}

/** A kind of stage: what a pipeline may say of it, what of that decides its results, and how it is run. */
export type StageKind = ShardsKind | OneKind

/** Keys of a configuration, of each of several where it is one of them. */
type KeyOf<Config> = Config extends unknown ? keyof Config & string : never

/** Keys that the schema has. */
interface Keys<Schema extends z.ZodType> {
  readonly notHashed: readonly KeyOf<z.infer<Schema>>[]
  readonly modelKeys?: readonly KeyOf<z.infer<Schema>>[]
}

/** The estimate of a stage that takes about as much for every picture. */
export const typically =
  (bytesAPicture: number) =>
  async (_stage: StageOf, _context: StageContext, { pictures }: ExpectedWork): Promise<Estimate> => ({
    bytes: bytesAPicture * pictures,
    from: 'typical',
  })

/** Checks a kind: what is not hashed are keys of its schema. */
export function shardsKind<Name extends string, Schema extends z.ZodType>(
  kind: ShardsKind<Name, Schema> & Keys<Schema>,
): ShardsKind<Name, Schema> {
  return kind
}

/** Checks a kind: what is not hashed are keys of its schema. */
export function oneKind<Name extends string, Schema extends z.ZodType, Result>(
  kind: OneKind<Name, Schema, Result> & Keys<Schema>,
): OneKind<Name, Schema, Result> {
  return kind
}
