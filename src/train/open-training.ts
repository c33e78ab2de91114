import { join } from 'node:path'
import { makeFolder } from '../base/files/make-folder.js'
import { sweepFolder } from '../base/files/write-file-atomic.js'
import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { resolveDevice } from '../graph/device.js'
import { type Value, valueNamed } from '../graph/session.js'
import { hashStart } from '../model/model-folder.js'
import type { GlipConfig } from '../model/network/config.js'
import { openStartWeights, startTokenizer } from '../model/start-weights.js'
import { vocabularyBuilder } from '../model/vocabulary-builder.js'
import { createTokenizer, readTokenizer, type Tokenizer } from '../model/word-piece.js'
import { checkValidated, partsOf, stepsOf, type TrainRun } from './config.js'
import { makePart } from './examples/make-part.js'
import { cachedBytes, createPictureCache, type PictureCache } from './examples/picture-cache.js'
import { readAhead } from './examples/read-ahead.js'
import { openHalfSessions } from './half-sessions.js'
import type { TrainGraph } from './loss/train-graph.js'
import type { MetricsLog } from './metrics-log.js'
import { readCheckpoint, writeCheckpoint } from './optimizer/checkpoint.js'
import { emptyState, fillState, type OptimizerState, parametersOfState } from './optimizer/optimizer-state.js'
import { groupParameters } from './optimizer/parameter-groups.js'
import { openSamples } from './samples/read-samples.js'
import type { SampleStream } from './samples/sample.js'
import { sampleOrder } from './samples/sample-order.js'
import { openSizedSessions, openStepSessions } from './step-sessions.js'
import { sideAt } from './step-sizes.js'
import { isPrompt, trainNetwork } from './train-network.js'
import type { TrainStart, TrainTask } from './train-task.js'
import { openTrainingLog } from './training-log.js'
import {
  firstValidation,
  openValidator,
  type ValidationState,
  type Validator,
  validationState,
} from './validation.js'

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
  /** Where the training is validated. */
  readonly validator?: Validator
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
/** Sizes whose sessions stay open where nothing else is said. */
const openSizes = 2

/**
 * Sets a training up, from its checkpoint where there is one of the same run in its folder.
 *
 * @throws UserError where the configuration asks for what the sources or the network have not
 */
export async function openTraining(task: TrainTask): Promise<Training> {
  const { folder } = task
  checkSources(task)
  checkValidated(task.config)
  const { seed } = task.config
  const choice = { ...task.config, untargeted: task.config.augment.absent > 0 }
  const streams = await Promise.all(task.sources.map((source) => openSamples(source, seed, choice)))
  const pictures = streams.reduce((sum, { size }) => sum + size, 0)
  const config = { ...task.config, steps: stepsOf(task.config, pictures) }
  const parts = partsOf(config)
  const tokenizer = await openTokenizer(task, streams)
  const device = await resolveDevice(config.device)
  if (config.device === 'auto') task.onNotice?.(`device: ${device}`)
  const { network, graph, graphOf } = trainNetwork(task, config, streams, tokenizer, device)

  const startHash = task.init ? await hashStart(task.init) : null
  // A checkpoint with another hash is of another run.
  const made = [config, network, streams.map((stream) => [stream.name, stream.hash]), startHash]
  const hash = hashJson(task.validation ? [...made, task.validation.hash] : made)
  await makeFolder(folder)
  // Checkpoints that a killed training had half written are as large as the model.
  await sweepFolder(folder)
  const checkpoint = join(folder, checkpointFile)
  const { state, start, done, validated } = await openState(task, config, graph, { path: checkpoint, hash })
  const metrics = await openTrainingLog(folder, done, config)

  const validator = validatorOf(task, { config, network, tokenizer, state, pictures }, validated)

  const options = { threads: config.threads, device, ownGraph: true }
  const open = (side: number) => {
    const { totals, ...whole } = graphOf(side)
    return totals
      ? openHalfSessions({ ...whole, totals }, state, options)
      : openStepSessions(whole, state, { network: { ...network, image_size: side }, parts }, options)
  }
  const sessions = openSizedSessions(open, config.multi_scale ? (config.open_sizes ?? openSizes) : 1)
  // What cannot be opened is told of before the first step.
  await sessions.of(sideAt(done + 1, network, config))
  const order = sampleOrder(streams, config)
  const picturesAt = picturesOf(config.multi_scale?.sizes ?? [network.image_size])
  const partOptions = { parts, order, tokenizer, config, memory: memoryByTurns() }
  const makePartAt = (index: number) => {
    const side = sideAt(Math.floor(index / parts) + 1, network, config)
    const sized = {
      network: { ...network, image_size: side },
      pictures: picturesAt(side),
      inputs: graphOf(side).noise,
    }
    return makePart(index, { ...partOptions, ...sized })
  }
  // The next part is decoded on other threads while one is trained on.
  const partAt = readAhead(makePartAt, config.steps * parts)
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
    ...(validator && { validator }),
    batch: (step, part) => partAt((step - 1) * parts + part),
    run: async (part) => (await sessions.of(sideOf(part))).run(part),
    save: (step) => writeCheckpoint(checkpoint, { step, hash, validation: validator?.state }, state),
    async close() {
      for (const stream of streams) stream.close()
      await sessions.close()
    },
  }
}

/**
 * Memory for the pictures of parts, of which one is trained on while the next is made: two arrays, by turns. New ones for each
 * would be collected every few steps, by a garbage collector that goes through all that is kept.
 */
function memoryByTurns(): (index: number, length: number) => Float32Array {
  const kept: Float32Array[] = []
  return (index, length) => {
    const known = kept[index % 2]
    const memory = known?.length === length ? known : new Float32Array(length)
    kept[index % 2] = memory
    return memory
  }
}

/** Decoded pictures for inputs of some sides, which share the room of one. */
function picturesOf(sides: readonly number[]): (side: number) => PictureCache {
  const different = [...new Set(sides)]
  const caches = different.map((side): [number, PictureCache] => [
    side,
    createPictureCache(Math.ceil(side * 1.5), cachedBytes / different.length),
  ])
  const bySide = new Map(caches)
  return (side) => bySide.get(side)!
}

/** The side of the input that a part of a batch feeds. */
function sideOf(part: Readonly<Record<string, Value>>): number {
  const [, side = 0] = valueNamed(part, 'image').shape
  return side
}

/**
 * The parameters and moments to go on from: of the checkpoint, else of the folder to start from, else of the
 * seed.
 */
async function openState(
  task: TrainTask,
  config: TrainRun,
  { parameters, totals }: TrainGraph,
  checkpoint: { readonly path: string; readonly hash: string },
): Promise<{
  state: OptimizerState
  start: TrainStart | undefined
  done: number
  validated: ValidationState | undefined
}> {
  const { init } = task
  const weights = init ? await openStartWeights(init, parameters, isPrompt) : undefined
  const start =
    init && weights ? { taken: [...weights.taken.keys()], fresh: weights.fresh, folder: init } : undefined
  if (start) task.onStart?.(start)
  const shared = totals !== undefined
  const options = { sums: shared || partsOf(config) > 1, shared }
  const state = emptyState(groupParameters(parameters, config), parameters, options)
  const resumed = await readCheckpoint(checkpoint.path, checkpoint.hash, state)
  // A checkpoint has the parameters that are trained alone.
  const missing = resumed ? parameters.filter(({ frozen }) => frozen) : parameters
  await fillState(state, missing, config.seed, weights?.taken)
  await weights?.close()
  const validated = validationState.safeParse(resumed?.validation).data
  return { state, start, done: resumed?.step ?? 0, validated }
}

/** What validates a training; undefined where nothing does. */
function validatorOf(
  { validation, folder }: TrainTask,
  {
    config,
    state,
    pictures,
    ...made
  }: Pick<Training, 'config' | 'network' | 'tokenizer' | 'state'> & { readonly pictures: number },
  validated: ValidationState = firstValidation(config),
): Validator | undefined {
  const { validate } = config
  if (!validate) return undefined
  if (!validation) throw new UserError('validate: the training was given nothing to validate with.')
  return openValidator(
    validation,
    {
      ...made,
      ...{ folder, config: { ...config, validate }, parameters: parametersOfState(state) },
      epoch: Math.ceil(pictures / config.batch),
    },
    validated,
  )
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
