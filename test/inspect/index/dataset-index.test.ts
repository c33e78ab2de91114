import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openInspected } from '../../../src/cli/inspect.js'
import { DatasetIndex } from '../../../src/inspect/index/dataset-index.js'
import type { Inspected, Layer } from '../../../src/inspect/index/layer.js'
import { queryIndex } from '../../../src/inspect/index/query-index.js'
import { firstView } from '../../../src/inspect/view/view.js'
import { committedFile } from '../../../src/shards/committed-file.js'
import { makeInspectDataset } from '../../helpers/inspect-dataset.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

let url: string
let dataset: Inspected
let layer: Layer

beforeAll(async () => {
  url = join(await temporaryFolder(), 'little')
  await makeInspectDataset(url, { pictures: 500, shardRows: 100, rounds: 1 })
  dataset = (await openInspected(url)).dataset
  layer = dataset.layers[0]
})

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

async function settled(index: DatasetIndex) {
  index.want(layer)
  while (index.progress(layer).isBusy) await turn()
  return index.progress(layer)
}

describe('the index', () => {
  it('counts what it has come to, and in the end all of it', async () => {
    const index = new DatasetIndex(dataset, turn)
    const seen = new Set<number>()
    index.want(layer)
    while (index.progress(layer).isBusy) {
      const { counts } = queryIndex(dataset, index, firstView, layer)
      expect(counts.matched.pictures).toBe(index.progress(layer).rows)
      seen.add(counts.matched.pictures)
      await turn()
    }
    expect(seen.size).toBeGreaterThan(2)
    expect(index.progress(layer)).toMatchObject({ rows: 500, total: 500, isWhole: true, errors: [] })
    await index.close()
  })

  it('stops at the memory that it may take, and says so', async () => {
    const index = new DatasetIndex(dataset, turn, 20_000)
    const progress = await settled(index)
    expect(progress).toMatchObject({ isWhole: false, isBusy: false })
    expect(progress.rows).toBeGreaterThanOrEqual(100)
    expect(progress.rows).toBeLessThan(500)
    await index.close()
  })

  it('shows the other shards where one is damaged, with the reason', async () => {
    const healthy = new DatasetIndex(dataset, turn)
    await settled(healthy)
    const whole = [...healthy.shards(layer)].map((shard) => shard.layer.proposals)
    const { storage } = dataset
    const path = storage.path((await committedFile(storage, 'proposals', 'round-1-label', '00002')).path)
    const file = await readFile(path)
    await writeFile(path, file.subarray(0, file.length / 2))
    const index = new DatasetIndex(dataset, turn)
    const progress = await settled(index)
    await writeFile(path, file)
    expect(progress).toMatchObject({ rows: 500, isWhole: true })
    expect(progress.errors).toHaveLength(1)
    expect(progress.errors[0]).toMatch(/00002-[0-9a-f]{16}\.parquet is damaged/)
    const left = [...index.shards(layer)].map((shard) => shard.layer.proposals)
    expect(left).toEqual(whole.with(2, 0))
    await index.close()
  })
})
