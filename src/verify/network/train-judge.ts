import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { counted } from '../../base/counted.js'
import { makeFolder } from '../../base/files/make-folder.js'
import { sweepFolder, writeFileAtomic } from '../../base/files/write-file-atomic.js'
import { hashJson } from '../../base/hash.js'
import { type Random, random } from '../../base/random.js'
import { UserError } from '../../base/user-error.js'
import { grad } from '../../graph/grad.js'
import { input, type Tensor } from '../../graph/ops/tensor.js'
import { floats, Session, type Value } from '../../graph/session.js'
import { toOnnx } from '../../graph/to-onnx.js'
import { parametersOf } from '../../model/network/parameters.js'
import { ShardRows } from '../../shards/shard-rows.js'
import { createPictureCache } from '../../train/examples/picture-cache.js'
import { readAhead } from '../../train/examples/read-ahead.js'
import { readCheckpoint, writeCheckpoint } from '../../train/optimizer/checkpoint.js'
import { learningRate } from '../../train/optimizer/learning-rate.js'
import {
  emptyState,
  fillState,
  gradientName,
  parametersOfState,
  stateViews,
  valueName,
} from '../../train/optimizer/optimizer-state.js'
import { groupParameters } from '../../train/optimizer/parameter-groups.js'
import { saveCheckpoints } from '../../train/optimizer/save-checkpoints.js'
import { plotLosses } from '../../train/plot-losses.js'
import { takeStep } from '../../train/take-step.js'
import { openTrainingLog } from '../../train/training-log.js'
import { boxBatch, type FedBox } from './box-batch.js'
import type { JudgeConfig } from './config.js'
import { type BoxSample, drawBoxes } from './draw-boxes.js'
import { judgeCard } from './judge-card.js'
import { writeJudgeFolder } from './judge-folder.js'
import {
  asVector,
  type JudgeNetwork,
  judgeInputs,
  judgeLoss,
  judgeNetwork,
  judgeTarget,
} from './judge-network.js'
import { type JudgedGold, type JudgeSource, readJudgedGold } from './judge-pictures.js'
import { judgeSide } from './judge-side.js'
import type { JudgeResult, JudgeTask } from './judge-task.js'
import { countJudgeWords, type JudgeWords } from './judge-words.js'
import { type JudgeMeasured, measureJudge } from './measure-judge.js'

/** Boxes that are drawn of a picture at a time. */
const boxesAPicture = 12
const sizes: Omit<JudgeNetwork, 'vocabulary_size'> = {
  ...{ crop: 32, widths: [20, 40, 80], word_width: 48, width: 128, max_words: 12 },
}
const checkpointFile = 'checkpoint.safetensors'
/** GLIP's choices are of no weight here: AdamW as PyTorch has it. */
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, clip_norm: 1, ema: 0.99 } as const

/**
 * Trains a network to tell right boxes from wrong ones on gold, and writes its folder. What is drawn comes from the
 * seed; a run that was stopped goes on from its last checkpoint with the losses it would have had. Of the pictures
 * that are kept back come the calibration of its probabilities, what tells that all is found, and its measures.
 *
 * @throws UserError where no picture has a box
 */
export async function trainJudge(task: JudgeTask): Promise<JudgeResult> {
  const { folder, config, sources, signal } = task
  const begun = performance.now()
  const gold = await Promise.all(sources.map((source) => readJudgedGold(source, config, signal)))
  const pictures = gold.flatMap((own, at) =>
    own.map((picture): SourcedPicture => ({ ...picture, source: sources[at]! })),
  )
  const shown = pictures.filter(({ isHeldOut }) => !isHeldOut)
  const heldOut = pictures.filter(({ isHeldOut }) => isHeldOut)
  if (shown.length === 0 || heldOut.length === 0)
    throw new UserError(
      `${sources.map(({ name }) => name).join(', ')}: ${pictures.length} pictures with boxes are too few to train a judge: some are kept back to measure on (hold_out).`,
    )
  const words = vocabularyOf(shown, config.vocabulary_size)
  const network = { ...sizes, vocabulary_size: words.size + 1 }
  const hash = hashJson([config, network, sources.map(({ name }) => name), pictures.map(({ key }) => key)])
  await makeFolder(folder)
  await sweepFolder(folder)

  const { graph, parameters } = stepGraph(network, config.batch)
  const groups = groupParameters(parameters, { language_rate: 1, bias_rate: 1 })
  const state = emptyState(groups, parameters)
  const checkpoint = join(folder, checkpointFile)
  const resumed = await readCheckpoint(checkpoint, hash, state)
  if (!resumed) await fillState(state, parameters, config.seed)
  const done = resumed?.step ?? 0
  const metrics = await openTrainingLog(folder, done, config)
  const session = await Session.open(graph, { threads: config.threads, ownGraph: true })
  const reader = openPictures(pictures)
  try {
    const { feeds, into } = stateViews(state)
    const batchAt = readAhead(
      (index) => trainingBatch(index, shown, { network, words, config, reader }),
      config.steps,
    )
    const keep = saveCheckpoints(config.checkpoint_every, (step) =>
      writeCheckpoint(checkpoint, { step, hash }, state),
    )
    const rates = { ...config, schedule: 'cosine' as const }
    for (let step = done + 1; step <= config.steps; step++) {
      const start = performance.now()
      const batch = await batchAt(step - 1)
      const waited = secondsSince(start)
      const results = await session.run({ ...batch, ...feeds }, into)
      const loss = Number(results['metric.loss']!.data[0])
      const taken = takeStep(state, [{ loss }], step, learningRate(step, rates), { ...optimizer, ...config })
      const line = { ...taken, seconds: secondsSince(start), data_seconds: waited }
      await metrics.add(line)
      task.onProgress?.(line, config.steps)
      await keep(step, signal?.aborted === true)
      signal?.throwIfAborted()
    }
    const trained = { network, words, parameters: parametersOfState(state) }
    const { right, complete, measured } = await measureJudge(trained, heldOut, reader.picture, config.threads)
    const result = { steps: config.steps, pictures: pictures.length, measured, seconds: secondsSince(begun) }
    await writeFileAtomic(join(folder, 'loss.svg'), plotLosses(metrics.lines, task.name))
    const card = judgeCard({ ...task, result })
    await writeJudgeFolder(folder, { ...trained, right, complete, card })
    await rm(checkpoint, { force: true })
    const weak = weaknessOf(task.name, measured)
    if (weak !== undefined) task.onWarning?.(weak)
    return result
  } finally {
    await session.close()
    await reader.close()
  }
}

/** What is said of a judge that tells right boxes from wrong ones no better than the teacher's own score. */
export function weaknessOf(
  name: string,
  { pictures, auc, score_auc: score }: JudgeMeasured,
): string | undefined {
  if (auc === null || score === null || auc > score) return undefined
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`
  return `On the ${counted(pictures, 'picture')} that were kept back ${name} tells right boxes from wrong ones no better than the teacher's score does (area under the ROC curve ${percent(auc)}, the score ${percent(score)}): give it more gold, or ask another judge.`
}

/** A picture of gold, and where it lies. */
export type SourcedPicture = JudgedGold & { readonly source: JudgeSource }

function vocabularyOf(pictures: readonly JudgedGold[], size: number): JudgeWords {
  const counter = countJudgeWords()
  for (const { phrases, absent } of pictures) {
    for (const { words } of phrases) counter.add(words.text)
    for (const text of absent) counter.add(text)
  }
  return counter.words(size)
}

/** The graph of a step: the loss, and the gradient of each parameter. */
export function stepGraph(network: JudgeNetwork, batch: number) {
  const loss = judgeLoss(judgeNetwork(network, judgeInputs(network, batch)), judgeTarget(batch))
  const parameters = parametersOf([loss])
  const gradients = grad(
    loss,
    parameters.map(({ tensor }) => tensor),
  )
  const named = Object.fromEntries(parameters.map(({ name }, at) => [gradientName(name), gradients[at]!]))
  const bind = new Map(
    parameters.map(({ name, shape, tensor }): [Tensor, Tensor] => [tensor, input(valueName(name), shape)]),
  )
  return { graph: toOnnx({ outputs: { 'metric.loss': asVector(loss), ...named }, bind }), parameters }
}

/** Decoded pictures by their places, a small set of them decoded once. */
function openPictures(pictures: readonly SourcedPicture[]) {
  const cache = createPictureCache(judgeSide)
  const readers = new Map(pictures.map(({ source }) => [source.storage, new ShardRows(source.storage)]))
  return {
    async picture({ source, shard, row, key }: SourcedPicture) {
      const name = `${source.name}/${key}`
      const read = async () => {
        const range = { start: row, end: row + 1, columns: ['image'] as const }
        const [found] = await readers.get(source.storage)!.read('images', null, shard, range)
        return found!.image.bytes
      }
      return cache(name, read)
    },
    async close() {
      for (const reader of readers.values()) await reader.close()
    },
  }
}

interface BatchOptions {
  readonly network: JudgeNetwork
  readonly words: JudgeWords
  readonly config: JudgeConfig
  readonly reader: Pick<ReturnType<typeof openPictures>, 'picture'>
}

/** What step `index` (from 0) feeds: some boxes of each of some pictures, in an order that the seed gives. */
async function trainingBatch(
  index: number,
  pictures: readonly SourcedPicture[],
  { network, words, config, reader }: BatchOptions,
): Promise<Record<string, Value>> {
  const { batch, seed } = config
  const each = Math.ceil(batch / boxesAPicture)
  const fed: FedBox[] = []
  const target = new Float32Array(batch)
  for (let at = 0; at < each; at++) {
    const place = index * each + at
    const picture = orderOf(pictures, seed, Math.floor(place / pictures.length))[place % pictures.length]!
    const draw = random(seed, 'boxes', index, at)
    const count = Math.min(boxesAPicture, batch - fed.length)
    const decoded = await reader.picture(picture)
    for (const sample of drawBoxes(picture, draw, count)) {
      target[fed.length] = sample.right ? 1 : 0
      fed.push({ picture: decoded, size: picture, ...changed(sample, draw, config) })
    }
  }
  return { ...boxBatch(fed, network, words, batch), target: floats(target, [batch]) }
}

/** A sample as it is shown: perhaps mirrored, perhaps without its noun. */
function changed({ right: _, words, ...sample }: BoxSample, draw: Random, { unknown }: JudgeConfig) {
  const isMirrored = draw.next() < 0.5 && !/\b(left|right)\b/i.test(sample.text)
  return { ...sample, words, isMirrored, ...(draw.next() < unknown && { hidden: words.head }) }
}

/** The pictures in the order of an epoch, which is made once. */
function orderOf(
  pictures: readonly SourcedPicture[],
  seed: number,
  epoch: number,
): readonly SourcedPicture[] {
  const orders = known.get(pictures) ?? new Map<number, readonly SourcedPicture[]>()
  known.set(pictures, orders)
  const order = orders.get(epoch) ?? random(seed, 'order', epoch).shuffle(pictures)
  orders.set(epoch, order)
  orders.delete(epoch - 2)
  return order
}

const known = new WeakMap<readonly SourcedPicture[], Map<number, readonly SourcedPicture[]>>()

const secondsSince = (time: number) => (performance.now() - time) / 1000
