import { join } from 'node:path'
import type { ExportConfig } from '../../src/export/config.js'
import { exportTo, groundedDataset, hashesIn } from './grounded-dataset.js'

const region = {
  ...{ caption: 0, start: 2, end: 5, score: 0.7, origin: 'round-1', xyxy: [4, 5, 24.25, 40.1] as const },
}
const picture = { captions: [{ text: 'A dog', kind: 'web' as const }], regions: [region] }
const shard = (rows: number) => Array.from({ length: rows }, () => picture)

/** Two small datasets below a folder, of three shards and of two, and their exports, each in a folder of its own. */
export async function smallExports(folder: string) {
  let count = 0
  const fresh = () => join(folder, String(count++))
  const source = await groundedDataset(fresh(), [shard(3), shard(2), shard(4)])
  const smaller = await groundedDataset(fresh(), [shard(3), shard(1)])
  return {
    ...{ source, smaller },
    /** Makes an export, of form `hf` where no other is asked for, and gives its folder. */
    async exported(from: typeof source, more: Partial<ExportConfig> = {}): Promise<string> {
      const out = fresh()
      await exportTo(from, out, { format: 'hf', ...more })
      return out
    },
  }
}

/** Hashes of what a folder has to push. */
export async function pushedHashes(out: string): Promise<Record<string, string>> {
  const { 'export.json': _, ...hashes } = await hashesIn(out)
  return hashes
}
