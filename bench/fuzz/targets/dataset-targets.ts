import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { UserError } from '../../../src/base/user-error.js'
import { checkDataset } from '../../../src/catalog/check-dataset.js'
import type { Finding } from '../../../src/catalog/finding.js'
import { readStats } from '../../../src/catalog/read-stats.js'
import { families } from '../../../src/rows/family-path.js'
import { readDataset } from '../../../src/shards/dataset.js'
import { readShard } from '../../../src/shards/read-shard.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { makeSmallDataset } from '../../../test/helpers/small-dataset.js'
import { type FuzzTarget, filesBelow } from '../target.js'

/** Every row of every family of a dataset, and what commands say of it. */
async function readDatasetWhole(url: string): Promise<void> {
  const storage = openStorage(url)
  const { shards } = await readDataset(storage)
  await readStats(url)
  const stages = ['s', 'chunk', 'label-1', 'round-1']
  for (const family of families)
    for (const stage of family === 'images' ? [null] : stages)
      for (const shard of shards.slice(0, 1)) {
        try {
          for await (const _ of readShard(storage, family, stage, shard));
        } catch (error) {
          // A family that the stage does not have.
          if (!(error instanceof UserError)) throw error
        }
      }
}

/** Records, lists and shards of a dataset that came from somewhere else. */
export async function datasetTargets(folder: string): Promise<FuzzTarget[]> {
  const { url, storage } = await makeSmallDataset(folder)
  const all = (await filesBelow(url)).map((path) => relative(url, path)).sort()
  const first = (pattern: RegExp) => all.find((path) => pattern.test(path))
  const names = [
    'dataset.json',
    first(/^images\/00000.*\.json$/),
    first(/^grounding\/round-1\/00000.*\.json$/),
    first(/^proposals\/.*\.json$/),
    first(/^grounding\/round-1\/00000.*\.parquet$/),
    first(/^phrases\/chunk\/00000.*\.parquet$/),
    first(/^rejects\/.*\.parquet$/),
  ].filter((name) => name !== undefined)
  const targets: FuzzTarget[] = []
  for (const name of names) {
    const path = join(url, name)
    targets.push({
      name: `dataset: ${name.replace(/-[0-9a-f]{16,}/, '')}`,
      samples: [await readFile(path)],
      file: path,
      async read() {
        await readDatasetWhole(url)
        let wrong: string | undefined
        const onFinding = (finding: Finding) => {
          if (finding.kind === 'wrong') wrong = finding.what
        }
        await checkDataset(storage, { deep: true, mend: false, onFinding })
        if (wrong !== undefined) throw new UserError(wrong)
      },
    })
  }
  return targets
}
