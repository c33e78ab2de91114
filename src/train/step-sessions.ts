import type { HeldValue } from '../graph/held-value.js'
import { Session, type SessionOptions, type Value, valueNamed, zeros } from '../graph/session.js'
import { type GlipConfig, squareSize } from '../model/network/config.js'
import { matchQueries } from './loss/match-queries.js'
import type { TrainGraph } from './loss/train-graph.js'
import { type OptimizerState, stateViews } from './optimizer/optimizer-state.js'
import { openStepWeights } from './step-weights.js'

/** The graphs of a step, loaded and tied to the memory of a state. They hold native memory until `close`. */
export interface StepSessions {
  /** The losses of a part of a batch, by name; its gradients are written into the state. */
  run(part: Readonly<Record<string, Value>>): Promise<Record<string, number>>
  close(): Promise<void>
}

/** @param parts of a batch: so many runs make a step, after which the values of the state have changed */
export async function openStepSessions(
  { step, predict, layers = 1 }: Pick<TrainGraph, 'step' | 'predict'> & Partial<Pick<TrainGraph, 'layers'>>,
  state: OptimizerState,
  { network, parts }: { readonly network: GlipConfig; readonly parts: number },
  options: SessionOptions,
): Promise<StepSessions> {
  const session = await Session.open(step, options)
  const metrics = session.outputs
    .filter(({ name }) => name.startsWith('metric.'))
    .map(({ name, shape }) => [name, zeros(shape)] as const)
  const into = { ...Object.fromEntries(metrics), ...stateViews(state).into }
  const predictor = predict && (await Session.open(predict, options))
  const weights = await openStepWeights(state, options.device ?? 'cpu', predictor ? 2 * parts : parts)
  let runs = 0
  return {
    async run(part) {
      const feeds = await weights.feeds(runs++ % parts === 0)
      // The predictions that are matched drop the same things as the step: the part feeds the noise to both.
      const matched = predictor && (await matchTargets(predictor, part, feeds, network, layers))
      await session.run({ ...part, ...matched, ...feeds }, into)
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

/** The sessions of a step whose input has one of several sizes. */
export interface SizedSessions {
  /** Those of a side of the input, which are good until others are asked for. */
  of(side: number): Promise<StepSessions>
  close(): Promise<void>
}

/**
 * Opens sessions as their size is asked for, one after another.
 *
 * @param limit sizes that stay open at most: the one that was not used longest is closed for another
 */
export function openSizedSessions(
  open: (side: number) => Promise<StepSessions>,
  limit: number,
): SizedSessions {
  // The last of the map was used last.
  const opened = new Map<number, StepSessions>()
  return {
    async of(side) {
      let sessions = opened.get(side)
      opened.delete(side)
      for (const [other, { close }] of [...opened].slice(0, Math.max(0, opened.size - limit + 1))) {
        opened.delete(other)
        await close()
      }
      sessions ??= await open(side)
      opened.set(side, sessions)
      return sessions
    },
    async close() {
      for (const { close } of opened.values()) await close()
      opened.clear()
    },
  }
}

/** Which query answers for which box, by what the network says of a batch before it is trained on it. */
async function matchTargets(
  predictor: Session,
  part: Readonly<Record<string, Value>>,
  weights: Readonly<Record<string, Value | HeldValue>>,
  network: GlipConfig,
  layers: number,
): Promise<{ readonly assigned: Value }> {
  const values = { ...part, ...weights }
  const fed = Object.fromEntries(predictor.inputs.map(({ name }) => [name, valueNamed(values, name)]))
  const predictions = await predictor.run(fed)
  const predicted = { logits: valueNamed(predictions, 'logits'), boxes: valueNamed(predictions, 'boxes') }
  const targets = { box: valueNamed(part, 'box'), phrase: valueNamed(part, 'phrase') }
  return { assigned: matchQueries(predicted, targets, squareSize(network), layers) }
}
