import type { Engine } from './engines/engine.js'
import type { Stage } from './stages/pipeline-config.js'
import type { StageOptions, StageOutcome } from './tasks/run-stage.js'

export interface RunOptions extends Omit<StageOptions, 'stopAtFailure' | 'replace' | 'alone'> {
  /** What carries the tasks; they are made in this process, stage after stage, by default. */
  readonly engine?: Engine
  /** Tasks of an engine that have ended, of those that are known. */
  onTasks?(done: number, total: number): void
  onStageStart?(stage: Stage): void
  onStageEnd?(stage: Stage, outcome: StageOutcome): void
  /** Stages to run, and what they need; all by default. */
  readonly only?: readonly string[]
}

export interface RunResult {
  readonly outcomes: ReadonlyMap<string, StageOutcome>
  readonly failed: number
  /** Stages at which a slice has stopped, and those behind them; and those that need one of which nothing came. */
  readonly stopped: readonly StoppedStage[]
}

/** A stage that was not run. */
export interface StoppedStage {
  readonly stage: string
  /** The stage that is to be run or mended first, and what it waits for. */
  readonly at: string
  readonly why: 'it takes all shards at once' | 'shards of other slices are missing' | 'nothing came of it'
}
