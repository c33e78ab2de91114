import { Session, type SessionOptions, type Value, valueNamed } from '../graph/session.js'
import { type GlipConfig, squareSize } from '../model/network/config.js'
import { matchQueries } from './loss/match-queries.js'
import type { TrainGraph } from './loss/train-graph.js'
import { type OptimizerState, stateViews } from './optimizer/optimizer-state.js'

type Feeds = Readonly<Record<string, Value>>

/** The graphs of a step, loaded and tied to the memory of a state. They hold native memory until `close`. */
export interface StepSessions {
  readonly inputs: Session['inputs']
  /** The losses of a part of a batch, by name; its gradients are written into the state. */
  run(part: Feeds): Promise<Record<string, number>>
  close(): Promise<void>
}

export async function openStepSessions(
  { step, predict, layers }: Pick<TrainGraph, 'step' | 'predict' | 'layers'>,
  state: OptimizerState,
  network: GlipConfig,
  options: SessionOptions,
): Promise<StepSessions> {
  const { feeds, into } = stateViews(state)
  const session = await Session.open(step, options)
  const predictor = predict && (await Session.open(predict, options))
  return {
    inputs: session.inputs,
    async run(part) {
      // The predictions that are matched drop the same things as the step: the part feeds the noise to both.
      const matched = predictor && (await matchTargets(predictor, { ...part, ...feeds }, network, layers))
      const results = await session.run({ ...part, ...matched, ...feeds }, into)
      const metrics = Object.entries(results).filter(([name]) => name.startsWith('metric.'))
      return Object.fromEntries(
        metrics.map(([name, { data }]) => [name.slice('metric.'.length), Number(data[0])]),
      )
    },
    async close() {
      await session.close()
      await predictor?.close()
    },
  }
}

/** Which query answers for which box, by what the network says of a batch before it is trained on it. */
async function matchTargets(
  predictor: Session,
  values: Feeds,
  network: GlipConfig,
  layers: number,
): Promise<{ readonly assigned: Value }> {
  const fed = Object.fromEntries(predictor.inputs.map(({ name }) => [name, valueNamed(values, name)]))
  const predictions = await predictor.run(fed)
  const predicted = { logits: valueNamed(predictions, 'logits'), boxes: valueNamed(predictions, 'boxes') }
  const targets = { box: valueNamed(values, 'box'), phrase: valueNamed(values, 'phrase') }
  return { assigned: matchQueries(predicted, targets, squareSize(network), layers) }
}
