import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { filterConfig } from '../../src/filter/config.js'
import { datasetOutput } from '../../src/pipeline/dataset-output.js'
import { filter } from '../../src/pipeline/stages/filter.js'
import { runStage } from '../../src/pipeline/tasks/run-stage.js'
import { datasetFiles } from '../../src/query/dataset-files.js'
import type { Family } from '../../src/rows/rows.js'
import { committedFile } from '../../src/shards/committed-file.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import type { ShardFile } from '../../src/shards/write-shard.js'
import { statsBuilder } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { makeSmallDataset } from '../helpers/small-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

type Sums = { readonly in: number; readonly out: number; readonly rejected: Record<string, number> }

async function make(storage: Storage, stage: string, family: Family, shard: string, sums: Sums) {
  const beside: Family[] = family === 'images' ? ['phrases', 'grounding', 'rejects'] : ['rejects']
  await runShardTask({ storage, stage, shard, configHash: 'c', inputs: {} }, family, async (write) => {
    const files: Record<string, ShardFile> = {}
    for (const other of [family, ...beside]) {
      files[other] = await write(other, [])
    }
    const stats = statsBuilder({ score: { edges: [0.5] } })
    stats.count('rows', sums.in)
    stats.tally('heads', '__proto__')
    stats.observe('score', 0.7)
    return { files, unit: `units of ${family}`, ...sums, stats: stats.build() }
  })
}

describe('the funnel of a dataset', () => {
  it('reads records side by side, but few at once, and comes to the same sums', async () => {
    const one = openStorage(await temporaryFolder())
    await make(one, 'kept', 'grounding', '00000', { in: 5, out: 3, rejected: { low_score: 2 } })
    const [name = ''] = (await one.list('grounding')).filter((file) => file.endsWith('.json'))
    const record = JSON.parse(await readFile(one.path(name), 'utf8'))
    /** The shard a hundred times, each with one row more. */
    const storage: Storage = {
      ...one,
      list: async (prefix) =>
        prefix === 'grounding' ? Array.from({ length: 100 }, (_, at) => `${prefix}/kept/${at}.json`) : [],
      async read(file) {
        const [shard = ''] = /\d+/.exec(file) ?? []
        const more = Number(shard)
        return Buffer.from(JSON.stringify({ ...record, shard, in: record.in + more, out: record.out + more }))
      },
    }
    let [now, most] = [0, 0]
    const slow: Storage = {
      ...storage,
      async read(name) {
        most = Math.max(most, ++now)
        await setTimeout(Math.random() * 4)
        now--
        return storage.read(name)
      },
    }
    const [stage] = await datasetFunnel(slow)
    expect([stage?.shards, stage?.in, stage?.out, stage?.rejected]).toEqual([
      ...[100, 500 + 4950, 300 + 4950],
      { low_score: 200 },
    ])
    expect(await datasetFunnel(storage)).toEqual([stage])
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(32)
  })

  it('adds up the shards of each stage once, in the order of the way of the data', async () => {
    const storage = openStorage(await temporaryFolder())
    await make(storage, 'loose', 'grounding', '00000', { in: 9, out: 4, rejected: { low_score: 5 } })
    // Later, though its name is earlier.
    await make(storage, 'dense', 'grounding', '00000', { in: 9, out: 9, rejected: {} })
    await make(storage, 'teach', 'proposals', '00000', { in: 2, out: 2, rejected: {} })
    await make(storage, 'gold', 'images', '00000', { in: 5, out: 3, rejected: { http_404: 2 } })
    await make(storage, 'gold', 'images', '00001', { in: 4, out: 1, rejected: { http_404: 1, too_small: 2 } })
    const funnel = await datasetFunnel(storage)
    expect(funnel.map(({ stage, family }) => `${family}/${stage}`)).toEqual([
      'images/gold',
      'proposals/teach',
      'grounding/loose',
      'grounding/dense',
    ])
    const [gold] = funnel
    expect(gold).toMatchObject({
      unit: 'units of images',
      in: 9,
      out: 4,
      rejected: { http_404: 3, too_small: 2 },
      shards: 2,
      recorded: { heads: 2, score: 2 },
      stats: { counts: { rows: 9 }, histograms: { score: { edges: [0.5], counts: [0, 2] } } },
    })
    expect(Object.entries(gold.stats.tallies.heads)).toEqual([['__proto__', 2]])
    const sizes = (['images', 'phrases', 'grounding', 'rejects'] as const).flatMap((family) =>
      ['00000', '00001'].map(async (shard) => {
        const { path } = await committedFile(storage, family, 'gold', shard)
        return (await readFile(storage.path(path))).length
      }),
    )
    expect(gold.bytes).toBe((await Promise.all(sizes)).reduce((sum, size) => sum + size, 0))
  })

  it('has stages in the order in which they came to be, whatever the clocks say', async () => {
    const { storage } = await makeSmallDataset()
    const dataset = await openDataset(storage.url)
    const filtered = async (name: string, min: number) => {
      const input = await datasetOutput(dataset, 'proposals', 'label-1')
      const config = filterConfig.parse({ rules: [{ rule: 'score', min }] })
      const stage = { name, needs: ['label-1'], with: config }
      const outputs = new Map([['label-1', input]])
      await runStage(filter, stage, { run: undefined, outputs }, {})
    }
    const groundings = async () => (await openDataset(storage.url)).groundings
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      await filtered('last-by-name', 0.3)
      vi.setSystemTime(Date.now() - 3 * 86400_000)
      await filtered('a-day-before', 0.4)
      expect((await groundings()).slice(-2)).toEqual(['last-by-name', 'a-day-before'])
      // What is made again of the same configuration keeps its place, and of another one comes last.
      await storage.remove('grounding/last-by-name/00000.json')
      await filtered('last-by-name', 0.3)
      expect((await groundings()).at(-1)).toBe('a-day-before')
      vi.setSystemTime(Date.now() - 86400_000)
      await filtered('last-by-name', 0.2)
      expect((await groundings()).at(-1)).toBe('last-by-name')
      const files = await datasetFiles(storage)
      expect([...files.grounding.keys()].slice(-2)).toEqual(['a-day-before', 'last-by-name'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('is empty where nothing was made, and refuses records that do not add up', async () => {
    const storage = openStorage(await temporaryFolder())
    expect(await datasetFunnel(storage)).toEqual([])
    await make(storage, 'teach', 'proposals', '00000', { in: 2, out: 2, rejected: {} })
    const path = storage.path('proposals/teach/00000.json')
    await writeFile(path, (await readFile(path, 'utf8')).replace('"in": 2', '"in": 3'))
    await expect(datasetFunnel(storage)).rejects.toThrow(/teach\/00000\.json .*do not add up/)
  })
})
