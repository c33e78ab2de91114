import type { StepLosses } from './metrics-log.js'
import { type AdamWConfig, adamWStep } from './optimizer/adamw.js'
import type { OptimizerState } from './optimizer/optimizer-state.js'

/**
 * Steps on the gradients of all parts of a batch, and gives the means of their losses.
 *
 * @param step from 1
 * @param rate the learning rate
 */
export function takeStep(
  state: OptimizerState,
  parts: readonly Readonly<Record<string, number>>[],
  step: number,
  rate: number,
  config: AdamWConfig,
): StepLosses {
  const mean = (name: string) =>
    parts.reduce((sum, part) => sum + (part[name] ?? Number.NaN), 0) / parts.length
  const losses = Object.fromEntries(Object.keys(parts[0] ?? {}).map((name) => [name, mean(name)]))
  for (const { vectors } of state.groups) vectors.sumGradients()
  const norm = adamWStep(state, step, rate, config, parts.length)
  const loss = mean('loss')
  for (const [name, value] of Object.entries({ loss, gradient: norm })) {
    if (!Number.isFinite(value))
      throw new Error(`the ${name} became ${value} at step ${step}: try a lower learning_rate`)
  }
  return { ...losses, step, learning_rate: rate, gradient_norm: norm, loss }
}
