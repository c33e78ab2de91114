import { findFirst } from '../base/find-first.js'
import { UserError } from '../base/user-error.js'
import { readCommit } from '../shards/commit.js'
import { isDataset, readDataset } from '../shards/dataset.js'
import { openStorage } from '../storage/open-storage.js'
import type { Storage } from '../storage/storage.js'
import { datasetFunnel, type FunnelStage } from './funnel.js'
import { requireFolder } from './require-folder.js'

/** A dataset with what its commit records say of it. */
export interface OpenDataset {
  readonly url: string
  readonly storage: Storage
  readonly name: string
  readonly shards: readonly string[]
  readonly stages: readonly FunnelStage[]
  /** Whether its source had boxes: then ingest wrote phrases and grounding under the dataset's own name. */
  readonly isGold: boolean
  /** Names of its groundings, gold first, then in the order in which they were made. */
  readonly groundings: readonly string[]
}

/** Throws a UserError where the URL is not of a dataset; of a run's folder, it names the datasets in it. */
export async function openDataset(url: string): Promise<OpenDataset> {
  await requireFolder(url)
  const storage = openStorage(url)
  if (!(await isDataset(storage))) {
    const inside = await datasetsIn(url).catch(() => [])
    if (inside.length > 0) {
      throw new UserError(`${url} is the folder of a run: name one of its datasets: ${inside.join(', ')}.`)
    }
  }
  const { name, shards } = await readDataset(storage)
  const stages = await datasetFunnel(storage)
  const isGold = await hasGrounding(storage, name, shards)
  const others: string[] = []
  for (const { family, stage } of stages) {
    // A dedup stage over gold writes a grounding too: gold without the pictures that it drops.
    const isThinned = family === 'selection' && isGold && (await hasGrounding(storage, stage, shards))
    if (family === 'grounding' || isThinned) others.push(stage)
  }
  return { url, storage, name, shards, stages, isGold, groundings: isGold ? [name, ...others] : others }
}

async function hasGrounding(storage: Storage, stage: string, shards: readonly string[]): Promise<boolean> {
  const look = async (shard: string) =>
    (await readCommit(storage, 'grounding', stage, shard))?.files.grounding
  return (await findFirst(shards, look)) !== undefined
}

/** URLs of the datasets in a folder, by name. Throws a UserError where there is no such folder. */
export async function datasetsIn(url: string): Promise<string[]> {
  const storage = openStorage(url)
  const folders = (await storage.folders()).map((name) => storage.path(name))
  const areDatasets = await Promise.all(folders.map((path) => isDataset(openStorage(path))))
  return folders.filter((_, index) => areDatasets[index])
}

/** Throws a UserError that lists the groundings there are. */
export function requireGrounding({ url, groundings }: OpenDataset, grounding: string): void {
  if (groundings.includes(grounding)) return
  const list = groundings.length > 0 ? groundings.join(', ') : 'none yet'
  throw new UserError(`${url} has no grounding "${grounding}"; it has: ${list}.`)
}
