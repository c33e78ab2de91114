import { findFirst } from '../../base/find-first.js'
import { hashJson } from '../../base/hash.js'
import { mapLimited } from '../../base/map-limited.js'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import { type MineConfig, mineConfig, mineNotHashed } from '../../mine/config.js'
import { readCommit } from '../../shards/commit.js'
import { hasFamily } from '../../shards/has-family.js'
import type { ShardTask } from '../../shards/shard-task.js'
import { tellOfChangedModel } from './changed-model.js'
import { datasetShards } from './dataset-shards.js'
import { hashOfFile } from './hash-inputs.js'
import { lazyTeacher } from './lazy-teacher.js'
import { looksAtModel } from './open-model.js'
import {
  type Dataset,
  type Model,
  modelOf,
  needed,
  type StageContext,
  type StageOf,
} from './stage-context.js'
import { shardsKind, typically } from './stage-kind.js'

/** Finds phrases that name nothing in the pictures of gold, and that a model still finds a box for. */
export const mine = shardsKind({
  name: 'mine',
  schema: mineConfig,
  optional: true,
  makes: 'shards',
  family: 'negatives',
  // A model that finds no box for what is absent has none to learn from.
  mayBeEmpty: true,
  resource: 'gpu',
  notHashed: [...mineNotHashed, 'model'],
  // What is named in the whole dataset is where negatives are drawn from.
  edge: () => 'all',
  looks: (stage, context) => (asksModel(stage, context) ? looksAtModel(stage, context) : []),
  estimate: typically(1000),
  async offers(stage, context) {
    const { dataset, missing } = sourceOf(stage, context)
    return { dataset, negatives: stage.name, missing }
  },
  async open(stage, configHash, context) {
    const { dataset, grounding, phrases } = sourceOf(stage, context)
    const { storage, shards } = dataset
    await requireNegatives(dataset, grounding)
    const files = { phrases, grounding, negatives: grounding }
    const model = await modelToAsk(stage, context)
    if (model) await tellOfChangedModel(stage, 'negatives', dataset, model, context)
    const teacher = model && lazyTeacher(model, { ...stage.with, notice: context.notice })
    // Read when the first shard needs it, as the teacher is opened.
    const vocabulary = memoize(async () =>
      (await import('../../mine/vocabulary.js')).readVocabulary(storage, shards, files, context.signal),
    )
    const names = await hashOfNames(dataset, files)
    const prepare = async (shard: string) => ({
      inputs: {
        names,
        images: await hashOfFile(storage, 'images', null, shard),
        phrases: await hashOfFile(storage, 'phrases', phrases, shard),
        grounding: await hashOfFile(storage, 'grounding', grounding, shard),
        negatives: await hashOfFile(storage, 'negatives', grounding, shard),
        ...(model && { model: model.hash, teacher: model.name }),
      },
      work: async (task: ShardTask) => {
        const { mineShard } = await import('../../mine/mine-shard.js')
        return mineShard(task, { ...stage.with, ...files }, vocabulary, teacher?.open)
      },
    })
    return datasetShards(stage, configHash, dataset, prepare, teacher?.close)
  },
})

const sourceOf = (stage: StageOf, context: StageContext) =>
  needed(stage, context, ['grounding', 'phrases', 'dataset'], 'gold')

/** The model that is asked; undefined where none is, as where nothing names one. */
async function modelToAsk(stage: StageOf<MineConfig>, context: StageContext): Promise<Model | undefined> {
  return asksModel(stage, context) ? modelOf(stage, context) : undefined
}

function asksModel({ needs, with: { model } }: StageOf<MineConfig>, { outputs }: StageContext): boolean {
  if (model === 'none') return false
  return model !== undefined || needs.some((name) => outputs.get(name)?.model !== undefined)
}

/** Hash of what the phrases of the whole dataset are counted from. */
async function hashOfNames(
  { storage, shards }: Dataset,
  { phrases, negatives }: { readonly phrases: string; readonly negatives: string },
): Promise<string> {
  const hashes = await mapLimited(shards, async (shard) => [
    (await readCommit(storage, 'phrases', phrases, shard))?.files.phrases?.sha256 ?? null,
    (await readCommit(storage, 'negatives', negatives, shard))?.files.negatives?.sha256 ?? null,
  ])
  return hashJson(hashes)
}

async function requireNegatives({ name, storage, shards }: Dataset, grounding: string): Promise<void> {
  const look = async (shard: string) => (await hasFamily(storage, 'negatives', grounding, shard)) || undefined
  if (await findFirst(shards, look)) return
  throw new UserError(
    `Nothing says what is not in the pictures of "${grounding}" of ${name}: negatives are mined of gold that an ingest stage of this version has read, or that a dedup stage has thinned.`,
  )
}
