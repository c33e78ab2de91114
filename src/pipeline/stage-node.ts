import { explainError } from '../base/explain-error.js'
import { kindOf, type Stage } from './stages/pipeline-config.js'
import type { StageOutput } from './stages/stage-context.js'
import type { StageKind, StageWatch } from './stages/stage-kind.js'
import { outputOfStage } from './tasks/find-output.js'
import type { StageRemarks } from './tasks/nothing-came.js'
import {
  hashOf,
  type StageOptions,
  type StageOutcome,
  type StagePlace,
  stageContext,
} from './tasks/run-stage.js'
import { addSums, noSums, type ShardSums } from './tasks/shard-sums.js'
import { stagesNamed } from './tasks/stages-behind.js'
import type { TaskResult } from './tasks/task.js'
import { endsStage } from './tasks/task-error.js'

/** What is known of a shard of a stage. A byte each: there may be hundreds of thousands. */
const waiting = 0
const ready = 1
const made = 2
const missing = 3

/** A stage of a run whose tasks are carried by an engine: which can be done, and what became of them. */
export class StageNode {
  readonly kind: StageKind
  readonly needs: StageNode[] = []
  /** Stages that it names without needing them: they must have ended. */
  readonly named: StageNode[] = []
  /** Stages whose shards need the same shard of this one. */
  readonly followers: StageNode[] = []
  state: 'closed' | 'open' | 'ended' = 'closed'
  /** The stage of which nothing came, so that this one is not made. */
  stoppedAt: string | undefined
  shards: readonly string[] = []
  /** Whether it is one task. */
  readonly isOne: boolean
  /** Whether its shards need all of the stages before. */
  isWhole: boolean
  #shards = new Uint8Array()
  /** Shards that can be made, those from `#next` on. */
  #ready: number[] = []
  #next = 0
  #unsettled = 0
  #offers: Omit<StageOutput, 'name' | 'config'> = { missing: [] }
  #watch: StageWatch | undefined
  #sums: ShardSums = noSums
  #nothing: string | undefined
  #ran = 0
  #skipped = 0
  #missing: string[] = []
  #failed: { readonly shard: string; readonly error: string }[] = []
  readonly #warnings = new Set<string>()
  #start = 0
  #seconds = 0

  constructor(readonly stage: Stage) {
    this.kind = kindOf(stage)
    const edge = this.kind.makes === 'shards' ? this.kind.edge(stage.with) : 'all'
    this.isOne = this.kind.makes === 'one' || edge === 'in order'
    this.isWhole = edge !== 'shard'
  }

  /** Whether it needs no more than the same shard of another stage. */
  follows(needed: StageNode): boolean {
    return !this.isWhole && !needed.isOne
  }

  canOpen(): boolean {
    return (
      this.state === 'closed' &&
      this.named.every(({ state }) => state === 'ended') &&
      this.needs.every((needed) =>
        this.follows(needed) ? needed.state !== 'closed' : needed.state === 'ended',
      )
    )
  }

  /** The stage of which nothing came, where it needs or names that, or another that is not made for it. */
  get emptyBehind(): string | undefined {
    for (const { stage, stoppedAt, isEmpty } of [...this.needs, ...this.named]) {
      if (isEmpty) return stage.name
      if (stoppedAt !== undefined) return stoppedAt
    }
    return undefined
  }

  /** Whether it has ended and nothing came of it. */
  get isEmpty(): boolean {
    return this.#nothing !== undefined
  }

  /** Leaves it as it is: nothing came of a stage that it needs. */
  stop(at: string): void {
    this.state = 'ended'
    this.stoppedAt = at
  }

  /** Whether something has come of it, or nothing is an answer too. */
  get hasSome(): boolean {
    return this.#sums.out > 0 || (this.kind.makes === 'shards' && this.kind.mayBeEmpty === true)
  }

  canEnd(): boolean {
    return this.state === 'open' && this.#unsettled === 0
  }

  /** Tasks that it is known to have. */
  get tasks(): number {
    return this.state === 'closed' ? 0 : this.isOne ? 1 : this.shards.length
  }

  /** Tasks that have come to an end. */
  get settled(): number {
    return this.tasks - this.#unsettled
  }

  /** Begins it: its shards are known now, and those that lack what they need are missing already. */
  open(
    shards: readonly string[],
    offers: Omit<StageOutput, 'name' | 'config'>,
    watch: StageWatch | undefined,
  ): void {
    this.state = 'open'
    this.#start = performance.now()
    this.#offers = offers
    this.#watch = watch
    this.shards = shards
    this.#missing = [...offers.missing]
    if (this.isOne) {
      this.#unsettled = 1
      this.#ready = [0]
      return
    }
    this.#unsettled = shards.length
    this.#shards = new Uint8Array(shards.length)
    const isMissing = new Set(offers.missing)
    for (const [at, shard] of shards.entries()) {
      if (isMissing.has(shard)) this.#settle(at, missing)
      else this.offer(at)
    }
  }

  /** Looks at a shard again: it can be made, or cannot, once what it needs has come to an end. */
  offer(shard: number): void {
    if (this.state !== 'open' || this.#shards[shard] !== waiting) return
    const followed = this.needs.filter((needed) => this.follows(needed))
    const states = followed.map((needed) => needed.#shards[shard])
    if (states.includes(missing)) {
      this.#missing.push(this.shards[shard] as string)
      this.#settle(shard, missing)
    } else if (states.every((state) => state === made) && followed.every((needed) => needed.hasSome)) {
      // Until something has come of a stage it may be that nothing will, and then what needs it is not made.
      this.#shards[shard] = ready
      this.#ready.push(shard)
    }
  }

  /** The next task to be released; 'whole' where the stage is one. */
  take(): number | 'whole' | 'none' {
    const shard = this.#ready[this.#next]
    if (this.state !== 'open' || shard === undefined) return 'none'
    this.#next++
    // What was released is let go of now and then: the list would grow with the dataset.
    if (this.#next > 1024) {
      this.#ready = this.#ready.slice(this.#next)
      this.#next = 0
    }
    return this.isOne ? 'whole' : shard
  }

  made(shard: number | undefined, result: TaskResult): void {
    for (const warning of result.warnings) this.#warnings.add(warning)
    this.#failed.push(...result.failed)
    this.#missing.push(...result.failed.map((failed) => failed.shard))
    if (result.skipped) this.#skipped++
    else this.#ran++
    this.#watch?.add(result.tried ?? result)
    const { out } = this.#sums
    this.#sums = addSums(this.#sums, result)
    if (shard === undefined) this.#unsettled--
    else this.#settle(shard, made)
    if (out === 0 && result.out > 0)
      for (const follower of this.followers) for (const at of follower.shards.keys()) follower.offer(at)
    this.#watch?.check()
  }

  /** Whether the rest of the run can go on without it. */
  setAside(shard: number | undefined, thrown: unknown): boolean {
    if (shard === undefined || endsStage(thrown)) return false
    const name = this.shards[shard] as string
    this.#failed.push({ shard: name, error: explainError(thrown).message })
    this.#missing.push(name)
    this.#settle(shard, missing)
    return true
  }

  #settle(shard: number, state: number): void {
    this.#shards[shard] = state
    this.#unsettled--
    for (const follower of this.followers) follower.offer(shard)
  }

  warn(text: string): void {
    this.#warnings.add(text)
  }

  /** What went in and came out. */
  get sums(): ShardSums {
    return this.#sums
  }

  /** Adds what is to be said of it now that its shards are made. */
  remark({ nothing, warnings }: StageRemarks): void {
    this.#nothing = nothing
    warnings.forEach((warning) => {
      this.warn(warning)
    })
  }

  /** What it offers now that it has ended. */
  output(): StageOutput {
    this.state = 'ended'
    this.#seconds = (performance.now() - this.#start) / 1000
    return outputOfStage(this.stage, { ...this.#offers, missing: this.#missing })
  }

  outcome(): StageOutcome {
    return {
      ran: this.#ran,
      skipped: this.#skipped,
      failed: this.#failed,
      warnings: [...this.#warnings],
      ...(this.#nothing !== undefined && { nothing: this.#nothing }),
      seconds: this.#seconds,
    }
  }
}

/** Stages with what they need, in the same order. */
export function stageNodes(stages: readonly Stage[]): StageNode[] {
  const nodes = new Map(stages.map((stage) => [stage.name, new StageNode(stage)]))
  for (const node of nodes.values()) {
    for (const name of node.stage.needs) {
      const needed = nodes.get(name)
      if (needed) node.needs.push(needed)
    }
    for (const { name } of stagesNamed({ stages }, node.stage)) node.named.push(nodes.get(name) as StageNode)
    // Shards of several datasets have nothing to do with one another.
    if (node.needs.filter(({ isOne }) => !isOne).length > 1) node.isWhole = true
    for (const needed of node.needs) if (node.follows(needed)) needed.followers.push(node)
  }
  return [...nodes.values()]
}

/** Finds out what the tasks of a stage are. */
export async function openStage(
  node: StageNode,
  { run, outputs }: StagePlace & { readonly outputs: Map<string, StageOutput> },
  options: StageOptions,
): Promise<void> {
  const { kind, stage } = node
  if (kind.makes === 'one') {
    node.open([], { missing: [] }, undefined)
    return
  }
  const warn = (text: string) => node.warn(text)
  const context = stageContext(stage, { run, outputs }, options, warn)
  const planned = await kind.plan?.(stage, hashOf(kind, stage, outputs), context)
  if (planned) options.onPlanned?.(stage, planned.rows)
  const offers = await kind.offers(stage, context)
  const watch = planned && kind.watch?.(stage, planned.rows, warn)
  // Those that follow look for what it offers before it has ended.
  outputs.set(stage.name, outputOfStage(stage, offers))
  node.open(offers.dataset.shards, offers, watch)
}
