import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashJson } from '../../../src/base/hash.js'
import { openSource } from '../../../src/ingest/open-source.js'
import { storedPlan } from '../../../src/pipeline/records/ingest-plan.js'
import { ingest } from '../../../src/pipeline/stages/ingest.js'
import { readDataset } from '../../../src/shards/dataset.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { grain } from '../../helpers/odd-images.js'
import { stageAs, stageContext } from '../../helpers/stage-context.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

/** A source of three pictures with a box each, two a shard. */
async function newSource() {
  const folder = await temporaryFolder()
  const jpeg = await grain(32, 32).jpeg().toBuffer()
  await mkdir(join(folder, 'images'))
  const names = ['a', 'b', 'c']
  for (const name of names) await writeFile(join(folder, 'images', `${name}.jpg`), jpeg)
  const images = names.map((name, id) => ({ id, file_name: `${name}.jpg`, width: 32, height: 32 }))
  const annotations = names.map((_, id) => ({ id, image_id: id, category_id: 1, bbox: [4, 4, 20, 20] }))
  const write = (count: number) =>
    writeFile(
      join(folder, 'instances.json'),
      JSON.stringify({
        images: images.slice(0, count),
        annotations: annotations.slice(0, count),
        categories: [{ id: 1, name: 'dog' }],
      }),
    )
  await write(3)
  const config = { format: 'coco', images: join(folder, 'images'), instances: join(folder, 'instances.json') }
  return { config: { ...config, shard_size: 2 }, write, folder }
}

describe('a stage that ingests', () => {
  it('plans its shards, makes each once, and offers them', async () => {
    const { config } = await newSource()
    const run = openStorage(await temporaryFolder())
    const { context, said } = stageContext(run, [])
    const stage = stageAs(ingest, 'photos', [], config)
    await expect(ingest.offers(stage, context)).rejects.toThrow('is not a dataset')
    expect(await ingest.plan?.(stage, 'c', context)).toEqual({ rows: 3 })
    const storage = openStorage(run.path('photos'))
    expect(await readDataset(storage)).toMatchObject({ name: 'photos', shards: ['00000', '00001'] })
    const { dataset, ...offers } = await ingest.offers(stage, context)
    expect([dataset.name, dataset.storage.url, dataset.shards]).toEqual([
      'photos',
      storage.url,
      ['00000', '00001'],
    ])
    expect(offers).toEqual({ images: 'photos', phrases: 'photos', grounding: 'photos', missing: [] })
    const opened = await ingest.open(stage, 'c', context)
    expect([await opened.rows('00000'), await opened.rows('00001'), await opened.rows('00002')]).toEqual([
      2,
      1,
      undefined,
    ])
    const made = await opened.make('00001', {})
    expect(made).toMatchObject({ skipped: false, record: { stage: 'photos', in: 1, out: 1 } })
    const source = await openSource(stage.with)
    const plan = await storedPlan(run, source, 'c')
    await source.close()
    expect(made.record.inputs).toEqual({ source: plan.shards[1]?.hash, card: hashJson(null), rows: '1' })
    expect((await opened.make('00001', {})).skipped).toBe(true)
    await expect(opened.make('00002', {})).rejects.toThrow('the plan of "photos" has no shard 00002')
    await opened.close()
    expect(said.warnings).toEqual([])
  })

  it('offers captions and no boxes of a list that has none', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'list.tsv')
    await writeFile(path, 'url\tcaption\nhttp://a.example/a.jpg\ta dog\n')
    const { context } = stageContext(openStorage(join(folder, 'run')), [])
    const stage = stageAs(ingest, 'web', [], { format: 'tsv', path })
    await ingest.plan?.(stage, 'c', context)
    expect(await ingest.offers(stage, context)).toMatchObject({ images: 'web', missing: [] })
    expect(await ingest.offers(stage, context)).not.toHaveProperty('phrases')
  })

  it('takes nothing away where its source gives less, unless it is told to', async () => {
    const { config, write } = await newSource()
    const run = openStorage(await temporaryFolder())
    const stage = stageAs(ingest, 'photos', [], config)
    const { context } = stageContext(run, [])
    await ingest.plan?.(stage, 'c', context)
    await write(2)
    await expect(ingest.plan?.(stage, 'c', context)).rejects.toThrow('1 shard of 2')
    const { context: dropping } = stageContext(run, [], { drop: true })
    expect(await ingest.plan?.(stage, 'c', dropping)).toEqual({ rows: 2 })
    expect((await ingest.offers(stage, context)).dataset.shards).toEqual(['00000'])
  })

  it('is refused without a run, and without a source', async () => {
    const { config, folder } = await newSource()
    const { context } = stageContext(undefined, [])
    const stage = stageAs(ingest, 'photos', [], config)
    await expect(ingest.plan?.(stage, 'c', context)).rejects.toThrow('without one')
    await expect(ingest.open(stage, 'c', context)).rejects.toThrow('without one')
    const { context: good } = stageContext(openStorage(join(folder, 'run')), [])
    const none = stageAs(ingest, 'photos', [], { ...config, instances: join(folder, 'none.json') })
    await expect(ingest.plan?.(none, 'c', good)).rejects.toThrow('none.json')
  })
})
