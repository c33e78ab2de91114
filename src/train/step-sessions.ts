import type { HeldValue } from '../graph/held-value.js'
import { Session, type SessionOptions, type Value, valueNamed } from '../graph/session.js'
import { type GlipConfig, squareSize } from '../model/network/config.js'
import { matchQueries } from './loss/match-queries.js'
import type { TrainGraph } from './loss/train-graph.js'
import { type OptimizerState, stateViews } from './optimizer/optimizer-state.js'
import { openStepWeights } from './step-weights.js'

/** The graphs of a step, loaded and tied to the memory of a state. They hold native memory until `close`. */
export interface StepSessions {
  readonly inputs: Session['inputs']
  /** The losses of a part of a batch, by name; its gradients are written into the state. */
  run(part: Readonly<Record<string, Value>>): Promise<Record<string, number>>
  close(): Promise<void>
}

/** @param parts of a batch: so many runs make a step, after which the values of the state have changed */
export async function openStepSessions(
  { step, predict }: Pick<TrainGraph, 'step' | 'predict'>,
  state: OptimizerState,
  { network, parts }: { readonly network: GlipConfig; readonly parts: number },
  options: SessionOptions,
): Promise<StepSessions> {
  const { into } = stateViews(state)
  const session = await Session.open(step, options)
  const predictor = predict && (await Session.open(predict, options))
  const weights = await openStepWeights(state, options.device ?? 'cpu', predictor ? 2 * parts : parts)
  let runs = 0
  return {
    inputs: session.inputs,
    async run(part) {
      const feeds = await weights.feeds(runs++ % parts === 0)
      // The predictions that are matched drop the same things as the step: the part feeds the noise to both.
      const matched = predictor && (await matchTargets(predictor, part, feeds, network))
      const results = await session.run({ ...part, ...matched, ...feeds }, into)
      const metrics = Object.entries(results).filter(([name]) => name.startsWith('metric.'))
      return Object.fromEntries(
        metrics.map(([name, { data }]) => [name.slice('metric.'.length), Number(data[0])]),
      )
    },
    async close() {
      await weights.close()
      await session.close()
      await predictor?.close()
    },
  }
}

/** Which query answers for which box, by what the network says of a batch before it is trained on it. */
async function matchTargets(
  predictor: Session,
  part: Readonly<Record<string, Value>>,
  weights: Readonly<Record<string, Value | HeldValue>>,
  network: GlipConfig,
): Promise<{ readonly assigned: Value }> {
  const values = { ...part, ...weights }
  const fed = Object.fromEntries(predictor.inputs.map(({ name }) => [name, valueNamed(values, name)]))
  const predictions = await predictor.run(fed)
  const predicted = { logits: valueNamed(predictions, 'logits'), boxes: valueNamed(predictions, 'boxes') }
  const targets = { box: valueNamed(part, 'box'), phrase: valueNamed(part, 'phrase') }
  return { assigned: matchQueries(predicted, targets, squareSize(network)) }
}
