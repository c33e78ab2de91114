import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parsePipeline } from '../../../src/pipeline/read-pipeline.js'
import { chunk } from '../../../src/pipeline/stages/chunk.js'
import { exportKind } from '../../../src/pipeline/stages/export.js'
import { ingest } from '../../../src/pipeline/stages/ingest.js'
import { kindOf } from '../../../src/pipeline/stages/pipeline-config.js'
import type { StageOutput } from '../../../src/pipeline/stages/stage-context.js'
import { countFailed } from '../../../src/pipeline/tasks/count-failed.js'
import { findOutput } from '../../../src/pipeline/tasks/find-output.js'
import { hashOf, runStage, type StageOptions, stageContext } from '../../../src/pipeline/tasks/run-stage.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { smallCrawl } from '../../helpers/small-crawl.js'

const { folder, gold, instances } = await smallCrawl()
const pipelineOf = (...stages: readonly object[]) => parsePipeline({ name: 'p', stages })
const { stages } = await pipelineOf(
  gold,
  { name: 'words', uses: 'chunk', needs: ['gold'] },
  { name: 'check', uses: 'audit', needs: ['gold'], with: { truth: instances } },
)
const [source, words] = stages as [(typeof stages)[number], (typeof stages)[number]]

let count = 0
/** Runs `gold` of a new run; what it offers, and the run. */
async function begin() {
  const run = openStorage(join(folder, `run-${count++}`))
  const outputs = new Map<string, StageOutput>()
  const { output, outcome, result } = await runStage(kindOf(source), source, { run, outputs })
  outputs.set('gold', output)
  return { place: { run, outputs }, outcome, output, result }
}

describe('a stage that is run', () => {
  it('makes its shards, and offers what others need', async () => {
    const { place, outcome, output, result } = await begin()
    expect(outcome).toMatchObject({ ran: 3, skipped: 0, failed: [], warnings: [] })
    expect(outcome.seconds).toBeGreaterThan(0)
    expect(outcome.seconds).toBeLessThan(100)
    expect(output).toMatchObject({
      name: 'gold',
      config: source.with,
      images: 'gold',
      grounding: 'gold',
      missing: [],
    })
    expect(result).toMatchObject({ in: 6, out: 6 })
    const second = await runStage(kindOf(words), words, place)
    expect(second.output).toMatchObject({ name: 'words', config: words.with, phrases: 'words', missing: [] })
    // Without running them they offer the same.
    expect(await findOutput(words, place)).toEqual(second.output)
    const { dataset: _, ...rest } = output
    expect(await findOutput(source, place)).toMatchObject(rest)
  })

  it('makes no shard that is missing, and only those of its slice', async () => {
    const { place, output } = await begin()
    const outputs = new Map([['gold', { ...output, missing: ['00001'] }]])
    const began: string[] = []
    const options: StageOptions = { onTaskStart: ({ name }, shard) => void began.push(`${name}/${shard}`) }
    const rest = await runStage(chunk, words as never, { ...place, outputs }, options)
    expect(began).toEqual(['words/00000', 'words/00002'])
    expect(rest.output.missing).toEqual(['00001'])
    // A place in the dataset stays the same, whatever is missing.
    for (const [index, made] of [['00000', '00002'], []].entries()) {
      began.length = 0
      await runStage(chunk, words as never, { ...place, outputs }, { ...options, slice: { index, count: 2 } })
      expect(began).toEqual(made.map((shard) => `words/${shard}`))
    }
  })

  it('tells of a stage that is one task as of a task', async () => {
    const { place } = await begin()
    const told: unknown[] = []
    const { stages: more } = await pipelineOf(gold, {
      ...{ name: 'out', uses: 'export', needs: ['gold'], with: { format: 'coco' } },
    })
    const out = more[1] as never
    const options: StageOptions = {
      onTaskStart: ({ name, uses }, shard) => void told.push(['begins', name, uses, shard]),
      onProgress: (_, done, total) => void told.push(['stage', done, total]),
      onTaskProgress: (_, shard, done, total) => void told.push(['task', shard, done, total]),
      onTaskEnd: (_, shard, end) => void told.push(['ends', shard, end]),
    }
    const first = await runStage(exportKind, out, place, options)
    expect(first.outcome).toMatchObject({ ran: 1, skipped: 0, failed: [] })
    expect(told[0]).toEqual(['begins', 'out', 'export', undefined])
    expect(told.slice(-3)).toEqual([
      ['stage', 6, 6],
      ['task', undefined, 6, 6],
      ['ends', undefined, { in: 0, out: 0, rejected: {}, relabelled: {}, counts: {}, skipped: false }],
    ])
    const again = await runStage(exportKind, out, place, options)
    expect(again.outcome).toMatchObject({ ran: 0, skipped: 1 })
    expect(told.at(-1)).toMatchObject(['ends', undefined, { skipped: true }])
  })

  it('removes what a writer that died has left', async () => {
    const { place } = await begin()
    const left = 'gold/images/00001-0123456789abcdef.parquet'
    await place.run.write(left, 'half')
    await runStage(ingest, source as never, { ...place, outputs: new Map() })
    expect(await place.run.exists(left)).toBe(false)
  })

  it('that fails is closed, and names what it could not make', async () => {
    const { place, output } = await begin()
    const closed: string[] = []
    const failing = {
      ...chunk,
      open: async () => ({
        rows: async () => 1,
        inputs: async () => ({}),
        make: async (shard: string) => {
          throw Object.assign(new Error('no'), { code: 'EACCES', path: shard })
        },
        close: async () => void closed.push('closed'),
      }),
    }
    const { outcome, output: offered } = await runStage(failing, words as never, place)
    expect(outcome.failed.map(({ shard }) => shard)).toEqual(output.dataset?.shards)
    expect(offered.missing).toEqual(['00000', '00001', '00002'])
    expect(
      countFailed(
        new Map([
          ['words', outcome],
          ['more', outcome],
        ]),
      ),
    ).toBe(6)
    await expect(runStage(failing, words as never, place, { stopAtFailure: true })).rejects.toThrow()
    expect(closed).toEqual(['closed', 'closed'])
  })
})

describe('what a stage is run with', () => {
  it('is what is given, and else replaces only an export of other data', () => {
    const outputs = new Map()
    const warned: string[] = []
    const context = stageContext(words, { outputs }, {}, (text) => warned.push(text))
    expect(context).toMatchObject({ models: 'models/', drop: false, replace: 'other' })
    expect(context).toMatchObject({ run: undefined, retryFailed: undefined, outputs })
    context.warn('slow')
    context.progress(1, 2)
    context.notice('on a cpu')
    context.trainStart({} as never)
    expect(warned).toEqual(['slow'])
    const told: unknown[] = []
    const given = stageContext(
      words,
      { outputs, models: 'm/' },
      {
        ...{ retryFailed: 'all', drop: true, replace: 'any', others: async () => 'another' },
        onProgress: ({ name }, ...rest) => void told.push([name, ...rest]),
        onNotice: ({ name }, text) => void told.push([name, text]),
        onTrainStart: ({ name }) => void told.push([name]),
      },
      () => {},
    )
    expect(given).toMatchObject({ models: 'm/', retryFailed: 'all', drop: true, replace: 'any' })
    given.progress(1, 2, 'half')
    given.notice('on a cpu')
    given.trainStart({} as never)
    expect(told).toEqual([['words', 1, 2, 'half'], ['words', 'on a cpu'], ['words']])
  })

  it('is found out for one thing only where it is made', async () => {
    const { place } = await begin()
    const check = stages[2] as (typeof stages)[number]
    await expect(findOutput(check, place)).resolves.toBeUndefined()
  })
})

describe('the hash of a stage', () => {
  const hash = async (stage: object, outputs: ReadonlyMap<string, StageOutput> = new Map()) => {
    const [first] = (await pipelineOf({ name: 's', ...stage })).stages
    return hashOf(kindOf(first as never), first as never, outputs)
  }
  const crawl = { uses: 'ingest', with: { format: 'tsv', path: 'a.tsv', fetch: { concurrency: 8 } } }

  it('is of what decides its results, and not of how fast to work', async () => {
    const other = (changes: object) => hash({ ...crawl, with: { ...crawl.with, ...changes } })
    expect(await other({})).toBe(await hash(crawl))
    expect(await other({ max_transient_rate: 0.1 })).toBe(await hash(crawl))
    expect(await other({ image: { image_size: 20 } })).not.toBe(await hash(crawl))
    const audit = (truth: string, changes: object = {}) =>
      hash({ uses: 'audit', with: { truth, ...changes } })
    expect(await audit('a')).toBe(await audit('b'))
    expect(await audit('a')).not.toBe(await audit('a', { by: 'category' }))
  })

  it('is of the name of a stage that makes a model, and not of where a model lies', async () => {
    const train = (init: string, outputs?: ReadonlyMap<string, StageOutput>) =>
      hash({ uses: 'train', with: { init } }, outputs)
    expect(await train('/a')).toBe(await train('/b'))
    const outputs = new Map([['teacher', { name: 'teacher', missing: [] }]])
    expect(await train('teacher', outputs)).not.toBe(await train('/a', outputs))
    expect(await train('teacher', outputs)).not.toBe(await train('teacher'))
  })
})
