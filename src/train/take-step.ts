import type { Session, Value } from '../graph/session.js'
import type { TrainRun } from './config.js'
import { adamWStep } from './optimizer/adamw.js'
import type { OptimizerState, stateViews } from './optimizer/optimizer-state.js'
import type { StepMetrics } from './plot-losses.js'

/** The losses of a part of a batch; its gradients are written into the state. */
export async function runPart(
  session: Session,
  batch: Readonly<Record<string, Value>>,
  { feeds, into }: ReturnType<typeof stateViews>,
): Promise<Record<string, number>> {
  const results = await session.run({ ...batch, ...feeds }, into)
  const metrics = Object.entries(results).filter(([name]) => name.startsWith('metric.'))
  return Object.fromEntries(
    metrics.map(([name, { data }]) => [name.slice('metric.'.length), Number(data[0])]),
  )
}

/** Steps on the gradients of all parts, and gives the means of their losses. */
export function takeStep(
  state: OptimizerState,
  parts: readonly Readonly<Record<string, number>>[],
  step: number,
  rate: number,
  config: TrainRun,
): StepMetrics {
  const mean = (name: string) => parts.reduce((sum, part) => sum + part[name], 0) / parts.length
  const losses = Object.fromEntries(Object.keys(parts[0]).map((name) => [name, mean(name)]))
  for (const { vectors } of state.groups) vectors.sumGradients()
  const norm = adamWStep(state, step, rate, config, parts.length)
  for (const [name, value] of Object.entries({ loss: losses.loss, gradient: norm })) {
    if (!Number.isFinite(value))
      throw new Error(`the ${name} became ${value} at step ${step}: try a lower learning_rate`)
  }
  return { ...losses, step, learning_rate: rate, gradient_norm: norm, loss: losses.loss }
}
