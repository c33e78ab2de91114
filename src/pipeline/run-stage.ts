/** How each use of a stage is run: what it takes from the stages it needs, its tasks, and what it offers. */
import { join } from 'node:path'
import { categoriesOf, type Evaluation, evaluateModel } from '../evaluate/evaluate-model.js'
import { filterShard } from '../filter/filter-shard.js'
import { ingestShard } from '../ingest/ingest-shard.js'
import { planIngest } from '../ingest/plan-ingest.js'
import { hashModel } from '../model/model-folder.js'
import { chunkShard } from '../nlp/chunk-shard.js'
import { readCommit } from '../shards/commit.js'
import { createDataset, isDataset, readDataset } from '../shards/dataset.js'
import { hashJson } from '../shards/hash.js'
import { readShard } from '../shards/read-shard.js'
import type { Family } from '../shards/rows.js'
import type { ShardTask } from '../shards/shard-task.js'
import { openStorage, type Storage } from '../shards/storage.js'
import { hashTeacher, type OpenOptions, openTeacher } from '../teacher/open-teacher.js'
import { teachShard } from '../teacher/teach-shard.js'
import type { SampleSource } from '../train/read-samples.js'
import { type TrainResult, trainModel } from '../train/train-model.js'
import { UserError } from '../user-error.js'
import type { Stage, StageOf } from './config.js'
import { decidePromotion, type Promotion } from './decide-promotion.js'
import { evaluationName } from './lay-out-rounds.js'
import type { StageContext, StageOutput } from './run-pipeline.js'
import { readRunRecord, runOnce } from './run-record.js'

type Dataset = NonNullable<StageOutput['dataset']>
type Model = NonNullable<StageOutput['model']>

export async function runIngest(
  stage: StageOf<'ingest'>,
  configHash: string,
  context: StageContext,
): Promise<StageOutput> {
  const plan = await planIngest(stage.with, context.signal)
  const storage = openStorage(context.run.path(stage.name))
  const shards = plan.shards.map(({ shard }) => shard)
  await declareDataset(storage, stage.name, plan.card, shards)
  const missing: string[] = []
  let before = 0
  for (const part of plan.shards) {
    const task: ShardTask = {
      storage,
      stage: stage.name,
      shard: part.shard,
      configHash,
      inputs: { source: plan.sourceHash, card: hashJson(plan.card), rows: String(part.rows) },
      signal: context.signal,
      onProgress: (rows) => context.progress(before + rows, plan.rows),
    }
    if (!(await context.attempt(part.shard, () => ingestShard(task, stage.with, part))))
      missing.push(part.shard)
    before += part.rows
    context.progress(before, plan.rows)
  }
  // A source with boxes has written phrases and grounding beside its images.
  const there = shards.find((shard) => !missing.includes(shard))
  const isGold =
    there !== undefined && (await readCommit(storage, 'grounding', stage.name, there)) !== undefined
  const gold = isGold ? { phrases: stage.name, grounding: stage.name } : {}
  return { stage, dataset: { name: stage.name, storage, shards }, ...gold, missing }
}

/** Writes dataset.json once; where the plan has changed, shards that are no longer in it go. */
async function declareDataset(
  storage: Storage,
  name: string,
  card: object | null,
  shards: readonly string[],
) {
  const info = { name, card: card as Record<string, unknown> | null, shards: [...shards] }
  if (await isDataset(storage)) {
    const { schemaVersion: _, ...known } = await readDataset(storage)
    if (hashJson(known) === hashJson(info)) return
    const kept = new Set(shards)
    for (const family of ['images', 'phrases', 'proposals', 'grounding', 'rejects'] as const) {
      for (const object of await storage.list(family)) {
        const shard = /([^/]+)\.(json|parquet)$/.exec(object)?.[1]
        if (shard && !kept.has(shard)) await storage.remove(object)
      }
    }
  }
  await createDataset(storage, info)
}

export async function runChunk(
  stage: StageOf<'chunk'>,
  configHash: string,
  context: StageContext,
): Promise<StageOutput> {
  const source = needed(stage, context, 'a dataset', ({ dataset }) => dataset !== undefined)
  const { dataset, missing } = await eachShard(
    stage,
    configHash,
    context,
    source,
    async (shard, storage) => ({
      inputs: { images: await hashOfFile(storage, 'images', null, shard) },
      work: (task) => chunkShard(task, stage.with),
    }),
  )
  return { stage, dataset, phrases: stage.name, missing }
}

export async function runTeach(
  stage: StageOf<'teach'>,
  configHash: string,
  context: StageContext,
): Promise<StageOutput> {
  const source = needed(stage, context, 'phrases', ({ phrases }) => phrases !== undefined)
  const phrases = source.phrases as string
  const model = await modelOf(stage, context)
  // The model is loaded when the first shard needs it: a run that finds all done never does.
  let opened: ReturnType<typeof openTeacher> | undefined
  const teacher = () =>
    (opened ??= openTeacher(model.folder, { ...stage.with, name: model.name, notice: context.notice }))
  try {
    const { dataset, missing } = await eachShard(
      stage,
      configHash,
      context,
      source,
      async (shard, storage) => ({
        inputs: {
          images: await hashOfFile(storage, 'images', null, shard),
          phrases: await hashOfFile(storage, 'phrases', phrases, shard),
          model: model.hash,
          teacher: model.name,
        },
        work: async (task) => teachShard(task, { ...stage.with, phrases }, teacher),
      }),
    )
    return { stage, dataset, phrases, missing }
  } finally {
    await (await opened)?.close()
  }
}

export async function runFilter(
  stage: StageOf<'filter'>,
  configHash: string,
  context: StageContext,
): Promise<StageOutput> {
  const source = needed(stage, context, 'proposals', (output) => output.stage.uses === 'teach')
  const phrases = source.phrases as string
  const proposals = source.stage.name
  const { dataset, missing } = await eachShard(
    stage,
    configHash,
    context,
    source,
    async (shard, storage) => ({
      inputs: {
        phrases: await hashOfFile(storage, 'phrases', phrases, shard),
        proposals: await hashOfFile(storage, 'proposals', proposals, shard),
      },
      work: (task) => filterShard(task, { ...stage.with, phrases, proposals }),
    }),
  )
  return { stage, dataset, phrases, grounding: stage.name, missing }
}

export async function runTrain(
  stage: StageOf<'train'>,
  configHash: string,
  context: StageContext,
): Promise<StageOutput> {
  const sources = stage.needs.flatMap((name): (SampleSource & { hashes: Promise<string> })[] => {
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
      throw new UserError(
        `Stage "${stage.name}" would train without ${missing.length} shard(s) of "${name}" that failed: ${missing.join(', ')}. Run again to retry them.`,
      )
    }
    const { storage, shards } = dataset
    const source = { name, storage, shards, grounding, phrases: phrases as string }
    return [{ ...source, hashes: hashSource(source) }]
  })
  if (sources.length === 0)
    throw new UserError(`Stage "${stage.name}" needs an ingest stage with boxes or a filter stage.`)
  const inputs: Record<string, string> = {}
  for (const source of sources) inputs[source.name] = await source.hashes
  const start = stage.with.init ? await namedModel(stage.with.init, context) : undefined
  if (start) inputs.init = start.hash
  const texts: string[] = []
  for (const name of stage.with.vocabulary) {
    const { dataset } = outputOf(context, name)
    if (!dataset) throw new UserError(`Stage "${stage.name}": vocabulary: "${name}" is not an ingest stage.`)
    texts.push(...(await captionsOf(dataset)))
    inputs[`vocabulary ${name}`] = hashJson(texts)
  }
  const folder = context.run.path(join('models', stage.name))
  const { steps, batch } = stage.with
  const made = { stage: stage.name, configHash, inputs }
  const { skipped } = await runOnce<TrainResult>(context.run, `models/${stage.name}/record.json`, made, () =>
    trainModel({
      name: stage.name,
      folder,
      config: stage.with,
      sources,
      texts,
      init: start?.folder,
      signal: context.signal,
      onNotice: context.notice,
      onProgress: ({ step, loss, seconds }) =>
        context.progress(step, steps, `loss ${loss.toFixed(3)}, ${(batch / seconds).toFixed(0)} images/s`),
    }),
  )
  context.count(skipped)
  return { stage, model: { folder, name: stage.name, hash: await hashModel(folder) }, missing: [] }
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
        const onProgress = (images: number) => context.progress(images, undefined)
        return await evaluateModel(teacher, set, stage.with, categories, onProgress, context.signal)
      } finally {
        await teacher.close()
      }
    },
  )
  context.count(skipped)
  return { stage, missing: [] }
}

export async function runPromote(
  stage: StageOf<'promote'>,
  configHash: string,
  context: StageContext,
): Promise<StageOutput> {
  const { student, sets, round } = stage.with
  if (!student)
    throw new UserError(`Stage "${stage.name}": promote is laid out by \`rounds\`, not written by hand.`)
  const teacher = needed(stage, context, 'a teacher', ({ model }) => model !== undefined).model as Model
  const pupil = outputOf(context, student).model as Model
  const made = { stage: stage.name, configHash, inputs: { teacher: teacher.hash, student: pupil.hash } }
  const name = `rounds/${round}.json`
  const scores: Record<string, { teacher: Evaluation; student: Evaluation }> = {}
  for (const set of sets) {
    scores[set] = {
      teacher: await scoresOf(context, teacher.name, set),
      student: await scoresOf(context, pupil.name, set),
    }
  }
  const { record, skipped } = await runOnce<Promotion>(context.run, name, made, async () => {
    const training = await readRunRecord<TrainResult>(context.run, `models/${student}/record.json`)
    const lineage = {
      inputs: training?.inputs ?? {},
      losses: training?.result.last ?? {},
      stages: Object.fromEntries(
        [`round-${round}-label`, `round-${round}-filter`, student].map((part) => [
          part,
          outputOf(context, part).stage.with,
        ]),
      ),
    }
    return decidePromotion(stage.with, teacher, pupil, scores, lineage)
  })
  context.count(skipped)
  const { result } = record
  const report = {
    round,
    ...Object.fromEntries(Object.entries(scores)),
    teacher: teacher.name,
    student,
    promoted: result.promoted,
  }
  await context.run.write('report.json', `${JSON.stringify(report, null, 1)}\n`)
  return { stage, model: result.promoted ? pupil : teacher, missing: [] }
}

async function scoresOf(context: StageContext, model: string, set: string): Promise<Evaluation> {
  const record = await readRunRecord<Evaluation>(
    context.run,
    `evaluations/${evaluationName(model, set)}.json`,
  )
  if (!record)
    throw new UserError(`There is no evaluation of ${model} on ${set}: run the pipeline's evaluate stages.`)
  return record.result
}

/** The one stage among those needed that offers something. */
function needed(
  stage: Stage,
  context: StageContext,
  what: string,
  has: (output: StageOutput) => boolean,
): StageOutput {
  const offers = stage.needs.map((name) => outputOf(context, name)).filter(has)
  if (offers.length === 0)
    throw new UserError(`Stage "${stage.name}" (${stage.uses}) needs a stage that gives ${what}.`)
  return offers[0]
}

function outputOf(context: StageContext, name: string): StageOutput {
  const output = context.outputs.get(name)
  if (!output) throw new UserError(`Stage "${name}" has not run: name it in \`needs\`.`)
  return output
}

/** The model that a stage's configuration names, or that a stage it needs has trained or promoted. */
async function modelOf(stage: StageOf<'teach'> | StageOf<'evaluate'>, context: StageContext): Promise<Model> {
  if (stage.with.model) return namedModel(stage.with.model, context, stage.with)
  return needed(stage, context, 'a model', ({ model }) => model !== undefined).model as Model
}

async function namedModel(name: string, { outputs }: StageContext, options?: OpenOptions): Promise<Model> {
  const trained = outputs.get(name)?.model
  return (
    trained ?? { folder: name, name: name.split('/').at(-1) ?? name, hash: await hashTeacher(name, options) }
  )
}

interface ShardWork {
  readonly inputs: Readonly<Record<string, string>>
  readonly work: (task: ShardTask) => Promise<{ readonly skipped: boolean }>
}

/** Runs a task for each shard of the source's dataset that is there. */
async function eachShard(
  stage: Stage,
  configHash: string,
  context: StageContext,
  source: StageOutput,
  prepare: (shard: string, storage: Storage) => Promise<ShardWork>,
): Promise<{ readonly dataset: Dataset; readonly missing: readonly string[] }> {
  const dataset = source.dataset as Dataset
  const { storage, shards } = dataset
  const missing = [...source.missing]
  const rows = await Promise.all(shards.map((shard) => rowsOf(storage, shard)))
  const total = rows.reduce((sum, count) => sum + count, 0)
  let before = 0
  for (const [index, shard] of shards.entries()) {
    if (source.missing.includes(shard)) continue
    const done = await context.attempt(shard, async () => {
      const { inputs, work } = await prepare(shard, storage)
      const start = before
      const onProgress = (count: number) => context.progress(start + count, total)
      return work({
        storage,
        stage: stage.name,
        shard,
        configHash,
        inputs,
        signal: context.signal,
        onProgress,
      })
    })
    if (!done) missing.push(shard)
    before += rows[index]
    context.progress(before, total)
  }
  return { dataset, missing }
}

async function rowsOf(storage: Storage, shard: string): Promise<number> {
  return (await readCommit(storage, 'images', null, shard))?.files.images?.rows ?? 0
}

async function hashOfFile(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
): Promise<string> {
  const record = await readCommit(storage, family, stage, shard)
  const file = record?.files[family]
  if (!file) {
    throw new UserError(
      `${storage.url}: shard ${shard} of ${family}${stage ? ` "${stage}"` : ''} is not there: run its stage first.`,
    )
  }
  return file.sha256
}

async function hashSource({ storage, shards, grounding, phrases }: SampleSource): Promise<string> {
  const hashes: string[] = []
  for (const shard of shards) {
    hashes.push(
      await hashOfFile(storage, 'images', null, shard),
      await hashOfFile(storage, 'phrases', phrases, shard),
      await hashOfFile(storage, 'grounding', grounding, shard),
    )
  }
  return hashJson(hashes)
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
