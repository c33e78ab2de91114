import { mkdir, readFile, rename, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { textOf } from '../../src/shards/commit.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const shards = 700

const record = (at: number, out = at) =>
  textOf({
    ...{ version: 2, stage: 'label', family: 'proposals', main: 'proposals', configHash: 'c', inputs: {} },
    ...{ shard: String(at).padStart(5, '0'), files: {}, unit: 'phrases', in: out, out, rejected: {} },
    stats: {
      counts: { rows: out },
      histograms: {
        score: { edges: [0.5], counts: [at, 1], moments: { sum: at, squares: at, min: 0, max: 1 } },
      },
      tallies: { heads: { [`word${at % 50}`]: 1, ['__proto__']: 2 } },
    },
    ...{ seconds: 0.1, createdAt: '2026-01-01T00:00:00.000Z' },
  })

/** A dataset of many records, and the names of what is read of it. */
async function makeLarge() {
  const local = openStorage(await temporaryFolder())
  await mkdir(local.path('proposals/label'), { recursive: true })
  const nameOf = (at: number) => `proposals/label/${String(at).padStart(5, '0')}.json`
  for (let at = 0; at < shards; at++) await writeFile(local.path(nameOf(at)), record(at))
  const read: string[] = []
  const storage: Storage = {
    ...local,
    read(name) {
      read.push(name)
      return local.read(name)
    },
  }
  const funnel = async () => {
    read.length = 0
    const stages = await datasetFunnel(storage)
    return { stages, records: read.filter((name) => name.startsWith('proposals/')).length }
  }
  /** What is told where nothing is kept. */
  const plain = () => datasetFunnel({ ...local, isLocal: false })
  return { storage, local, nameOf, funnel, plain }
}

describe('kept sums of records', () => {
  it('are read in place of records, and say the same', async () => {
    const { funnel, plain, nameOf, local } = await makeLarge()
    const first = await funnel()
    expect(first.records).toBe(shards)
    expect(first.stages).toEqual(await plain())
    expect(first.stages).toMatchObject([{ shards, out: (shards * (shards - 1)) / 2 }])
    expect(await funnel()).toEqual({ stages: first.stages, records: 0 })
    // A record more, and one less: of others few are read again.
    await writeFile(local.path(nameOf(shards)), record(shards))
    await local.remove(nameOf(3))
    const { stages, records } = await funnel()
    expect(stages).toEqual(await plain())
    expect(stages).not.toEqual(first.stages)
    expect(records).toBeLessThan(shards / 2)
  })

  it('are not believed where a record was replaced, however alike it is, and not where they are damaged', async () => {
    const { funnel, plain, nameOf, local } = await makeLarge()
    const path = local.path(nameOf(41))
    await utimes(path, 1e9, 1e9)
    await funnel()
    await writeFile(`${path}.new`, record(41, 42))
    await utimes(`${path}.new`, 1e9, 1e9)
    await rename(`${path}.new`, path)
    const changed = await funnel()
    expect(changed.stages).toEqual(await plain())
    expect(changed.records).toBeGreaterThan(0)
    for (const name of await local.list('cache')) {
      const bytes = await readFile(local.path(name))
      bytes[bytes.length - 9]! ^= 1
      await writeFile(local.path(name), bytes)
    }
    expect(await funnel()).toEqual({ stages: changed.stages, records: shards })
    expect((await funnel()).records).toBe(0)
  })

  it('are not needed where the dataset may only be read', async () => {
    const { storage, plain, local } = await makeLarge()
    const refused = async () => {
      throw Object.assign(new Error('read-only file system'), { code: 'EROFS' })
    }
    expect(await datasetFunnel({ ...storage, write: refused })).toEqual(await plain())
    expect(await local.list('cache')).toEqual([])
  })
})
