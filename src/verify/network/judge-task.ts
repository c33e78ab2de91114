import type { StepMetrics } from '../../train/metrics-log.js'
import type { JudgeConfig } from './config.js'
import type { JudgeSource } from './judge-pictures.js'
import type { JudgeMeasured } from './measure-judge.js'

/** What a judge is trained on, and how. */
export interface JudgeTask {
  readonly name: string
  readonly folder: string
  readonly config: JudgeConfig
  readonly sources: readonly JudgeSource[]
  readonly signal?: AbortSignal
  readonly onProgress?: (metrics: StepMetrics, steps: number) => void
  /** Is told what the user should know of the judge. */
  readonly onWarning?: (text: string) => void
}

export interface JudgeResult {
  readonly steps: number
  readonly seconds: number
  readonly pictures: number
  readonly measured: JudgeMeasured
}
