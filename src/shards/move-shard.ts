import { createHash } from 'node:crypto'
import { filePath } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { readParts } from '../storage/hash-object.js'
import { openObject } from '../storage/open-storage.js'
import type { Aside, Storage } from '../storage/storage.js'
import { type CommitRecord, recordVersion } from './commit.js'
import { commitShard, type VersionedRecord } from './commit-shard.js'
import type { ShardFile } from './write-shard.js'

/** Where a file of a shard lies by its content. */
export function placeOf({ stage, shard }: CommitRecord, family: Family, { sha256 }: ShardFile): string {
  return filePath(family, stage, shard, sha256)
}

/** Whether a shard's files lie where older versions laid them. */
export const isOlder = (record: CommitRecord): boolean =>
  filesOf(record).some(([family, file]) => file.path !== placeOf(record, family, file))

/**
 * Gives the files of a shard the names that their contents give them. The record takes the place of the one that
 * was read; then the files of the old names go. Rows, configuration and inputs stay as they are.
 *
 * @param made the shard's main record, as it was read
 * @returns false where another process has replaced the shard meanwhile
 * @throws Error where a file is not the one that its record speaks of; then nothing is changed
 */
export async function moveShard(
  storage: Storage,
  { record, version }: VersionedRecord,
  signal?: AbortSignal,
): Promise<boolean> {
  const asides = new Map<string, Aside>()
  const files: Partial<Record<Family, ShardFile>> = {}
  try {
    for (const [family, file] of filesOf(record)) {
      const path = placeOf(record, family, file)
      files[family] = { ...file, path }
      if (file.path !== path) asides.set(path, await copyAside(storage, file, path, signal))
    }
    const moved = { ...record, version: recordVersion, files } as CommitRecord
    const placed = {
      async place(paths: Iterable<string>, { onlyMissing }: { readonly onlyMissing: boolean }) {
        for (const path of paths) {
          const aside = asides.get(path)
          if (aside && !(onlyMissing && (await storage.exists(path)))) await aside.place(path)
        }
      },
    }
    const place = { storage, stage: record.stage, shard: record.shard, ...(signal && { signal }) }
    const { isOwn } = await commitShard(place, moved, placed, (now) => now?.version === version)
    return isOwn
  } finally {
    for (const aside of asides.values()) await aside.discard()
  }
}

/** Copies a file to where nobody sees it, and holds it against its record. */
async function copyAside(
  storage: Storage,
  { path, sha256 }: ShardFile,
  to: string,
  signal?: AbortSignal,
): Promise<Aside> {
  const hash = createHash('sha256')
  const object = await openObject(storage.path(path))
  async function* parts() {
    for await (const part of readParts(object, signal)) {
      hash.update(part)
      yield part
    }
  }
  try {
    const aside = await storage.writeAside(to, parts())
    if (hash.digest('hex') === sha256) return aside
    await aside.discard()
    throw new Error(`${storage.path(path)} is not the file that its record speaks of`)
  } finally {
    await object.close()
  }
}

const filesOf = ({ files }: CommitRecord) => Object.entries(files) as [Family, ShardFile][]
