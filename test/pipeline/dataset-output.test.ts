import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { addOutput } from '../../src/pipeline/add-output.js'
import { datasetOutput, isForBoxLoss, runOfDataset } from '../../src/pipeline/dataset-output.js'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import type { StageOutput } from '../../src/pipeline/stages/stage-context.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { smallCrawl } from '../helpers/small-crawl.js'
import { makeSmallDataset } from '../helpers/small-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

it('the run of a dataset is what it lies in', () => {
  const runOf = (url: string) => runOfDataset({ url, storage: openStorage(url) }).path('')
  const same = (url: string) => openStorage(url).path('')
  expect(runOf(join(folder, 'run/gold/'))).toBe(same(join(folder, 'run')))
  expect(runOf('.')).toBe(same(dirname(process.cwd())))
  expect(runOf('s3://bucket/run/gold/')).toBe(same('s3://bucket/run'))
  expect(runOf('s3://bucket/gold')).toBe(same('s3://bucket'))
  const options = '?endpoint=http://127.0.0.1:9000&region=r'
  expect(runOf(`s3://bucket/a/run/gold${options}`)).toBe(same(`s3://bucket/a/run${options}`))
  expect(() => runOf('s3://bucket')).toThrow(/lies in no run: it is a whole bucket/)
})

it('stages of two datasets with one name are told apart, and a stage that is named twice is one', () => {
  const outputs = new Map<string, StageOutput>()
  const add = (run: string) =>
    addOutput(outputs, {
      name: 'gold',
      dataset: { name: 'gold', storage: openStorage(join(folder, run, 'gold')), shards: [] },
      missing: [],
    })
  expect([add('a'), add('b'), add('a'), add('b')]).toEqual(['gold', 'gold-2', 'gold', 'gold-2'])
  expect([...outputs.keys()]).toEqual(['gold', 'gold-2'])
})

it('an output of a name keeps what it offers, under the name that it is needed by', () => {
  const outputs = new Map<string, StageOutput>()
  expect(addOutput(outputs, { name: 'model', missing: [] })).toBe('model')
  expect(addOutput(outputs, { name: 'model', missing: [], images: 'again' })).toBe('model')
  expect(outputs.get('model')).toEqual({ name: 'model', missing: [], images: 'again' })
  const dataset = { name: 'gold', storage: openStorage(join(folder, 'a/gold')), shards: [] }
  expect(addOutput(outputs, { name: 'model', missing: [], dataset })).toBe('model-2')
  expect(outputs.get('model-2')).toMatchObject({ name: 'model-2', dataset: { name: 'gold' } })
})

describe('what a stage of a dataset offers', () => {
  it('is read from its records', async () => {
    const { url, storage } = await makeSmallDataset()
    const offered = async (family: Parameters<typeof datasetOutput>[1], stage: string) => {
      const { dataset, ...rest } = await datasetOutput(await openDataset(url), family, stage)
      expect(dataset).toMatchObject({ name: 's', shards: ['00000', '00001', '00002'] })
      return rest
    }
    const missing: string[] = []
    // The source has boxes.
    const gold = { name: 's', images: 's', phrases: 's', grounding: 's', missing }
    expect(await offered('images', 's')).toEqual(gold)
    expect(await offered('grounding', 's')).toEqual(gold)
    expect(await offered('negatives', 's')).toEqual({ name: 's', negatives: 's', missing })
    expect(await offered('phrases', 'chunk')).toEqual({ name: 'chunk', phrases: 'chunk', missing })
    expect(await offered('proposals', 'label-2')).toEqual({
      ...{ name: 'label-2', phrases: 'chunk', proposals: 'label-2', missing },
    })
    const grounding = { name: 'round-1', phrases: 'chunk', grounding: 'round-1', missing }
    expect(await offered('grounding', 'round-1')).toEqual({ ...grounding, boxLoss: true })

    // Without one of its records it lacks a shard, and the first of the others says what boxes are for.
    await storage.remove('grounding/round-1/00000.json')
    const name = 'grounding/round-1/00001.json'
    const record = JSON.parse(Buffer.from((await storage.read(name)) ?? '').toString())
    const say = (config: object) => storage.write(name, JSON.stringify({ ...record, config }))
    await say({ ...record.config, box_loss: false })
    expect(await offered('grounding', 'round-1')).toEqual({
      ...grounding,
      missing: ['00000'],
      boxLoss: false,
    })
    await say({ ...record.config, box_loss: true })
    expect(await isForBoxLoss(await openDataset(url), 'round-1')).toBe(true)
    expect(await isForBoxLoss(await openDataset(url), 'none')).toBe(true)

    for (const shard of ['00000', '00001', '00002']) await storage.remove(`phrases/chunk/${shard}.json`)
    await expect(offered('proposals', 'label-1')).rejects.toThrow(UserError)
  })

  it('says which pictures are dropped', async () => {
    const crawl = await smallCrawl()
    const url = join(crawl.folder, 'run')
    const stages = [
      crawl.gold,
      { name: 'thin', uses: 'dedup', needs: ['gold'] },
      { name: 'words', uses: 'chunk', needs: ['thin'] },
    ]
    await runPipeline(await parsePipeline({ name: 'p', stages }), url)
    const dataset = await openDataset(join(url, 'gold'))
    expect(await datasetOutput(dataset, 'phrases', 'words')).toMatchObject({
      phrases: 'words',
      selection: 'thin',
    })
    expect(await datasetOutput(dataset, 'grounding', 'thin')).toMatchObject({
      ...{ phrases: 'thin', grounding: 'thin', selection: 'thin', boxLoss: true },
    })
  })
})
