import type { TrainConfig } from './config.js'
import type { StepMetrics } from './metrics-log.js'
import type { SampleSource } from './samples/sample.js'

/** Scores models on a set that is not trained on, where `validate` of a configuration asks for it. */
export interface Validation {
  /** Of the set: a training whose validations were on another is not gone on with. */
  readonly hash: string
  /**
   * Opens a model folder and scores it.
   *
   * @returns scores by the names of `validate.metric`, where the set gives them; further ones are logged too
   */
  score(folder: string, signal?: AbortSignal): Promise<Readonly<Record<string, number>>>
}

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
  readonly validation?: Validation
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
  /** Steps that were made: fewer than asked for where the training ended early. */
  readonly steps: number
  /** The validation whose weights are the model's, where there were any. */
  readonly best?: { readonly step: number; readonly value: number }
  readonly seconds: number
  readonly last: StepMetrics
}
