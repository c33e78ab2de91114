import { counted } from '../../base/counted.js'
import { findFirst } from '../../base/find-first.js'
import { listHash } from '../../base/hash.js'
import { UserError } from '../../base/user-error.js'
import { readCommit } from '../../shards/commit.js'
import { readShard } from '../../shards/read-shard.js'
import { type TrainConfig, trainConfig, trainNotHashed } from '../../train/config.js'
import { speedNote } from '../../train/metrics-log.js'
import type { SampleSource } from '../../train/samples/sample.js'
import type { TrainResult } from '../../train/train-task.js'
import { hashSource } from './hash-inputs.js'
import { findModel, lookAtModelPlace, makeModel, modelRecord } from './make-model.js'
import {
  type Dataset,
  type Model,
  outputOf,
  type StageContext,
  type StageOf,
  type StageOutput,
} from './stage-context.js'
import { oneKind } from './stage-kind.js'

/** Trains a model on the groundings of the stages that it needs. */
export const train = oneKind({
  name: 'train',
  schema: trainConfig,
  optional: true,
  makes: 'one',
  record: ({ name }) => modelRecord(name),
  resource: 'gpu',
  notHashed: trainNotHashed,
  modelKeys: ['init'],
  offersModel: 'model',
  looks(stage, context) {
    const { needs, with: config } = stage
    const sources = needs.flatMap((name) => sourceOf(stage, name, context))
    if (sources.length === 0)
      throw new UserError(`Stage "${stage.name}" needs an ingest stage with boxes or a filter stage.`)
    requireWeighed(stage, sources)
    for (const name of config.vocabulary)
      if (!outputOf(context, name).dataset)
        throw new UserError(`Stage "${stage.name}": vocabulary: "${name}" is not an ingest stage.`)
    const { init } = config
    const folder = init !== undefined && !context.outputs.get(init)?.model ? init : undefined
    return [
      {
        key: folder === undefined ? 'preset' : 'init',
        atWork: true,
        look: async () => {
          const { localStart } = await import('../../model/start-weights.js')
          const start = folder === undefined ? undefined : await localStart(folder)
          return (await import('../../train/check-training.js')).checkTraining(config, start)
        },
      },
      {
        key: 'device',
        atWork: true,
        look: async () => (await import('../../teacher/open-teacher.js')).requireDevices(config),
      },
      ...lookAtModelPlace(stage, context),
    ]
  },
  // Beside the model there are its checkpoint, with two moments of each weight, and one that is being written.
  async estimate({ with: config }) {
    const { weightBytes } = await import('../../train/check-training.js')
    return { bytes: 7 * weightBytes(config), from: 'typical' }
  },
  async find(stage, configHash, context) {
    const { inputs } = await openInputs(stage, context)
    return findModel(stage, { configHash, inputs }, context)
  },
  async run(stage, configHash, context) {
    const { sources, boxLoss, start, texts, inputs } = await openInputs(stage, context)
    const { batch } = stage.with
    const inputsNow = async () => (await openInputs(stage, context)).inputs
    const task = { configHash, inputs, inputsNow }
    return makeModel<TrainResult>(stage, task, context, async (folder, signal) => {
      const { trainModel } = await import('../../train/train-model.js')
      return trainModel({
        name: stage.name,
        folder,
        config: { ...stage.with, box_loss: boxLoss },
        sources,
        texts,
        init: start?.folder,
        signal,
        onStart: context.trainStart,
        onNotice: context.notice,
        onProgress: (line, steps) =>
          context.progress(line.step, steps, `loss ${line.loss.toFixed(3)}, ${speedNote(line, batch)}`),
      })
    })
  },
})

/** What a model is trained on, and the hashes of all of it. */
async function openInputs(stage: StageOf<TrainConfig>, context: StageContext) {
  const sources = stage.needs.flatMap((name) => sourceOf(stage, name, context))
  if (sources.length === 0)
    throw new UserError(`Stage "${stage.name}" needs an ingest stage with boxes or a filter stage.`)
  requireWeighed(stage, sources)
  await requireSamePhrases(stage, sources)
  const inputs: Record<string, string> = {}
  for (const source of sources) inputs[source.name] = await hashSource(source)
  // A filter stage may keep its boxes out of regression; what the train stage itself says of a source comes
  // first.
  const wordsOnly = sources.filter(({ name }) => outputOf(context, name).boxLoss === false)
  const boxLoss: Record<string, boolean> = {
    ...Object.fromEntries(wordsOnly.map(({ name }) => [name, false])),
    ...stage.with.box_loss,
  }
  for (const { name } of wordsOnly) inputs[`box_loss ${name}`] = String(boxLoss[name])
  const start = stage.with.init ? await startOf(stage.with.init, context) : undefined
  if (start) inputs.init = start.hash
  const datasets: Dataset[] = []
  const captions = listHash()
  for (const name of stage.with.vocabulary) {
    const { dataset } = outputOf(context, name)
    if (!dataset) throw new UserError(`Stage "${stage.name}": vocabulary: "${name}" is not an ingest stage.`)
    datasets.push(dataset)
    for await (const text of captionsOf([dataset])) captions.add(text)
    inputs[`vocabulary ${name}`] = captions.digest()
  }
  // Read again where a vocabulary is made: the captions of a large dataset are not held.
  const texts = { [Symbol.asyncIterator]: () => captionsOf(datasets) }
  return { sources, boxLoss, start, texts, inputs }
}

/**
 * A needed stage as a source of samples; none where it gives a model, or captions for the vocabulary alone.
 */
function sourceOf(stage: StageOf<TrainConfig>, name: string, context: StageContext): SampleSource[] {
  const { dataset, phrases, grounding, negatives, missing } = outputOf(context, name)
  // What weighs the boxes of others brings none of its own.
  if (!dataset || name === stage.with.weigh_by) return []
  if (grounding === undefined || phrases === undefined) {
    // Captions for the vocabulary may come from anywhere, and negatives belong to the boxes of another stage;
    // what is to be trained on must have boxes.
    if (stage.with.vocabulary.includes(name) || negatives !== undefined) return []
    throw new UserError(
      `Stage "${stage.name}" cannot train on "${name}": it has no boxes. Name its filter stage.`,
    )
  }
  requireWhole(stage, name, missing)
  const { storage, shards } = dataset
  const source = { name, storage, shards, grounding, phrases, negatives: minedOf(stage, dataset, context) }
  const verdicts = verdictsOf(stage, dataset, context)
  return [{ ...source, verdicts, mends: verdicts !== undefined && stage.with.mend }]
}

/** The stage whose verdicts weigh the boxes of a source: those of the same pictures. */
function verdictsOf(
  stage: StageOf<TrainConfig>,
  { storage }: Dataset,
  context: StageContext,
): string | undefined {
  const { weigh_by: name } = stage.with
  const { dataset, verdicts, missing } = weighing(stage, context) ?? {}
  if (name === undefined || dataset?.storage.url !== storage.url) return undefined
  requireWhole(stage, name, missing ?? [])
  return verdicts
}

/**
 * What weighs boxes; undefined where nothing does.
 *
 * @throws UserError where that is no stage of verdicts which the stage needs, or where nothing is named to mend by
 */
function weighing(stage: StageOf<TrainConfig>, context: StageContext): StageOutput | undefined {
  const { weigh_by: name, mend } = stage.with
  if (name === undefined && mend)
    throw new UserError(
      `Stage "${stage.name}": mend: no verdicts say what is to be mended: name their stage by weigh_by.`,
    )
  if (name === undefined) return undefined
  const output = stage.needs.includes(name) ? outputOf(context, name) : undefined
  if (output?.verdicts === undefined)
    throw new UserError(
      `Stage "${stage.name}": weigh_by: "${name}" is not a stage of verdicts (doubt, verify) that it needs: name it in \`needs\` too.`,
    )
  return output
}

/** Throws a UserError where verdicts are to weigh boxes, and are of other boxes than those of all sources. */
function requireWeighed(stage: StageOf<TrainConfig>, sources: readonly SampleSource[]): void {
  const { weigh_by: name } = stage.with
  if (name === undefined || sources.some(({ verdicts }) => verdicts !== undefined)) return
  throw new UserError(
    `Stage "${stage.name}": weigh_by: the verdicts of "${name}" are of other pictures than those of ${sources.map((source) => source.name).join(', ')}.`,
  )
}

/** Throws a UserError where verdicts are of other phrases than those of their source, as their records say. */
async function requireSamePhrases(
  stage: StageOf<TrainConfig>,
  sources: readonly SampleSource[],
): Promise<void> {
  for (const { name, storage, shards, phrases, verdicts } of sources) {
    if (verdicts === undefined) continue
    const record = await findFirst(shards, (shard) => readCommit(storage, 'verdicts', verdicts, shard))
    const own = record?.config?.phrases
    if (own !== undefined && own !== phrases)
      throw new UserError(
        `Stage "${stage.name}": weigh_by: the verdicts of "${verdicts}" are of the phrases of "${own}", and the boxes of "${name}" of those of "${phrases}".`,
      )
  }
}

function requireWhole(stage: StageOf<TrainConfig>, name: string, missing: readonly string[]): void {
  if (missing.length === 0) return
  throw new Error(
    `Stage "${stage.name}" would train without ${counted(missing.length, 'shard')} of "${name}" that failed: ${missing.join(', ')}. Run again to retry them.`,
  )
}

/** The stage that mined negatives of a dataset, where one is needed too. */
function minedOf(
  stage: StageOf<TrainConfig>,
  { name: source, storage }: Dataset,
  context: StageContext,
): string | undefined {
  const mined = stage.needs.flatMap((name) => {
    const { dataset, negatives, missing } = outputOf(context, name)
    if (negatives === undefined || dataset?.storage.url !== storage.url) return []
    requireWhole(stage, name, missing)
    return [negatives]
  })
  if (mined.length > 1)
    throw new UserError(
      `Stage "${stage.name}" (train) takes negatives of "${source}" from one stage, and needs several that give them: ${mined.join(', ')}.`,
    )
  return mined[0]
}

/** What training starts from: a model of this run, or a folder of a model or of imported weights. */
async function startOf(name: string, { outputs }: StageContext): Promise<Pick<Model, 'folder' | 'hash'>> {
  const made = outputs.get(name)?.model
  if (made) return made
  const { hashStart } = await import('../../model/model-folder.js')
  const { localStart } = await import('../../model/start-weights.js')
  const folder = await localStart(name)
  return { folder, hash: await hashStart(folder) }
}

async function* captionsOf(datasets: readonly Dataset[]): AsyncGenerator<string> {
  for (const { storage, shards } of datasets)
    for (const shard of shards) {
      if (!(await readCommit(storage, 'images', null, shard))) continue
      for await (const { captions } of readShard(storage, 'images', null, shard, { columns: ['captions'] }))
        for (const { text } of captions) yield text
    }
}
