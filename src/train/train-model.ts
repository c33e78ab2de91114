import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { writeFileAtomic } from '../base/write-file-atomic.js'
import { resolveDevice } from '../graph/device.js'
import { Session, type Value } from '../graph/session.js'
import { hashStart, writeModelFolder } from '../model/model-folder.js'
import { type GlipConfig, queriesOf, squareSize } from '../model/network/config.js'
import { promptParameter } from '../model/network/glip.js'
import type { Parameter } from '../model/network/parameters.js'
import { glipConfig } from '../model/network/presets.js'
import { openStartWeights, startTokenizer } from '../model/start-weights.js'
import { buildVocabulary, createTokenizer, readTokenizer, type Tokenizer } from '../model/word-piece.js'
import { partsOf, stepsOf, type TrainConfig } from './config.js'
import { makeNoise } from './examples/make-noise.js'
import { nextPart } from './examples/make-part.js'
import { createPictureCache } from './examples/picture-cache.js'
import { matchQueries } from './loss/match-queries.js'
import { trainGraph } from './loss/train-graph.js'
import { learningRate } from './optimizer/learning-rate.js'
import {
  emptyState,
  fillState,
  parametersOfState,
  readCheckpoint,
  stateViews,
  writeCheckpoint,
} from './optimizer/optimizer-state.js'
import { groupParameters } from './optimizer/parameter-groups.js'
import { plotLosses, type StepMetrics } from './plot-losses.js'
import { openSamples, type SampleSource, type SampleStream } from './samples/read-samples.js'
import { runPart, takeStep } from './take-step.js'
import { trainCard } from './train-card.js'
import { withDrop } from './with-drop.js'

export interface TrainTask {
  readonly name: string
  readonly folder: string
  readonly config: TrainConfig
  readonly sources: readonly SampleSource[]
  /** Further captions for the vocabulary. */
  readonly texts: readonly string[]
  /** A folder to start from, of a model or of imported weights: its weights and, where it has one, its vocabulary. */
  readonly init?: string
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
  readonly steps: number
  readonly seconds: number
  readonly last: StepMetrics
}

const metricsFile = 'metrics.jsonl'
const checkpointFile = 'checkpoint.safetensors'

/**
 * Trains a model and writes its folder. Batches, augmentation and first weights come from the seed, so a run gives
 * the same losses again; a run that was stopped goes on from its last checkpoint with the losses it would have had.
 */
export async function trainModel(task: TrainTask): Promise<TrainResult> {
  const { folder, signal } = task
  const start = performance.now()
  checkSources(task)
  const streams = await Promise.all(
    task.sources.map((source) => openSamples(source, task.config.seed, task.config)),
  )
  const pictures = streams.reduce((sum, { size }) => sum + size, 0)
  const config = { ...task.config, steps: stepsOf(task.config, pictures) }
  const parts = partsOf(config)
  const tokenizer = await openTokenizer(task, streams)
  const plain = glipConfig(config.preset, tokenizer.vocabulary.size, config)
  const network =
    config.tune === 'prompt' ? { ...plain, prompt: promptNames(task, streams, tokenizer, plain) } : plain
  const graph = trainGraph(withDrop(network, config.drop), {
    batch: config.batch / parts,
    max_boxes: config.max_boxes,
    temperature: config.temperature,
    weights: config.loss,
    trains: config.tune === 'prompt' ? isPrompt : (name) => !isFrozen(name, config.freeze),
  })
  checkFrozen(graph.parameters, config)
  const begin = task.init ? await hashStart(task.init) : null
  const hash = hashJson([config, network, streams.map((stream) => [stream.name, stream.hash]), begin])
  await mkdir(folder, { recursive: true })
  const given = task.init ? await openStartWeights(task.init, graph.parameters, isPrompt) : undefined
  const begun = given && { taken: [...given.taken.keys()], fresh: given.fresh, folder: task.init as string }
  if (begun) task.onStart?.(begun)
  const groups = groupParameters(graph.parameters, config)
  const state = emptyState(groups, graph.parameters, parts > 1)
  const resumed = await readCheckpoint(join(folder, checkpointFile), hash, state)
  // A checkpoint has all but what is not trained.
  const missing = resumed ? graph.parameters.filter(({ frozen }) => frozen) : graph.parameters
  await fillState(state, missing, config.seed, given?.taken)
  await given?.close()
  const views = stateViews(state)
  const positions: Record<string, number> = { ...resumed?.positions }
  let step = resumed?.step ?? 0
  const metrics = await keepMetrics(join(folder, metricsFile), step)

  const cache = createPictureCache(Math.ceil(network.image_size * 1.5))
  const device = await resolveDevice(config.device)
  if (config.device === 'auto') task.onNotice?.(`device: ${device}`)
  const options = { threads: config.threads, device, own: true }
  const session = await Session.open(graph.step, options)
  const predict = graph.predict && (await Session.open(graph.predict, options))
  try {
    const maker = { parts, streams, positions, tokenizer, network, config, pictures: cache }
    let done = step * parts
    const more = () => (done < config.steps * parts ? nextPart(done, maker) : undefined)
    let upcoming = more()
    while (upcoming) {
      const start = performance.now()
      const lines: Record<string, number>[] = []
      let before = positions
      for (let part = 0; part < parts; part++) {
        const batch = (await upcoming) as Readonly<Record<string, Value>>
        done++
        // The next part is decoded on other threads while this one is trained on.
        before = { ...positions }
        upcoming = more()
        upcoming?.catch(() => {})
        const fed = { ...batch, ...makeNoise(session.inputs, config.seed, done) }
        // Queries are matched by what they say with the same things dropped.
        const targets = predict ? await matchTargets(predict, { ...fed, ...views.feeds }, network) : {}
        lines.push(await runPart(session, { ...fed, ...targets }, views))
        for (const { vectors } of state.groups) if (part < parts - 1) vectors.keepGradient()
      }
      step++
      const taken = takeStep(state, lines, step, learningRate(step, config), config)
      const line: StepMetrics = { ...taken, seconds: (performance.now() - start) / 1000 }
      metrics.push(line)
      await appendFile(join(folder, metricsFile), `${JSON.stringify(line)}\n`)
      task.onProgress?.(line, config.steps)
      if (signal?.aborted || step % config.checkpoint_every === 0) {
        await writeCheckpoint(join(folder, checkpointFile), { step, positions: before, hash }, state)
      }
      signal?.throwIfAborted()
    }
  } finally {
    await session.close()
    await predict?.close()
  }

  const last = metrics[metrics.length - 1]
  const seconds = (performance.now() - start) / 1000
  await writeFileAtomic(join(folder, 'loss.svg'), plotLosses(metrics, task.name))
  await writeModelFolder(folder, {
    config: network,
    vocabulary: tokenizer.vocabulary,
    parameters: parametersOfState(state),
    card: trainCard(task, config, streams, network, last, begun),
  })
  await rm(join(folder, checkpointFile), { force: true })
  return { ...(begun && { start: begun }), steps: step, seconds, last }
}

/** Throws a UserError where the configuration speaks of a source that there is not. */
function checkSources({ config, sources }: TrainTask): void {
  const names = sources.map(({ name }) => name)
  for (const key of ['mix', 'box_loss'] as const) {
    const given = config[key]
    const unknown = typeof given === 'object' && Object.keys(given).find((name) => !names.includes(name))
    if (unknown)
      throw new UserError(
        `${key}: "${unknown}" is not a source of this training; it has: ${names.join(', ')}.`,
      )
  }
}

const isFrozen = (name: string, freeze: readonly string[]) => freeze.some((prefix) => name.startsWith(prefix))

/** Throws a UserError where a beginning is that of no parameter, or where nothing is left to train. */
function checkFrozen(parameters: readonly Parameter[], { freeze }: TrainConfig): void {
  for (const prefix of freeze) {
    if (parameters.some(({ name }) => name.startsWith(prefix))) continue
    const known = [...new Set(parameters.map(({ name }) => name.split('.').slice(0, 2).join('.')))]
    throw new UserError(`freeze: no parameter begins with "${prefix}"; they begin with: ${known.join(', ')}.`)
  }
  if (parameters.every(({ frozen }) => frozen)) throw new UserError('freeze: nothing is left to train.')
}

const isPrompt = (name: string) => name === promptParameter

/**
 * The category names that a network is prompt-tuned for, in the order in which they are evaluated.
 *
 * @throws UserError where there is no model to tune, no name, or no room for all of them
 */
function promptNames(
  { init }: TrainTask,
  streams: readonly SampleStream[],
  tokenizer: Tokenizer,
  network: GlipConfig,
): string[] {
  const { max_tokens } = network.text
  if (queriesOf(network) !== undefined)
    throw new UserError(
      `tune: prompt: a network of preset ${network.preset} has no offset to tune: use tune: full.`,
    )
  if (!init) throw new UserError('tune: prompt: name the model to tune with `init`.')
  const names = [...new Set(streams.flatMap(({ categories }) => categories))].sort()
  const tokens = tokenizer.encode(names.join('. ')).length
  if (names.length === 0) throw new UserError('tune: prompt: the sources name no categories.')
  if (tokens > max_tokens) {
    throw new UserError(
      `tune: prompt: the ${names.length} category names take ${tokens} tokens, and a prompt has ${max_tokens}: tune the whole network, or raise max_tokens where the model has the positions.`,
    )
  }
  return names
}

async function openTokenizer(
  { init, config, texts }: TrainTask,
  streams: readonly SampleStream[],
): Promise<Tokenizer> {
  const given = init && (await startTokenizer(init))
  if (given) return readTokenizer(given)
  const all = [
    ...streams.flatMap(({ captions, categories }) => [...captions, ...categories, ...categories]),
    ...texts,
  ]
  return createTokenizer(buildVocabulary(all, config.vocabulary_size))
}

/** Lines of an earlier run up to its checkpoint; later ones will be made again. */
async function keepMetrics(path: string, step: number): Promise<StepMetrics[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  // The last line may have been cut short; one that is missing leaves a gap in the plot, no more.
  const lines = text.split('\n').slice(0, -1).slice(0, step)
  await writeFileAtomic(path, lines.map((line) => `${line}\n`).join(''))
  return lines.map((line) => JSON.parse(line) as StepMetrics)
}

/** Which query answers for which box, by what the network says of a batch before it is trained on it. */
async function matchTargets(
  predict: Session,
  values: Readonly<Record<string, Value>>,
  network: GlipConfig,
): Promise<{ readonly assigned: Value }> {
  const fed = Object.fromEntries(predict.inputs.map(({ name }) => [name, values[name]]))
  const { logits, boxes } = await predict.run(fed)
  const { box, phrase } = values
  return { assigned: matchQueries({ logits, boxes }, { box, phrase }, squareSize(network)) }
}
