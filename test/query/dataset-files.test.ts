import { expect, it } from 'vitest'
import { datasetFiles, withDatasetFiles } from '../../src/query/dataset-files.js'
import { runQuery } from '../../src/query/run-query.js'
import { recordPath } from '../../src/rows/family-path.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const put = (storage: Storage, key: string) =>
  putShard(storage, 'selection', 'dedup', '00000', [{ key, reason: null, duplicate_of: null }])

async function dataset(): Promise<Storage> {
  const storage = openStorage(await temporaryFolder())
  await createDataset(storage, { name: 'd', card: null, shards: ['00000'] })
  await put(storage, 'old')
  return storage
}

it('files that are replaced between their record and a query are looked for again', async () => {
  const storage = await dataset()
  let reads = 0
  const restless: Storage = {
    ...storage,
    async read(name) {
      const bytes = await storage.read(name)
      if (name === recordPath('selection', 'dedup', '00000') && reads++ === 0) await put(storage, 'new')
      return bytes
    },
  }
  const rows = await runQuery(restless, 'select key from selection', {}, async ({ rows }) => {
    const all = []
    for await (const some of rows) all.push(...some)
    return all
  })
  expect(rows).toEqual([['new']])
  expect(reads).toBe(2)
})

it('what failed for a file that is gone is begun once more, and nothing else is', async () => {
  const storage = await dataset()
  const seen: string[] = []
  const begin = (isReplaced: boolean) =>
    withDatasetFiles(storage, async ({ selection }) => {
      const path = selection.get('dedup')?.[0]?.path ?? ''
      seen.push(path)
      if (isReplaced && seen.length === 1) await put(storage, 'newer')
      throw new Error('no')
    })
  await expect(begin(true)).rejects.toThrow('no')
  const [file] = (await datasetFiles(storage)).selection.get('dedup') ?? []
  expect(seen).toHaveLength(2)
  expect(seen[1]).toBe(file?.path)
  await expect(begin(false)).rejects.toThrow('no')
  expect(seen).toHaveLength(3)
})
