/** The stages that make one shard of another: each adds its family to the dataset of the stage that it needs. */
import { chunkShard } from '../nlp/chunk-shard.js'
import { readCommit } from '../shards/commit.js'
import type { ShardTask } from '../shards/shard-task.js'
import type { Storage } from '../storage/storage.js'
import { openTeacher } from '../teacher/open-teacher.js'
import { teachShard } from '../teacher/teach-shard.js'
import type { Teacher } from '../teacher/teacher.js'
import type { Stage, StageOf } from './config.js'
import { openFilterStage } from './filter-stage.js'
import { hashOfFile } from './hash-inputs.js'
import { type Dataset, modelOf, needed, type StageContext, type StageOutput } from './stage-context.js'

export async function runChunk(
  stage: StageOf<'chunk'>,
  configHash: string,
  context: StageContext,
): Promise<StageOutput> {
  const source = needed(stage, context, 'a dataset', ({ dataset }) => dataset !== undefined)
  const { selection } = source
  const { dataset, missing } = await eachShard(
    stage,
    configHash,
    context,
    source,
    async (shard, storage) => ({
      inputs: {
        images: await hashOfFile(storage, 'images', null, shard),
        ...(selection && { selection: await hashOfFile(storage, 'selection', selection, shard) }),
      },
      work: (task) => chunkShard(task, stage.with, selection),
    }),
  )
  return { stage, dataset, selection, phrases: stage.name, missing }
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
  let opened: Teacher | undefined
  const teacher = async () => {
    opened ??= await openTeacher(model.folder, {
      ...stage.with,
      name: model.name,
      notice: context.notice,
    })
    return opened
  }
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
    return { stage, dataset, selection: source.selection, phrases, missing }
  } finally {
    await opened?.close()
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
  const filter = await openFilterStage(source.dataset as Dataset, stage.with, { phrases, proposals })
  try {
    const { dataset, missing } = await eachShard(stage, configHash, context, source, async (shard) => ({
      inputs: await filter.inputsOf(shard),
      work: filter.work,
    }))
    const { box_loss: boxLoss } = stage.with
    const { selection } = source
    return { stage, dataset, selection, phrases, grounding: stage.name, boxLoss, missing }
  } finally {
    await filter.close()
  }
}

interface ShardWork {
  readonly inputs: Readonly<Record<string, string>>
  readonly work: (task: ShardTask) => Promise<{ readonly skipped: boolean }>
}

/** Runs a task for each shard of the source's dataset that is there. */
export async function eachShard(
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
