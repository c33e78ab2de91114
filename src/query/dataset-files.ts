import { access } from 'node:fs/promises'
import { UserError } from '../base/user-error.js'
import { openParquet } from '../parquet/open-parquet.js'
import { families, recordPath } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { type CommitRecord, readRecord } from '../shards/commit.js'
import { isWhole } from '../shards/commit-shard.js'
import { readDataset } from '../shards/dataset.js'
import { byOrder } from '../shards/stage-order.js'
import { verifyFile } from '../shards/verify-file.js'
import type { ShardFile } from '../shards/write-shard.js'
import { checkOwnFile } from '../storage/own-file.js'
import type { Storage } from '../storage/storage.js'
import { explainUnread } from './explain-unread.js'

/** A shard's file whose record says that it is there. */
export interface CommittedFile {
  readonly shard: string
  /** Of the object below the dataset. */
  readonly name: string
  /** Local path. */
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  /** Hash of the phrases that it was made of, where it was. */
  readonly phrases?: string
}

/** Committed files of a family by the stage that wrote them, stages in the order in which they came to be. */
export type DatasetFiles = Readonly<Record<Family, ReadonlyMap<string, readonly CommittedFile[]>>>

/**
 * The files of a dataset that exist: those which its records name.
 *
 * @throws UserError where it is no dataset, or not on this machine: DuckDB reads local files
 */
export async function datasetFiles(storage: Storage): Promise<DatasetFiles> {
  const { shards } = await readDataset(storage)
  if (!storage.isLocal) {
    throw new UserError(
      `${storage.url} is not on this machine, and DuckDB as it comes with groundmill reads local files only: copy the dataset to a folder first (aws s3 sync), or query the copy. \`stats\` without --exact reads s3:// as it is.`,
    )
  }
  const records: CommitRecord[] = []
  for (const family of families) {
    const stages = new Set<string | null>()
    for (const name of await storage.list(family)) {
      // FAMILY/SHARD.json, or FAMILY/STAGE/SHARD.json.
      const [, stage, file] = name.split('/')
      stages.add(stage === undefined || file === undefined ? null : stage)
    }
    for (const stage of stages) {
      for (const shard of shards) {
        const record = await wholeRecord(storage, recordPath(family, stage, shard))
        // Families written beside the main one are among its files.
        if (record?.main === family) records.push({ ...record, stats: { ...record.stats, tallies: {} } })
      }
    }
  }
  records.sort(byOrder)
  const files = Object.fromEntries(families.map((family) => [family, new Map()])) as Record<
    Family,
    Map<string, CommittedFile[]>
  >
  for (const { stage, shard, files: recordFiles, inputs } of records) {
    for (const [family, file] of Object.entries(recordFiles) as [Family, ShardFile][]) {
      const list = files[family].get(stage) ?? []
      files[family].set(stage, list)
      await checkOwnFile(storage, file.path)
      const { path: name, bytes, sha256 } = file
      list.push({ shard, name, path: storage.path(name), bytes, sha256, phrases: inputs.phrases })
    }
  }
  for (const family of families)
    for (const list of files[family].values()) list.sort((a, b) => (a.shard < b.shard ? -1 : 1))
  return files
}

/** The record of that name; where a file of it is gone, another process has replaced it by now. */
async function wholeRecord(storage: Storage, name: string): Promise<CommitRecord | undefined> {
  const record = await readRecord(storage, name)
  return !record || (await isWhole(storage, record)) ? record : readRecord(storage, name)
}

/**
 * Does what begins with a dataset's files. Where it fails and one of them has been replaced since, it is done
 * once more with those that there are then.
 *
 * @throws UserError where DuckDB cannot read a file
 */
export async function withDatasetFiles<T>(
  storage: Storage,
  begin: (files: DatasetFiles) => Promise<T>,
): Promise<T> {
  const files = await datasetFiles(storage)
  try {
    return await begin(files)
  } catch (error) {
    const all = families.flatMap((family) => [...files[family].values()].flat())
    const areThere = await Promise.all(all.map(({ path }) => access(path).then(...isThere)))
    if (areThere.every(Boolean)) throw await explainUnread(storage, files, error)
    const later = await datasetFiles(storage)
    return begin(later).catch(async (error: unknown) => {
      throw await explainUnread(storage, later, error, true)
    })
  }
}

/**
 * Holds those files against their records that DuckDB is about to read, and their footers against what a footer
 * may say: a schema of some thousand levels ends the process within DuckDB, without a word.
 *
 * @throws UserError as `verifyFile` and `openParquet` do; the signal's reason where that is aborted
 */
export async function verifyFiles(
  storage: Storage,
  files: DatasetFiles,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const wanted = new Set(paths)
  for (const family of families)
    for (const list of files[family].values())
      for (const { name, path, bytes, sha256 } of list) {
        signal?.throwIfAborted()
        if (!wanted.has(path)) continue
        await verifyFile(storage, { path: name, bytes, sha256 })
        await (await openParquet(path)).close()
      }
}

const isThere = [() => true, () => false] as const
