import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashJson } from '../../../src/base/hash.js'
import { UserError } from '../../../src/base/user-error.js'
import { writeCalibration } from '../../../src/filter/calibration-file.js'
import { filterConfig } from '../../../src/filter/config.js'
import type { RuleConfig } from '../../../src/filter/rules.js'
import { chunk } from '../../../src/pipeline/stages/chunk.js'
import { datasetShards } from '../../../src/pipeline/stages/dataset-shards.js'
import { exportKind } from '../../../src/pipeline/stages/export.js'
import { openFilterStage } from '../../../src/pipeline/stages/filter-stage.js'
import { hashOfFile } from '../../../src/pipeline/stages/hash-inputs.js'
import { mine } from '../../../src/pipeline/stages/mine.js'
import type { StageOutput } from '../../../src/pipeline/stages/stage-context.js'
import { createDataset } from '../../../src/shards/dataset.js'
import type { ShardTask } from '../../../src/shards/shard-task.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { groundedDataset, type PictureSpec } from '../../helpers/grounded-dataset.js'
import { putShard } from '../../helpers/put-shard.js'
import { s3Server } from '../../helpers/s3-server.js'
import { recordWith } from '../../helpers/shard-records.js'
import { putRows, stageAs, stageContext } from '../../helpers/stage-context.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const server = await s3Server()

async function newDataset() {
  const storage = openStorage(await temporaryFolder())
  const dataset = { name: 'web', storage, shards: ['00000', '00001'] }
  await putRows(dataset, 'images', 'web')
  return dataset
}

describe('a stage over the shards of a dataset', () => {
  it('makes each of what it is made of by then, and has one place among the stages', async () => {
    const dataset = await newDataset()
    const tasks: ShardTask[] = []
    let version = 1
    const stage = { name: 'words', uses: 'chunk', needs: [], with: {} }
    const prepare = async (shard: string) => ({
      inputs: { images: `${shard} ${version}` },
      work: async (task: ShardTask) => {
        tasks.push(task)
        return { record: recordWith(), skipped: false }
      },
    })
    const opened = datasetShards(stage, 'c', dataset, prepare)
    expect(await opened.rows('00001')).toBe(1)
    expect(await opened.rows('00007')).toBeUndefined()
    const onProgress = () => {}
    expect(await opened.make('00001', { onProgress })).toEqual({ record: recordWith(), skipped: false })
    await opened.make('00000', {})
    const [first, second] = tasks as [ShardTask, ShardTask]
    expect(first).toMatchObject({
      ...{ stage: 'words', shard: '00001', configHash: 'c', inputs: { images: '00001 1' }, onProgress },
    })
    expect(second.shard).toBe('00000')
    expect(await first.isCurrent?.()).toBe(true)
    version = 2
    expect(await first.isCurrent?.()).toBe(false)
    expect(await first.order?.()).toBe(1)
    // What comes later does not move it.
    const input = { version: 2 as const, family: 'phrases' as const, main: 'phrases' as const }
    await dataset.storage.write(
      'phrases/other/00000.json',
      JSON.stringify(recordWith({ ...input, stage: 'other', order: 5 })),
    )
    expect(await second.order?.()).toBe(1)
    await opened.close()
  })

  it('chunks the captions of pictures again where they have changed, or others are dropped', async () => {
    const dataset = await newDataset()
    const outputs: StageOutput[] = [{ name: 'web', dataset, images: 'web', missing: ['00001'] }]
    const { context } = stageContext(undefined, outputs)
    const stage = stageAs(chunk, 'words', ['web'])
    expect(await chunk.offers(stage, context)).toEqual({
      ...{ dataset, selection: undefined, phrases: 'words', missing: ['00001'] },
    })
    const opened = await chunk.open(stage, 'c', context)
    const made = await opened.make('00000', {})
    expect(made.record.inputs).toEqual({ images: await hashOfFile(dataset.storage, 'images', null, '00000') })
    expect(made).toMatchObject({ skipped: false, record: { in: 1, out: 1, stage: 'words' } })
    expect((await opened.make('00000', {})).skipped).toBe(true)
    await putShard(dataset.storage, 'selection', 'once', '00000', [
      { key: '000000000', reason: 'duplicate_url', duplicate_of: 'x' },
    ])
    const thin = { name: 'once', dataset, selection: 'once', missing: [] }
    const { context: behind } = stageContext(undefined, [thin])
    const again = await (await chunk.open(stageAs(chunk, 'words', ['once']), 'c', behind)).make('00000', {})
    expect(again.record.inputs.selection).toBe(
      await hashOfFile(dataset.storage, 'selection', 'once', '00000'),
    )
    expect(again.record.in).toBe(0)
  })
})

describe('a filter over a dataset', () => {
  const stages = { phrases: 'words', proposals: 'label' }
  const [frequency] = filterConfig.parse({
    rules: [{ rule: 'frequency_score', rare: 0.3, common: 0.4, frequent: 0.5 }],
  }).rules as [RuleConfig]

  async function newLabels() {
    const dataset = await newDataset()
    await putRows(dataset, 'phrases', 'words')
    for (const shard of dataset.shards)
      await putShard(dataset.storage, 'proposals', 'label', shard, [
        { key: `${shard}0000`, proposals: [], teacher: 'owl' },
      ])
    return dataset
  }

  it('is made of phrases and proposals, and of what its rules count', async () => {
    const dataset = await newLabels()
    const { storage } = dataset
    const plain = await openFilterStage(dataset, { rules: [{ rule: 'score', min: 0.5 }] }, stages)
    const files = {
      phrases: await hashOfFile(storage, 'phrases', 'words', '00001'),
      proposals: await hashOfFile(storage, 'proposals', 'label', '00001'),
    }
    expect(await plain.inputsOf('00001')).toEqual(files)
    expect((await plain.tools()).frequency).toBeUndefined()
    await plain.close()
    await putRows({ ...dataset, shards: ['00000'] }, 'phrases', 'words', 'a dog')
    const counted = await openFilterStage(dataset, { rules: [frequency] }, stages)
    const inputs = await counted.inputsOf('00001')
    expect(inputs).toEqual({ ...files, frequency: hashJson([['dog', 2]]) })
    expect((await counted.tools()).frequency).toEqual(new Map([['dog', 2]]))
    await counted.close()
    // Which word comes first makes no difference.
    const phrase = { caption: 0, text: 'a', start: 0, end: 1 }
    const of = (head: string, shard: string) =>
      putShard(storage, 'phrases', 'words', shard, [{ key: `${shard}0000`, phrases: [{ ...phrase, head }] }])
    const hashOf = async () =>
      (await (await openFilterStage(dataset, { rules: [frequency] }, stages)).inputsOf('00000')).frequency
    await of('zebra', '00000')
    await of('ant', '00001')
    const zebraFirst = await hashOf()
    await of('ant', '00000')
    await of('zebra', '00001')
    expect(await hashOf()).toBe(zebraFirst)
  })

  it('opens what its rules name once, when a shard asks for it', async () => {
    const dataset = await newLabels()
    const path = join(await temporaryFolder(), 'calibration.json')
    const calibration = { method: 'temperature', temperature: 2 } as const
    const ece = { before: 0.2, after: 0.1 }
    await writeCalibration(path, { version: 1, teacher: 'owl', calibration, judged: 3, ece, bins: [] })
    const rules: RuleConfig[] = [{ rule: 'calibrate', file: path, any_teacher: false }]
    const opened = await openFilterStage(dataset, { rules }, stages)
    const inputs = await opened.inputsOf('00000')
    expect(inputs[`calibrate ${path}`]).toMatch(/^[0-9a-f]{64}$/)
    const { calibrations } = await opened.tools()
    expect(calibrations?.has(path)).toBe(true)
    expect((await opened.tools()).calibrations).toBe(calibrations)
    await opened.close()
    // What cannot be opened any more is said once, and closed without a word.
    const failing = await openFilterStage(dataset, { rules }, stages)
    await writeFile(path, '{')
    await expect(failing.tools()).rejects.toThrow(UserError)
    await failing.close()
    await expect(openFilterStage(dataset, { rules }, stages)).rejects.toThrow(UserError)
  })
})

describe('a stage that exports', () => {
  const dog: PictureSpec = {
    captions: [{ text: 'a dog', kind: 'web' }],
    regions: [{ caption: 0, start: 0, end: 5, xyxy: [0, 0, 20, 20], score: 0.5, origin: 'made' }],
  }
  async function newRun() {
    const run = openStorage(await temporaryFolder())
    const source = await groundedDataset(run.path('web'), [[dog, { ...dog, dropped: 'twice' }]])
    const { storage, shards } = source
    const dataset = { name: 'web', storage, shards }
    const negatives = ['000000000', '000000001'].map((key) => ({
      ...{ key, negatives: [], exhaustive: true, partial: [], teacher: null },
    }))
    await putShard(storage, 'negatives', 'mined', '00000', negatives)
    const kept = { dataset, grounding: 'found', phrases: 'words', missing: [] }
    const outputs: StageOutput[] = [
      { name: 'kept', ...kept },
      { name: 'thin', ...kept, selection: 'once' },
      { name: 'mined', dataset, negatives: 'mined', missing: [] },
      { name: 'more', dataset, negatives: 'more', missing: [] },
      { name: 'far', dataset: { ...dataset, storage: openStorage('/far') }, negatives: 'x', missing: [] },
    ]
    return { run, outputs }
  }
  const stageWith = (needs: readonly string[], config: object = {}) =>
    stageAs(exportKind, 'boxes', needs, { format: 'coco', ...config })

  it('leaves a folder in its run or where it is told to, and finds it there', async () => {
    const { run, outputs } = await newRun()
    const { context } = stageContext(run, outputs)
    const made = await exportKind.run(stageWith(['kept', 'far']), 'c', context)
    expect(made).toMatchObject({ skipped: false, offers: { missing: [] } })
    expect(made.result.report.written.images).toBe(2)
    expect(await run.exists('exports/boxes/export.json')).toBe(true)
    expect((await exportKind.run(stageWith(['kept']), 'c', context)).skipped).toBe(true)
    expect(await exportKind.find(stageWith(['kept']), 'c', context)).toBeUndefined()
    const out = join(await temporaryFolder(), 'out')
    const thin = await exportKind.run(stageWith(['thin'], { out }), 'c', context)
    expect(thin.result.report.written.images).toBe(1)
    expect(thin.result.report.config).not.toHaveProperty('out')
    expect(await openStorage(out).exists('export.json')).toBe(true)
  })

  it('replaces another export, or any, only where it is told to', async () => {
    const { run, outputs } = await newRun()
    const go = (needs: readonly string[], replace: 'none' | 'other' | 'any') =>
      exportKind.run(stageWith(needs), 'c', stageContext(run, outputs, { replace }).context)
    await go(['kept'], 'none')
    await expect(go(['thin'], 'none')).rejects.toThrow(UserError)
    expect((await go(['thin'], 'other')).skipped).toBe(false)
    expect((await go(['thin'], 'other')).skipped).toBe(true)
    expect((await go(['thin'], 'any')).skipped).toBe(false)
  })

  it('takes what one stage has mined, and the licence that the dataset names', async () => {
    const { run, outputs } = await newRun()
    await run.remove('web/dataset.json')
    await createDataset(openStorage(run.path('web')), {
      ...{ name: 'web', card: { license: 'cc-by-4.0' }, shards: ['00000'] },
    })
    const { context, said } = stageContext(run, outputs)
    const made = await exportKind.run(stageWith(['kept', 'mined'], { format: 'coco' }), 'c', context)
    expect(made.result.report).toMatchObject({ negatives: 'mined' })
    expect(said.progress.length).toBeGreaterThan(0)
    const files = await run.list('exports/boxes')
    const card = files.find((name) => name.endsWith('README.md'))
    if (card) expect(Buffer.from((await run.read(card)) ?? []).toString()).toContain('cc-by-4.0')
  })

  it('is refused where shards failed, several stages mined, or there is no folder for it', async () => {
    const { run, outputs } = await newRun()
    const refused = async (
      needs: readonly string[],
      given: Storage | undefined,
      missing: readonly string[] = [],
    ) => {
      const all = outputs.map((output) => ({ ...output, missing: output.name === 'kept' ? missing : [] }))
      const { context } = stageContext(given, all)
      return exportKind.run(stageWith(needs), 'c', context).then(
        () => undefined,
        (error: unknown) => error as Error,
      )
    }
    const lost = await refused(['kept'], run, ['00003', '00004'])
    expect(lost).not.toBeInstanceOf(UserError)
    expect(lost?.message).toContain('without 2 shards of "kept" that failed: 00003, 00004')
    const several = await refused(['kept', 'mined', 'more'], run)
    expect(several).toBeInstanceOf(UserError)
    expect(several?.message).toContain('mined, more')
    for (const given of [undefined, openStorage(server.url('run'))]) {
      const error = await refused(['kept'], given)
      expect(error).toBeInstanceOf(UserError)
      expect(error?.message).toContain('set `out`')
    }
    expect(await refused(['mined'], run)).toBeInstanceOf(UserError)
  })
})

describe('a stage that mines', () => {
  async function newGold() {
    const dataset = await newDataset()
    for (const family of ['phrases', 'grounding'] as const) await putRows(dataset, family, 'gold')
    const gold = { name: 'gold', dataset, phrases: 'gold', grounding: 'gold', missing: ['00001'] }
    return { dataset, gold }
  }

  it('needs gold that says what is not in its pictures, in one shard at least', async () => {
    const { dataset, gold } = await newGold()
    const { context } = stageContext(undefined, [gold])
    const stage = stageAs(mine, 'hard', ['gold'], { model: 'none' })
    await expect(mine.open(stage, 'c', context)).rejects.toThrow('Nothing says what is not in the pictures')
    expect(await mine.offers(stage, context)).toEqual({ dataset, negatives: 'hard', missing: ['00001'] })
    await putRows({ ...dataset, shards: ['00001'] }, 'negatives', 'gold')
    await (await mine.open(stage, 'c', context)).close()
  })

  it('is made of the gold of the whole dataset, and of its shard', async () => {
    const { dataset, gold } = await newGold()
    await putRows(dataset, 'negatives', 'gold')
    const { storage } = dataset
    const { context } = stageContext(undefined, [gold])
    for (const config of [{ model: 'none' }, {}]) {
      const opened = await mine.open(stageAs(mine, 'hard', ['gold'], config), 'c', context)
      const { record } = await opened.make('00000', {})
      const of = (family: 'phrases' | 'negatives', shard: string) =>
        hashOfFile(storage, family, 'gold', shard)
      expect(record.inputs).toEqual({
        names: hashJson(
          await Promise.all(
            dataset.shards.map(async (shard) => [await of('phrases', shard), await of('negatives', shard)]),
          ),
        ),
        images: await hashOfFile(storage, 'images', null, '00000'),
        phrases: await of('phrases', '00000'),
        grounding: await hashOfFile(storage, 'grounding', 'gold', '00000'),
        negatives: await of('negatives', '00000'),
      })
      await opened.close()
    }
    // A shard that is not there has no names.
    const more = { ...gold, dataset: { ...dataset, shards: [...dataset.shards, '00007'] } }
    const opened = await mine.open(
      stageAs(mine, 'hard', ['gold'], { model: 'none' }),
      'd',
      stageContext(undefined, [more]).context,
    )
    expect(opened.rows).toBeDefined()
  })
})
