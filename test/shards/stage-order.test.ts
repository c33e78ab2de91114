import { mkdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { byOrder, stageOrder } from '../../src/shards/stage-order.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { putRecord, shard } from '../helpers/shard-records.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('the place of a stage among those of its dataset', () => {
  it('is after all others, and is kept by one that is made again of the same configuration', async () => {
    const storage = openStorage(await temporaryFolder())
    const orderOf = (stage: string, configHash = 'c1') => stageOrder({ storage, stage, shard }, configHash)
    expect(await orderOf('chunk')).toBe(1)
    await putRecord(storage, { stage: 'chunk', order: 1 })
    expect(await orderOf('chunk')).toBe(1)
    expect(await orderOf('label')).toBe(2)
    await putRecord(storage, { family: 'proposals', stage: 'label', order: 5 })
    await putRecord(storage, { family: 'grounding', stage: 'filter', order: 3 })
    expect(await orderOf('other')).toBe(6)
    expect(await orderOf('chunk', 'c1')).toBe(1)
    expect(await orderOf('chunk', 'c2')).toBe(6)
    expect(await orderOf('label', 'c2')).toBe(4)
    // Another stage of the same configuration is another one.
    expect(await orderOf('filter-2', 'c1')).toBe(6)
  })

  it('is made anew of what older versions made without one', async () => {
    const storage = openStorage(await temporaryFolder())
    await putRecord(storage, { stage: 'chunk' })
    await putRecord(storage, { stage: 'zero', order: 0 })
    expect(await stageOrder({ storage, stage: 'chunk', shard }, 'c1')).toBe(1)
    expect(await stageOrder({ storage, stage: 'zero', shard }, 'c1')).toBe(1)
  })

  it('does not hang on pictures, other shards, stages without the shard, or records that cannot be read', async () => {
    const storage = openStorage(await temporaryFolder())
    await putRecord(storage, { stage: 'chunk', order: 2 })
    await putRecord(storage, { stage: 'chunk', shard: '00001', order: 8 })
    // What is said of pictures and of rejects is not looked for: these are no stages.
    await putRecord(storage, { family: 'images', stage: 'web', order: 9 })
    await mkdir(storage.path('images/web'), { recursive: true })
    await storage.write(`rejects/web/${shard}.json`, (await storage.read(`phrases/chunk/${shard}.json`))!)
    await mkdir(storage.path('phrases/empty'), { recursive: true })
    await storage.write(`phrases/broken/${shard}.json`, '{')
    expect(await stageOrder({ storage, stage: 'label', shard }, 'c1')).toBe(3)
  })
})

describe('the order of stages', () => {
  const at = (createdAt: string, order?: number) => ({ createdAt, ...(order !== undefined && { order }) })

  it('is that of their places, and of those without one, which come first, that of their times', () => {
    const [old, older, first, second] = [at('b'), at('a'), at('z', 1), at('c', 2)]
    expect([second, first, old, older].sort(byOrder)).toEqual([older, old, first, second])
    expect([older, old, first, second].sort(byOrder)).toEqual([older, old, first, second])
    expect(byOrder(first, old)).toBe(1)
    expect(byOrder(old, first)).toBe(-1)
    expect(byOrder(second, first)).toBe(1)
  })

  it('of the same place is that of their times', () => {
    expect(byOrder(at('a', 3), at('b', 3))).toBe(-1)
    expect(byOrder(at('b', 3), at('a', 3))).toBe(1)
    expect(byOrder(at('a', 3), at('a', 3))).toBe(0)
  })
})
