import { stat } from 'node:fs/promises'
import { hashFile } from '../../base/files/hash-file.js'
import { hashJson } from '../../base/hash.js'
import { mapLimited, readsAtOnce } from '../../base/map-limited.js'
import { orderedMap } from '../../base/ordered-map.js'
import { UserError } from '../../base/user-error.js'
import { type DedupConfig, dedupConfig } from '../../dedup/config.js'
import type { Deduper } from '../../dedup/deduper.js'
import { datasetHashes, type HashList, readHashList } from '../../dedup/read-hash-list.js'
import { type CommitRecord, readCommit } from '../../shards/commit.js'
import { isDataset, readDataset } from '../../shards/dataset.js'
import { hasFamily } from '../../shards/has-family.js'
import type { ShardTask } from '../../shards/shard-task.js'
import { openStorage } from '../../storage/open-storage.js'
import type { Storage } from '../../storage/storage.js'
import { datasetShards } from './dataset-shards.js'
import { hashOfFile } from './hash-inputs.js'
import { needed, type StageContext, type StageOf } from './stage-context.js'
import { shardsKind, typically } from './stage-kind.js'

/**
 * Drops duplicates across the shards of a dataset, shard after shard in the order of the source. A shard's
 * input is all that comes before it, so its result is the same whenever it is made. What earlier runs kept is
 * read back and not judged again.
 */
export const dedup = shardsKind({
  name: 'dedup',
  schema: dedupConfig,
  optional: true,
  makes: 'shards',
  family: 'selection',
  resource: 'cpu',
  // The content of the sets that `against` names is hashed among the inputs.
  notHashed: ['against'],
  edge: () => 'in order',
  looks: (stage, context) =>
    stage.with.against
      .filter((name) => !context.outputs.get(name)?.dataset)
      .map((name) => ({ key: 'against', atWork: true, look: () => openOtherSet(name, stage.name) })),
  estimate: typically(100),
  async offers(stage, context) {
    const { dataset, grounding: gold, missing } = sourceOf(stage, context)
    const thinned = gold ? { phrases: stage.name, grounding: stage.name } : {}
    return { dataset, selection: stage.name, ...thinned, missing }
  },
  async open(stage, configHash, context) {
    const { dataset, grounding: gold } = sourceOf(stage, context)
    const { storage, shards } = dataset
    const sets = await Promise.all(stage.with.against.map((name) => openSet(name, stage.name, context)))
    const chain = await hashChain(
      storage,
      shards,
      sets.map(({ hash }) => hash),
    )
    const isMade = ({ configHash: made, inputs }: CommitRecord, shard: string) =>
      made === configHash && inputs.images === chain.get(shard)
    const state = dedupState(storage, stage, shards, sets, isMade)
    let isTold = false
    const prepare = async (shard: string) => ({
      inputs: {
        images: chain.get(shard) as string,
        ...(gold && {
          phrases: await hashOfFile(storage, 'phrases', gold, shard),
          grounding: await hashOfFile(storage, 'grounding', gold, shard),
          ...((await hasFamily(storage, 'negatives', gold, shard)) && {
            negatives: await hashOfFile(storage, 'negatives', gold, shard),
          }),
        }),
      },
      async work(task: ShardTask) {
        const { dedupShard } = await import('../../dedup/dedup-shard.js')
        return state.run(shard, async (deduperOf) => {
          let deduper: Deduper | undefined
          const made = await dedupShard(task, shards, async () => (deduper = await deduperOf()), gold)
          if (deduper?.withoutFingerprint && !isTold) {
            isTold = true
            context.warn(noFingerprints(stage.name))
          }
          return made
        })
      },
    })
    return datasetShards(stage, configHash, dataset, prepare)
  },
})

const noFingerprints = (stage: string) =>
  `Stage "${stage}": pictures that an earlier version has stored have no fingerprint, and are compared by their perceptual hashes alone: of edited copies only the nearest are found. Ingested anew they have one; edited: no leaves this out.`

const sourceOf = (stage: StageOf<DedupConfig>, context: StageContext) =>
  needed(stage, context, ['images', 'dataset'], 'a dataset', stage.with.against)

/** For each shard, a hash of the pictures of all shards up to it, those that are missing too. */
async function hashChain(storage: Storage, shards: readonly string[], sets: readonly string[]) {
  const chain = new Map<string, string>()
  let hash = hashJson(sets)
  const hashOf = async (shard: string) =>
    [shard, (await readCommit(storage, 'images', null, shard))?.files.images?.sha256 ?? 'missing'] as const
  for await (const [shard, file] of orderedMap(shards, readsAtOnce, hashOf)) {
    hash = hashJson([hash, file])
    chain.set(shard, hash)
  }
  return chain
}

/** The index over the pictures kept so far, made when the first shard needs it. */
function dedupState(
  storage: Storage,
  { name, with: config }: StageOf<DedupConfig>,
  shards: readonly string[],
  sets: readonly { readonly read: () => Promise<HashList> }[],
  isMade: (record: CommitRecord, shard: string) => boolean,
) {
  const places = new Map(shards.map((shard, place) => [shard, place]))
  let current: { readonly deduper: Deduper; next: number } | undefined
  const upTo = async (end: number): Promise<Deduper> => {
    const { recallShard } = await import('../../dedup/dedup-shard.js')
    const { createDeduper } = await import('../../dedup/deduper.js')
    // A shard that failed half way has left some of its pictures in the index, so the index is built anew.
    if (!current || current.next > end) {
      const rows = await mapLimited(
        shards,
        async (shard) => (await readCommit(storage, 'images', null, shard))?.files.images?.rows ?? 0,
      )
      const lists = await Promise.all(sets.map(({ read }) => read()))
      current = {
        deduper: createDeduper(
          rows.reduce((sum, count) => sum + count, 0),
          config,
          lists,
        ),
        next: 0,
      }
    }
    for (; current.next < end; current.next++) {
      const shard = shards[current.next]
      if (shard === undefined) break
      const made = await readCommit(storage, 'selection', name, shard)
      // One of another configuration stands until this one has made the shard.
      if (made && isMade(made, shard)) await recallShard(storage, name, shard, shards, current.deduper)
      else if (await readCommit(storage, 'images', null, shard)) {
        current = undefined
        throw new UserError(`Shard ${shard} comes before it and could not be made: run again to retry both.`)
      }
    }
    // The shard's work adds its pictures to the index, even where it fails.
    current.next = end + 1
    return current.deduper
  }
  return {
    run: <T>(shard: string, work: (deduper: () => Promise<Deduper>) => Promise<T>) =>
      work(() => upTo(places.get(shard) as number)),
  }
}

/** An evaluation set: a stage of this pipeline, a dataset, or a text file of hashes. */
async function openSet(name: string, stage: string, context: StageContext) {
  const dataset = context.outputs.get(name)?.dataset
  return dataset ? openDataset(name, dataset.storage, dataset.shards) : openOtherSet(name, stage)
}

/** A set that is no stage of this pipeline. */
async function openOtherSet(name: string, stage: string) {
  const storage = openStorage(name)
  if (await isDataset(storage)) return openDataset(name, storage, (await readDataset(storage)).shards)
  const found = await stat(name).catch(() => undefined)
  if (!found?.isFile()) {
    throw new UserError(
      `Stage "${stage}": against: "${name}" is neither a stage that it needs, nor a dataset, nor a file of hashes.`,
    )
  }
  const { sha256 } = await hashFile(name)
  // Read now, so that a file without hashes stops the stage before its first shard.
  const list = await readHashList(name)
  return { hash: sha256, read: async () => list }
}

async function openDataset(name: string, storage: Storage, shards: readonly string[]) {
  const hashes = await mapLimited(shards, (shard) => hashOfFile(storage, 'images', null, shard))
  return { hash: hashJson(hashes), read: () => datasetHashes(name, storage, shards) }
}
