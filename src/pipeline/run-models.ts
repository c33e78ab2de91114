/** The stages that train a model and score one. */

import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { categoriesOf, type Evaluation, evaluateModel } from '../evaluate/evaluate-model.js'
import { hashModel, hashStart } from '../model/model-folder.js'
import { readCommit } from '../shards/commit.js'
import { readShard } from '../shards/read-shard.js'
import { openTeacher } from '../teacher/open-teacher.js'
import { speedNote } from '../train/metrics-log.js'
import type { SampleSource } from '../train/samples/sample.js'
import { trainModel } from '../train/train-model.js'
import type { TrainResult } from '../train/train-task.js'
import type { StageOf } from './config.js'
import { hashSource } from './hash-inputs.js'
import { modelStore } from './model-store.js'
import { runOnce } from './run-record.js'
import {
  type Dataset,
  type Model,
  modelOf,
  needed,
  outputOf,
  type StageContext,
  type StageOutput,
} from './stage-context.js'

export async function runTrain(
  stage: StageOf<'train'>,
  configHash: string,
  context: StageContext,
): Promise<StageOutput> {
  const sources = stage.needs.flatMap((name): SampleSource[] => {
    const { dataset, phrases, grounding, missing } = outputOf(context, name)
    if (!dataset) return []
    if (!grounding) {
      // Captions for the vocabulary may come from anywhere; what is to be trained on must have boxes.
      if (stage.with.vocabulary.includes(name)) return []
      throw new UserError(
        `Stage "${stage.name}" cannot train on "${name}": it has no boxes. Name its filter stage.`,
      )
    }
    if (missing.length > 0) {
      throw new Error(
        `Stage "${stage.name}" would train without ${missing.length} shard(s) of "${name}" that failed: ${missing.join(', ')}. Run again to retry them.`,
      )
    }
    const { storage, shards } = dataset
    return [{ name, storage, shards, grounding, phrases: phrases as string }]
  })
  if (sources.length === 0)
    throw new UserError(`Stage "${stage.name}" needs an ingest stage with boxes or a filter stage.`)
  const inputs: Record<string, string> = {}
  for (const source of sources) inputs[source.name] = await hashSource(source)
  // A filter stage may keep its boxes out of regression; what the train stage itself says of a source comes first.
  const wordsOnly = sources.filter(({ name }) => outputOf(context, name).boxLoss === false)
  const boxLoss = {
    ...Object.fromEntries(wordsOnly.map(({ name }) => [name, false])),
    ...stage.with.box_loss,
  }
  for (const { name } of wordsOnly) inputs[`box_loss ${name}`] = String(boxLoss[name])
  const start = stage.with.init ? await startOf(stage.with.init, context) : undefined
  if (start) inputs.init = start.hash
  const texts: string[] = []
  for (const name of stage.with.vocabulary) {
    const { dataset } = outputOf(context, name)
    if (!dataset) throw new UserError(`Stage "${stage.name}": vocabulary: "${name}" is not an ingest stage.`)
    texts.push(...(await captionsOf(dataset)))
    inputs[`vocabulary ${name}`] = hashJson(texts)
  }
  const store = modelStore(context.run, stage.name)
  const { folder } = store
  await store.pull()
  const { batch } = stage.with
  const made = { stage: stage.name, configHash, inputs }
  const record = `models/${stage.name}/record.json`
  const before = await hashModel(folder).catch(() => undefined)
  // A folder that has lost a file is no model, whatever its record says.
  if (before === undefined) await context.run.remove(record)
  const { skipped } = await runOnce<TrainResult>(context.run, record, made, async () => {
    const trained = await trainModel({
      name: stage.name,
      folder,
      config: { ...stage.with, box_loss: boxLoss },
      sources,
      texts,
      init: start?.folder,
      signal: context.signal,
      onNotice: context.notice,
      onProgress: (line, steps) =>
        context.progress(line.step, steps, `loss ${line.loss.toFixed(3)}, ${speedNote(line, batch)}`),
    })
    await store.push()
    return trained
  })
  if (!skipped) await store.settle()
  context.count(skipped)
  const hash = skipped && before !== undefined ? before : await hashModel(folder)
  return { stage, model: { folder, name: stage.name, hash }, missing: [] }
}

/** What training starts from: a model of this run, or a folder of a model or of imported weights. */
async function startOf(name: string, { outputs }: StageContext): Promise<Pick<Model, 'folder' | 'hash'>> {
  return outputs.get(name)?.model ?? { folder: name, hash: await hashStart(name) }
}

export async function runEvaluate(
  stage: StageOf<'evaluate'>,
  configHash: string,
  context: StageContext,
): Promise<StageOutput> {
  const source = needed(stage, context, 'a held-out dataset', (output) => output.stage.uses === 'ingest')
  const set = { ...(source.dataset as Dataset), stage: source.stage.name }
  const model = await modelOf(stage, context)
  const unseen = stage.with.unseen_in ? outputOf(context, stage.with.unseen_in) : undefined
  const inputs: Record<string, string> = {
    model: model.hash,
    set: await hashSource({ ...set, name: set.name, grounding: set.stage, phrases: set.stage }),
  }
  if (unseen?.dataset) {
    const { name } = unseen.dataset
    inputs.unseen_in = await hashSource({ ...unseen.dataset, name, grounding: name, phrases: name })
  }
  const made = { stage: stage.name, configHash, inputs }
  const { skipped } = await runOnce<Evaluation>(
    context.run,
    `evaluations/${stage.name}.json`,
    made,
    async () => {
      const seen = unseen?.dataset
        ? await categoriesOf({ ...unseen.dataset, stage: unseen.dataset.name })
        : []
      const categories = (await categoriesOf(set)).filter((name) => !seen.includes(name))
      const teacher = await openTeacher(model.folder, { ...stage.with, notice: context.notice })
      try {
        return await evaluateModel(teacher, set, stage.with, categories, context.progress, context.signal)
      } finally {
        await teacher.close()
      }
    },
  )
  context.count(skipped)
  return { stage, missing: [] }
}

async function captionsOf({ storage, shards }: Dataset): Promise<string[]> {
  const texts: string[] = []
  for (const shard of shards) {
    if (!(await readCommit(storage, 'images', null, shard))) continue
    for await (const { captions } of readShard(storage, 'images', null, shard, { columns: ['captions'] })) {
      for (const { text } of captions) texts.push(text)
    }
  }
  return texts
}
