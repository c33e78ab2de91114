import type { TrainConfig } from './config.js'
import type { StepMetrics } from './metrics-log.js'
import type { SampleSource } from './samples/sample.js'

/** What is to be trained, and on what. */
export interface TrainTask {
  readonly name: string
  readonly folder: string
  readonly config: TrainConfig
  readonly sources: readonly SampleSource[]
  /** Further captions for the vocabulary: read once where one is made, and not held. */
  readonly texts: Iterable<string> | AsyncIterable<string>
  /**
   * A folder to start from, of a model or of imported weights: its weights and, where it has one, its
   * vocabulary.
   */
  readonly init?: string
  readonly signal?: AbortSignal
  /** Told before the first step, where there is something to start from. */
  readonly onStart?: (start: TrainStart) => void
  readonly onProgress?: (metrics: StepMetrics, steps: number) => void
  /** Told what a user should know, such as which device `auto` found. */
  readonly onNotice?: (text: string) => void
}

/** Which parameters came from the folder to start from, and which start fresh. */
export interface TrainStart {
  readonly folder: string
  readonly taken: readonly string[]
  readonly fresh: readonly string[]
}

export interface TrainResult {
  readonly start?: TrainStart
  readonly steps: number
  readonly seconds: number
  readonly last: StepMetrics
}
