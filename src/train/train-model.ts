import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveDevice } from '../graph/device.js'
import { floats, Session, type Value } from '../graph/session.js'
import { anchorsOf } from '../model/anchors.js'
import type { GlipConfig } from '../model/config.js'
import { promptParameter } from '../model/glip.js'
import { writeModelFolder } from '../model/model-folder.js'
import { glipConfig } from '../model/presets.js'
import { openStartWeights, startTokenizer } from '../model/start-weights.js'
import { buildVocabulary, createTokenizer, readTokenizer, type Tokenizer } from '../model/word-piece.js'
import { type Random, random } from '../random.js'
import { hashJson } from '../shards/hash.js'
import { UserError } from '../user-error.js'
import { writeFileAtomic } from '../write-file-atomic.js'
import type { TrainConfig } from './config.js'
import { learningRate } from './learning-rate.js'
import { makeBatch } from './make-batch.js'
import { makeExample } from './make-example.js'
import {
  emptyState,
  frozenValues,
  initialState,
  type OptimizerState,
  parametersOfState,
  readCheckpoint,
  writeCheckpoint,
} from './optimizer-state.js'
import { createPictureCache, type PictureCache } from './picture-cache.js'
import { plotLosses, type StepMetrics } from './plot-losses.js'
import { type GroundedCaption, openSamples, type SampleSource, type SampleStream } from './read-samples.js'
import { trainCard } from './train-card.js'
import { trainGraph } from './train-graph.js'

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
  const config = { ...task.config, steps: stepsOf(task.config, streams) }
  const tokenizer = await openTokenizer(task, streams)
  const plain = glipConfig(config.preset, tokenizer.vocabulary.size, config)
  const network =
    config.tune === 'prompt' ? { ...plain, prompt: promptNames(task, streams, tokenizer, plain) } : plain
  const graph = trainGraph(network, {
    batch: config.batch,
    max_boxes: config.max_boxes,
    temperature: config.temperature,
    weights: config.loss,
    optimizer: { ...config, weight_decay: config.weight_decay },
    ...(config.tune === 'prompt' && { trains: isPrompt }),
  })
  const hash = hashJson([config, network, streams.map(({ name, size }) => [name, size])])
  await mkdir(folder, { recursive: true })
  const resumed = await readCheckpoint(join(folder, checkpointFile), hash)
  const given = task.init ? await openStartWeights(task.init, graph.parameters, isPrompt) : undefined
  const begun = given && { taken: [...given.taken.keys()], fresh: given.fresh, folder: task.init as string }
  if (begun) task.onStart?.(begun)
  let state =
    resumed?.state ?? (await initialState(graph.groups, graph.parameters, config.seed, given?.taken))
  const frozen = graph.frozen && (await frozenValues(graph.frozen, given?.taken ?? new Map()))
  await given?.close()
  let spare = emptyState(graph.groups)
  const positions: Record<string, number> = { ...resumed?.checkpoint.positions }
  let step = resumed?.checkpoint.step ?? 0
  const metrics = await keepMetrics(join(folder, metricsFile), step)

  const pictures = createPictureCache(Math.ceil(network.image_size * 1.5))
  const device = await resolveDevice(config.device)
  if (config.device === 'auto') task.onNotice?.(`device: ${device}`)
  const session = await Session.open(graph.step, { threads: config.threads, device })
  try {
    const batchOf = (at: number) => nextBatch(at, streams, positions, tokenizer, network, config, pictures)
    let upcoming = step < config.steps ? batchOf(step + 1) : undefined
    while (upcoming) {
      const batch = await upcoming
      step++
      // The next batch is decoded on other threads while this one is trained on.
      const before = { ...positions }
      upcoming = step < config.steps ? batchOf(step + 1) : undefined
      upcoming?.catch(() => {})
      const line = await runStep(session, { ...batch, ...frozen }, state, spare, step, config)
      ;[state, spare] = [spare, state]
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
  }

  const last = metrics[metrics.length - 1]
  const seconds = (performance.now() - start) / 1000
  await writeFileAtomic(join(folder, 'loss.svg'), plotLosses(metrics, task.name))
  await writeModelFolder(folder, {
    config: network,
    vocabulary: tokenizer.vocabulary,
    parameters: [
      ...parametersOfState(graph.groups, state),
      ...(graph.frozen && frozen ? parametersOfState([graph.frozen], frozen, 'value') : []),
    ],
    card: trainCard(task, streams, network, last, begun),
  })
  await rm(join(folder, checkpointFile), { force: true })
  return { ...(begun && { start: begun }), steps: step, seconds, last }
}

/** Throws a UserError where the configuration speaks of a source that there is not. */
function checkSources({ config, sources }: TrainTask): void {
  const names = sources.map(({ name }) => name)
  for (const key of ['mix', 'box_loss'] as const) {
    const unknown = Object.keys(config[key]).find((name) => !names.includes(name))
    if (unknown !== undefined)
      throw new UserError(
        `${key}: "${unknown}" is not a source of this training; it has: ${names.join(', ')}.`,
      )
  }
}

const isPrompt = (name: string) => name === promptParameter

/** Steps of the configuration, or those of its epochs. */
function stepsOf({ steps, epochs, batch }: TrainConfig, streams: readonly SampleStream[]): number {
  if (epochs === undefined) return steps
  return Math.max(1, Math.ceil((epochs * streams.reduce((sum, { size }) => sum + size, 0)) / batch))
}

/**
 * The category names that a network is prompt-tuned for, in the order in which they are evaluated.
 *
 * @throws UserError where there is no model to tune, no name, or no room for all of them
 */
function promptNames(
  { init }: TrainTask,
  streams: readonly SampleStream[],
  tokenizer: Tokenizer,
  { text: { max_tokens } }: GlipConfig,
): string[] {
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
  const lines = text.split('\n').slice(0, step)
  await writeFileAtomic(path, lines.map((line) => `${line}\n`).join(''))
  return lines.map((line) => JSON.parse(line) as StepMetrics)
}

async function nextBatch(
  step: number,
  streams: readonly SampleStream[],
  positions: Record<string, number>,
  tokenizer: Tokenizer,
  network: GlipConfig,
  config: TrainConfig,
  pictures: PictureCache,
): Promise<Record<string, Value>> {
  const draw = random(config.seed, 'batch', step)
  const chosen = Array.from({ length: config.batch }, () => pickStream(streams, config.mix, draw.next()))
  const examples = await Promise.all(
    chosen.map(async (stream, index) => {
      const position = positions[stream.name] ?? 0
      positions[stream.name] = position + 1
      const sample = await stream.at(position)
      const own = random(config.seed, 'example', step, index)
      const picture = await pictures(`${stream.name}/${sample.key}`, sample.bytes)
      const caption = pickCaption(sample.captions, config.augment.categories, own)
      const example = makeExample(picture, caption, stream, tokenizer, network, config, own)
      return { ...example, regress: config.box_loss[stream.name] !== false }
    }),
  )
  return makeBatch(examples, anchorsOf(network), network, config.max_boxes)
}

/** A prompt of category names with the given probability, else one of the written captions. */
function pickCaption(
  captions: readonly GroundedCaption[],
  categories: number,
  draw: Random,
): GroundedCaption {
  const named = captions.filter(({ kind }) => kind === 'categories')
  const written = captions.filter(({ kind }) => kind !== 'categories')
  if (named.length === 0) return draw.pick(written)
  return written.length === 0 || draw.next() < categories ? draw.pick(named) : draw.pick(written)
}

function pickStream(streams: readonly SampleStream[], mix: TrainConfig['mix'], at: number): SampleStream {
  const weights = streams.map(({ name }) => mix[name] ?? 1)
  let left = at * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [index, stream] of streams.entries()) {
    left -= weights[index]
    if (left < 0) return stream
  }
  return streams[streams.length - 1]
}

async function runStep(
  session: Session,
  batch: Readonly<Record<string, Value>>,
  state: OptimizerState,
  into: OptimizerState,
  step: number,
  config: TrainConfig,
): Promise<StepMetrics> {
  const start = performance.now()
  const rate = learningRate(step, config)
  const rates = floats([rate, 1 - config.beta1 ** step, 1 - config.beta2 ** step], [3])
  const next = Object.fromEntries(Object.entries(into).map(([name, value]) => [`next.${name}`, value]))
  const results = await session.run({ ...batch, ...state, rates }, next)
  const line: Record<string, number> = { step, learning_rate: rate }
  for (const [name, { data }] of Object.entries(results)) {
    if (name.startsWith('metric.')) line[name.slice('metric.'.length)] = Number(data[0])
  }
  if (!Number.isFinite(line.loss)) {
    throw new Error(`the loss became ${line.loss} at step ${step}: try a lower learning_rate`)
  }
  return { ...line, step, seconds: (performance.now() - start) / 1000 }
}
