import { counted } from '../../base/counted.js'
import { findFirst } from '../../base/find-first.js'
import { listHash } from '../../base/hash.js'
import { shownValue } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import type { EvaluationSet } from '../../evaluate/gold-images.js'
import { readCommit } from '../../shards/commit.js'
import { readShard } from '../../shards/read-shard.js'
import { type TrainConfig, trainConfig, trainNotHashed } from '../../train/config.js'
import { type StepMetrics, speedNote } from '../../train/metrics-log.js'
import type { SampleSource } from '../../train/samples/sample.js'
import type { TrainResult, Validation } from '../../train/train-task.js'
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
    validatedOn(stage, context)
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
  // Beside the model there are its checkpoint, with two moments of each weight, and one that is being written; of a
  // validated one the best weights, and those that are validated.
  async estimate({ with: config }) {
    const { weightBytes } = await import('../../train/check-training.js')
    return { bytes: (config.validate ? 9 : 7) * weightBytes(config), from: 'typical' }
  },
  async find(stage, configHash, context) {
    const { inputs } = await openInputs(stage, context)
    return findModel(stage, { configHash, inputs }, context)
  },
  async run(stage, configHash, context) {
    const { sources, boxLoss, start, texts, validated, inputs } = await openInputs(stage, context)
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
        ...(validated && { validation: validationOn(validated, stage.with) }),
        signal,
        onStart: context.trainStart,
        onNotice: context.notice,
        onProgress: (line, steps) =>
          context.progress(
            line.step,
            steps,
            `loss ${line.loss.toFixed(3)}, ${speedNote(line, batch)}${validatedNote(line, stage.with)}`,
          ),
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
  const set = validatedOn(stage, context)
  const validated = set && {
    ...set,
    hash: await hashSource({ ...set, grounding: set.stage, phrases: set.stage }),
  }
  if (validated) inputs[`validate ${validated.name}`] = validated.hash
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
  return { sources, boxLoss, start, texts, validated, inputs }
}

/**
 * A needed stage as a source of samples; none where it gives a model, or captions for the vocabulary alone.
 */
function sourceOf(stage: StageOf<TrainConfig>, name: string, context: StageContext): SampleSource[] {
  const { dataset, phrases, grounding, negatives, missing } = outputOf(context, name)
  // What weighs the boxes of others brings none of its own, and what is validated on is not trained on.
  if (!dataset || name === stage.with.weigh_by || name === stage.with.validate?.set) return []
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

/**
 * The dataset that a training is validated on; undefined where it is on none.
 *
 * @throws UserError where that is no dataset with boxes which the stage needs
 */
function validatedOn(
  stage: StageOf<TrainConfig>,
  context: StageContext,
): (EvaluationSet & { readonly name: string }) | undefined {
  const { validate } = stage.with
  if (!validate) return undefined
  const { set: name } = validate
  const output = stage.needs.includes(name) ? outputOf(context, name) : undefined
  if (!output?.dataset || output.images === undefined || output.grounding === undefined)
    throw new UserError(
      `Stage "${stage.name}": validate: ${shownValue(name)} is not a dataset with boxes that it needs: name its ingest stage in \`needs\` too.`,
    )
  requireWhole(stage, name, output.missing)
  return { ...output.dataset, stage: output.images, name }
}

/** What scores the models of a training on a dataset. */
function validationOn(
  { hash, ...set }: EvaluationSet & { readonly name: string; readonly hash: string },
  { validate, device, threads }: TrainConfig,
): Validation {
  return {
    hash,
    async score(folder, signal) {
      const [{ openTeacher }, { categoriesOf, evaluateModel }, { evaluateConfig }] = await Promise.all([
        import('../../teacher/open-teacher.js'),
        import('../../evaluate/evaluate-model.js'),
        import('../../evaluate/config.js'),
      ])
      const { names_a_prompt } = validate ?? {}
      const config = evaluateConfig.parse({ device, threads, ...(names_a_prompt && { names_a_prompt }) })
      const teacher = await openTeacher(folder, { ...config, sizes: 'auto' })
      try {
        const options = signal ? { signal } : {}
        const scores = await evaluateModel(teacher, set, config, await categoriesOf(set), options)
        const told = ['ap', 'ap50', 'ap75', 'ar100', 'recall1', 'recall5', 'recall10'] as const
        // What there is nothing of in the set scores -1.
        return Object.fromEntries(told.flatMap((name) => (scores[name] >= 0 ? [[name, scores[name]]] : [])))
      } finally {
        await teacher.close()
      }
    },
  }
}

/** The metric of a validation, where a step had one, behind its progress. */
function validatedNote(line: StepMetrics, { validate }: TrainConfig): string {
  const { metric = 'ap' } = validate ?? {}
  const value = line[`eval_${metric}`]
  return value === undefined ? '' : `, ${metric} ${value.toFixed(3)}`
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
