import { UserError } from '../base/user-error.js'
import { type Device, needsPortable } from '../graph/device.js'
import { type GlipConfig, queriesOf } from '../model/network/config.js'
import { promptParameter } from '../model/network/glip.js'
import type { Parameter } from '../model/network/parameters.js'
import { glipConfig } from '../model/network/presets.js'
import type { Tokenizer } from '../model/word-piece.js'
import { joinNames } from '../words/name-prompt.js'
import { partsOf, type TrainRun } from './config.js'
import { isHalved } from './half-sessions.js'
import { type TrainGraph, trainGraph } from './loss/train-graph.js'
import type { SampleStream } from './samples/sample.js'
import { checkScales, sideAt } from './step-sizes.js'
import type { TrainTask } from './train-task.js'
import { withDrop } from './with-drop.js'

/** The network that a configuration asks for, and the graphs of its step on a device. */
export function trainNetwork(
  { init }: Pick<TrainTask, 'init'>,
  config: TrainRun,
  streams: readonly Pick<SampleStream, 'categories'>[],
  tokenizer: Tokenizer,
  device: Device,
): {
  readonly network: GlipConfig
  readonly graph: TrainGraph
  /** The graphs for another side of the input, over the same parameters. */
  readonly graphOf: (side: number) => TrainGraph
} {
  const plain = glipConfig(config.preset, tokenizer.vocabulary.size, config)
  checkAuxiliary(plain, config)
  const network =
    config.tune === 'prompt' ? { ...plain, prompt: promptNames(init, streams, tokenizer, plain) } : plain
  checkScales(network, config)
  const made = new Map<number, TrainGraph>()
  const graphOf = (side: number) => {
    const known = made.get(side)
    if (known) return known
    const graph = trainGraph(withDrop({ ...network, image_size: side }, config.drop), {
      batch: config.batch / partsOf(config),
      max_boxes: config.max_boxes,
      temperature: config.temperature,
      weights: config.loss,
      weighs: config.weigh_by !== undefined,
      portable: needsPortable(device),
      halved: isHalved(network, config, device),
      trains: config.tune === 'prompt' ? isPrompt : (name) => !isFrozen(name, config.freeze),
    })
    made.set(side, graph)
    return graph
  }
  const graph = graphOf(sideAt(1, network, config))
  checkFrozen(graph.parameters, config.freeze)
  return { network, graph, graphOf }
}

/** Throws a UserError where losses of layers are asked for that the network has not. */
export function checkAuxiliary({ preset, tower }: GlipConfig, { loss }: Pick<TrainRun, 'loss'>): void {
  if (loss.auxiliary && tower.kind !== 'decoder')
    throw new UserError(
      `loss: auxiliary is ${loss.auxiliary}, and preset ${preset} has no decoder whose layers could have losses: take glip-r50 or toy-r50.`,
    )
}

/** Whether a parameter is the offset that prompt tuning learns. */
export const isPrompt = (name: string): boolean => name === promptParameter

export const isFrozen = (name: string, freeze: readonly string[]) =>
  freeze.some((prefix) => name.startsWith(prefix))

/** Throws a UserError where a beginning is that of no parameter, or where nothing is left to train. */
export function checkFrozen(
  parameters: readonly Pick<Parameter, 'name' | 'frozen'>[],
  freeze: readonly string[],
): void {
  for (const prefix of freeze) {
    if (parameters.some(({ name }) => name.startsWith(prefix))) continue
    const known = [...new Set(parameters.map(({ name }) => name.split('.').slice(0, 2).join('.')))]
    throw new UserError(`freeze: no parameter begins with "${prefix}"; they begin with: ${known.join(', ')}.`)
  }
  if (parameters.every(({ frozen }) => frozen)) throw new UserError('freeze: nothing is left to train.')
}

/**
 * The category names that a network is prompt-tuned for, in the order in which they are evaluated.
 *
 * @throws UserError where there is no model to tune, no name, or no room for all of them
 */
function promptNames(
  init: string | undefined,
  streams: readonly Pick<SampleStream, 'categories'>[],
  tokenizer: Tokenizer,
  network: GlipConfig,
): string[] {
  const { max_tokens } = network.text
  requireTunable(network, init)
  const names = [...new Set(streams.flatMap(({ categories }) => categories))].sort()
  const tokens = tokenizer.encode(joinNames(names).text).length
  if (names.length === 0) throw new UserError('tune: prompt: the sources name no categories.')
  if (tokens > max_tokens) {
    throw new UserError(
      `tune: prompt: the ${names.length} category names take ${tokens} tokens, and a prompt has ${max_tokens}: tune the whole network, or raise max_tokens where the model has the positions.`,
    )
  }
  return names
}

/** Throws a UserError where a network has no prompt to tune, or none is given to start from. */
export function requireTunable(network: GlipConfig, init: string | undefined): void {
  if (queriesOf(network) !== undefined)
    throw new UserError(
      `tune: prompt: a network of preset ${network.preset} has no offset to tune: use tune: full.`,
    )
  if (!init) throw new UserError('tune: prompt: name the model to tune with `init`.')
}
