import { join } from 'node:path'
import { makeFolder } from '../base/files/make-folder.js'
import { sweepFolder } from '../base/files/write-file-atomic.js'
import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { resolveDevice } from '../graph/device.js'
import type { Value } from '../graph/session.js'
import { hashStart } from '../model/model-folder.js'
import type { GlipConfig } from '../model/network/config.js'
import { openStartWeights, startTokenizer } from '../model/start-weights.js'
import { vocabularyBuilder } from '../model/vocabulary-builder.js'
import { createTokenizer, readTokenizer, type Tokenizer } from '../model/word-piece.js'
import { partsOf, stepsOf, type TrainRun } from './config.js'
import { makePart } from './examples/make-part.js'
import { createPictureCache } from './examples/picture-cache.js'
import { readAhead } from './examples/read-ahead.js'
import type { TrainGraph } from './loss/train-graph.js'
import type { MetricsLog } from './metrics-log.js'
import { readCheckpoint, writeCheckpoint } from './optimizer/checkpoint.js'
import { emptyState, fillState, type OptimizerState } from './optimizer/optimizer-state.js'
import { groupParameters } from './optimizer/parameter-groups.js'
import { openSamples } from './samples/read-samples.js'
import type { SampleStream } from './samples/sample.js'
import { sampleOrder } from './samples/sample-order.js'
import { openStepSessions } from './step-sessions.js'
import { isPrompt, trainNetwork } from './train-network.js'
import type { TrainStart, TrainTask } from './train-task.js'
import { openTrainingLog } from './training-log.js'

/** A training that is set up: all that its steps need. */
export interface Training {
  readonly config: TrainRun
  /** Into how many parts a batch is cut. */
  readonly parts: number
  readonly network: GlipConfig
  readonly tokenizer: Tokenizer
  readonly streams: readonly SampleStream[]
  readonly start: TrainStart | undefined
  readonly state: OptimizerState
  /** Steps that an earlier run has done and this one goes on from. */
  readonly done: number
  readonly metrics: MetricsLog
  /**
   * What part `part` (from 0) of the batch of a step (from 1) feeds: the same however the run came to that
   * step.
   */
  batch(step: number, part: number): Promise<Readonly<Record<string, Value>>>
  /** The losses of a part of a batch, by name; its gradients are written into the state. */
  run(part: Readonly<Record<string, Value>>): Promise<Record<string, number>>
  /** Writes what a run needs to go on after this step. */
  save(step: number): Promise<void>
  close(): Promise<void>
}

/** Where a training keeps its checkpoint in its folder. */
export const checkpointFile = 'checkpoint.safetensors'

/**
 * Sets a training up, from its checkpoint where there is one of the same run in its folder.
 *
 * @throws UserError where the configuration asks for what the sources or the network have not
 */
export async function openTraining(task: TrainTask): Promise<Training> {
  const { folder } = task
  checkSources(task)
  const { seed } = task.config
  const choice = { ...task.config, untargeted: task.config.augment.absent > 0 }
  const streams = await Promise.all(task.sources.map((source) => openSamples(source, seed, choice)))
  const pictures = streams.reduce((sum, { size }) => sum + size, 0)
  const config = { ...task.config, steps: stepsOf(task.config, pictures) }
  const parts = partsOf(config)
  const tokenizer = await openTokenizer(task, streams)
  const device = await resolveDevice(config.device)
  if (config.device === 'auto') task.onNotice?.(`device: ${device}`)
  const { network, graph } = trainNetwork(task, config, streams, tokenizer, device)

  const startHash = task.init ? await hashStart(task.init) : null
  // A checkpoint with another hash is of another run.
  const hash = hashJson([config, network, streams.map((stream) => [stream.name, stream.hash]), startHash])
  await makeFolder(folder)
  // Checkpoints that a killed training had half written are as large as the model.
  await sweepFolder(folder)
  const checkpoint = join(folder, checkpointFile)
  const { state, start, done } = await openState(task, config, graph, { path: checkpoint, hash })
  const metrics = await openTrainingLog(folder, done, config)

  const options = { threads: config.threads, device, ownGraph: true }
  const sessions = await openStepSessions(graph, state, { network, parts }, options)
  const order = sampleOrder(streams, config)
  const cache = createPictureCache(Math.ceil(network.image_size * 1.5))
  const partOptions = { parts, order, tokenizer, network, config, pictures: cache, inputs: sessions.inputs }
  // The next part is decoded on other threads while one is trained on.
  const partAt = readAhead((index) => makePart(index, partOptions), config.steps * parts)
  return {
    config,
    parts,
    network,
    tokenizer,
    streams,
    start,
    state,
    done,
    metrics,
    batch: (step, part) => partAt((step - 1) * parts + part),
    run: sessions.run,
    save: (step) => writeCheckpoint(checkpoint, { step, hash }, state),
    async close() {
      for (const stream of streams) stream.close()
      await sessions.close()
    },
  }
}

/**
 * The parameters and moments to go on from: of the checkpoint, else of the folder to start from, else of the
 * seed.
 */
async function openState(
  task: TrainTask,
  config: TrainRun,
  { parameters }: TrainGraph,
  checkpoint: { readonly path: string; readonly hash: string },
): Promise<{ state: OptimizerState; start: TrainStart | undefined; done: number }> {
  const { init } = task
  const weights = init ? await openStartWeights(init, parameters, isPrompt) : undefined
  const start =
    init && weights ? { taken: [...weights.taken.keys()], fresh: weights.fresh, folder: init } : undefined
  if (start) task.onStart?.(start)
  const state = emptyState(groupParameters(parameters, config), parameters, partsOf(config) > 1)
  const resumed = await readCheckpoint(checkpoint.path, checkpoint.hash, state)
  // A checkpoint has the parameters that are trained alone.
  const missing = resumed ? parameters.filter(({ frozen }) => frozen) : parameters
  await fillState(state, missing, config.seed, weights?.taken)
  await weights?.close()
  return { state, start, done: resumed?.step ?? 0 }
}

/** Throws a UserError where the configuration names a source that the training has not. */
function checkSources({ config, sources }: TrainTask): void {
  const names = sources.map(({ name }) => name)
  for (const key of ['mix', 'box_loss'] as const) {
    const bySource = config[key]
    const unknown =
      typeof bySource === 'object' && Object.keys(bySource).find((name) => !names.includes(name))
    if (unknown)
      throw new UserError(
        `${key}: "${unknown}" is not a source of this training; it has: ${names.join(', ')}.`,
      )
  }
}

/**
 * The tokenizer of the folder to start from, else one whose vocabulary is made of the texts of all sources.
 */
async function openTokenizer(
  { init, config, texts }: TrainTask,
  streams: readonly SampleStream[],
): Promise<Tokenizer> {
  const path = init && (await startTokenizer(init))
  if (path) return readTokenizer(path)
  const vocabulary = vocabularyBuilder()
  for (const { captions, categories } of streams) {
    for (const text of captions) vocabulary.add(text)
    for (const name of categories) vocabulary.add(name, 2)
  }
  for await (const text of texts) vocabulary.add(text)
  return createTokenizer(vocabulary.build(config.vocabulary_size))
}
