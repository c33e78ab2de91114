import { describe, expect, it } from 'vitest'
import { parsePipeline } from '../../../src/pipeline/read-pipeline.js'
import type { Pipeline } from '../../../src/pipeline/stages/pipeline-config.js'
import { stageReader } from '../../../src/pipeline/tasks/stage-tasks.js'
import { createDataset } from '../../../src/shards/dataset.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { putRecord } from '../../helpers/shard-records.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const ingest = (name: string) => ({ name, uses: 'ingest', with: { format: 'tsv', path: `${name}.tsv` } })
const words = { name: 'words', uses: 'chunk', needs: ['web'] }
const pipelineOf = (...stages: readonly object[]) => parsePipeline({ name: 'p', stages })
const shardsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => String(index).padStart(5, '0'))

/** A run of a dataset of so many shards. */
async function begin(count: number, dataset = 'web') {
  const run = openStorage(await temporaryFolder())
  const storage = openStorage(run.path(dataset))
  const shards = shardsOf(count)
  await createDataset(storage, { name: dataset, card: null, shards })
  const put = (shard: string, seconds = 1) => putRecord(storage, { stage: 'words', shard, seconds })
  return { run, storage, shards, put }
}
const only = async (reader: ReturnType<typeof stageReader>, pipeline: Pipeline, name = 'words') =>
  (await reader.read(pipeline)).get(name)

describe('the tasks of a stage, as the storage says', () => {
  it('are done where there is a record of a shard of the dataset', async () => {
    const { run, storage, shards, put } = await begin(3)
    const pipeline = await pipelineOf(ingest('web'), words)
    const reader = stageReader(run)
    expect(await only(reader, pipeline)).toEqual({
      ...{ stage: pipeline.stages[1], shards: new Set(shards), done: new Set(), isDone: false },
    })
    await put('00001', 4)
    // Of a shard that is none of the dataset's, and a file without a record.
    await put('00007', 100)
    await storage.write('phrases/words/00002-0123456789abcdef.parquet', 'file')
    await storage.write('phrases/words/notes.txt', 'none')
    expect(await only(reader, pipeline)).toMatchObject({
      done: new Set(['00001']),
      isDone: false,
      meanSeconds: 4,
    })
    for (const shard of ['00000', '00002']) await put(shard, 1)
    expect(await only(reader, pipeline)).toMatchObject({
      done: new Set(shards),
      isDone: true,
      meanSeconds: 2,
    })
  })

  it('are looked at again now and then, when all are done', async () => {
    const { run, storage, put } = await begin(1)
    const pipeline = await pipelineOf(ingest('web'), words)
    const reader = stageReader(run)
    await put('00000')
    expect((await only(reader, pipeline))?.isDone).toBe(true)
    await storage.remove('phrases/words/00000.json')
    const seen: unknown[] = []
    for (let look = 0; look < 12; look++) seen.push((await only(reader, pipeline))?.isDone)
    expect(seen).toEqual([...Array(10).fill(true), false, false])
  })

  it('take as long as some of them took, spread over all, each read once', async () => {
    const { run, storage, shards, put } = await begin(32)
    const pipeline = await pipelineOf(ingest('web'), words)
    for (const [index, shard] of shards.slice(0, 16).entries()) await put(shard, index)
    const reader = stageReader(run)
    expect((await only(reader, pipeline))?.meanSeconds).toBe((1 + 3 + 5 + 7 + 9 + 11 + 13 + 15) / 8)
    // Enough is known: no more of them are read.
    for (const shard of shards.slice(16)) await put(shard, 1000)
    expect((await only(reader, pipeline))?.meanSeconds).toBe(8)
    const other = stageReader(run)
    for (const shard of shards.slice(2)) await storage.remove(`phrases/words/${shard}.json`)
    expect((await only(other, pipeline))?.meanSeconds).toBe(0.5)
    await put('00000', 50)
    await put('00002', 8)
    expect((await only(other, pipeline))?.meanSeconds).toBe(3)
  })

  it('count though their records cannot be read', async () => {
    const { run, storage, put } = await begin(2)
    const pipeline = await pipelineOf(ingest('web'), words)
    await storage.write('phrases/words/00000.json', 'half')
    const reader = stageReader(run)
    const damaged = await only(reader, pipeline)
    expect([damaged?.done, damaged?.meanSeconds]).toEqual([new Set(['00000']), undefined])
    await put('00001', 6)
    expect(await only(reader, pipeline)).toMatchObject({ isDone: true, meanSeconds: 6 })
  })

  it('are not known before they are planned', async () => {
    const run = openStorage(await temporaryFolder())
    const pipeline = await pipelineOf(ingest('web'), words)
    const reader = stageReader(run)
    expect(await only(reader, pipeline)).toEqual({ stage: pipeline.stages[1], done: new Set() })
    await createDataset(openStorage(run.path('web')), { name: 'web', card: null, shards: ['00000'] })
    expect(await only(reader, pipeline)).toMatchObject({ shards: new Set(['00000']) })
  })

  it('are those of the dataset that the stage works on', async () => {
    const { run } = await begin(2)
    await createDataset(openStorage(run.path('held')), { name: 'held', card: null, shards: shardsOf(5) })
    const pipeline = await pipelineOf(
      ingest('held'),
      ingest('web'),
      { name: 'thin', uses: 'dedup', needs: ['held', 'web'], with: { against: ['held'] } },
      { name: 'model', uses: 'train', needs: ['held'] },
      { ...words, needs: ['model', 'thin'] },
      { name: 'boxes', uses: 'teach', needs: ['words', 'model'] },
      // Of nothing that is ingested.
      { name: 'lone', uses: 'chunk', needs: [] },
      { name: 'behind', uses: 'chunk', needs: ['lone', 'held'] },
    )
    const all = await stageReader(run).read(pipeline)
    const sizes = Object.fromEntries([...all].map(([name, { shards }]) => [name, shards?.size]))
    expect(sizes).toEqual({
      ...{ held: 5, web: 2, thin: 2, model: undefined, words: 2, boxes: 2, lone: undefined, behind: 5 },
    })
    expect(all.get('lone')).toEqual({ stage: pipeline.stages.find(({ name }) => name === 'lone') })
  })

  it('is one where it makes one thing, which is there or lies elsewhere', async () => {
    const { run } = await begin(1)
    const out = (name: string, config: object) => ({
      ...{ name, uses: 'export', needs: ['web'], with: { format: 'coco', ...config } },
    })
    const pipeline = await pipelineOf(ingest('web'), out('out', {}), out('far', { out: '/far' }))
    const reader = stageReader(run)
    const isDone = async () =>
      [...(await reader.read(pipeline)).values()].slice(1).map((tasks) => tasks.isDone)
    expect(await isDone()).toEqual([false, undefined])
    await run.write('exports/out/export.json', '{}')
    expect(await isDone()).toEqual([true, undefined])
  })
})
