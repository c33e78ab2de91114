import { link } from 'node:fs/promises'
import { families, filePath, recordPath } from '../src/rows/family-path.js'
import type { Family } from '../src/rows/rows.js'
import { type CommitRecord, isPointer, readStored, textOf } from '../src/shards/commit.js'
import { createDataset, readDataset } from '../src/shards/dataset.js'
import type { ShardFile } from '../src/shards/write-shard.js'
import type { Storage } from '../src/storage/storage.js'

/**
 * Makes a large dataset of a small one fast: shards under new names whose files are links to those that there are.
 *
 * @param count how many shards the dataset has in the end
 */
export async function repeatShards(storage: Storage, count: number): Promise<void> {
  const { shards, ...info } = await readDataset(storage)
  const names = Array.from({ length: count }, (_, at) => String(at).padStart(5, '0'))
  for (const family of families)
    for (const name of await storage.list(family)) {
      const stored = name.endsWith('.json') ? await readStored(storage, name) : undefined
      if (!stored) continue
      const { stage } = stored
      for (let at = shards.indexOf(stored.shard) + shards.length; at < count; at += shards.length) {
        const shard = names[at] as string
        const { files: own = {} } = stored as Partial<CommitRecord>
        const files: Partial<Record<Family, ShardFile>> = {}
        for (const [of, file] of Object.entries(own) as [Family, ShardFile][]) {
          const path = filePath(of, stage, shard, file.sha256)
          await link(storage.path(file.path), storage.path(path))
          files[of] = { ...file, path }
        }
        const again = isPointer(stored) ? { ...stored, shard } : { ...(stored as CommitRecord), shard, files }
        await storage.write(recordPath(family, stage, shard), textOf(again))
      }
    }
  await storage.remove('dataset.json')
  await createDataset(storage, { ...info, shards: names })
}
