import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { parsePipeline } from '../../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../../src/pipeline/run-pipeline.js'
import { openTaskRunner, type TaskRunner } from '../../../src/pipeline/tasks/run-task.js'
import { lastPipeline } from '../../../src/pipeline/tasks/stored-pipeline.js'
import { type Task, type TaskOptions, taskProtocol } from '../../../src/pipeline/tasks/task.js'
import { StageError } from '../../../src/pipeline/tasks/task-error.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { handEngine } from '../../helpers/hand-engine.js'
import { smallCrawl } from '../../helpers/small-crawl.js'

const { folder, web, gold, list, instances, status, visits, writeList } = await smallCrawl()
const chunk = (name: string, ...needs: readonly string[]) => ({ name, uses: 'chunk', needs })
const thin = { name: 'thin', uses: 'dedup', needs: ['gold'] }
const check = { name: 'check', uses: 'audit', needs: ['gold', 'thin'], with: { truth: 'gold' } }
const out = {
  name: 'out',
  uses: 'export',
  needs: ['gold'],
  with: { format: 'coco', out: join(folder, 'out') },
}

let count = 0
beforeEach(async () => {
  status.clear()
  visits.clear()
  await writeList([0, 1, 2, 3, 4, 5])
})

type Make = (name: string, options?: TaskOptions & Partial<Task>) => ReturnType<TaskRunner['run']>

/** A run whose pipeline is stored and whose shards are known, of which nothing is made; and what makes tasks in it. */
async function begin(stages: readonly object[], again?: string) {
  const url = again ?? join(folder, `run-${count++}`)
  // What is submitted is said to be made, and is not.
  await runPipeline(await parsePipeline({ name: 'p', stages }), url, { engine: handEngine(9) })
  const run = openStorage(url)
  const pipeline = (await lastPipeline(run)) as string
  const runner = openTaskRunner()
  onTestFinished(async () => void (await runner.close()))
  const make: Make = (name, { signal, onProgress, onNotice, ...changes } = {}) => {
    const [stage = '', shard] = name.split('/')
    const task = { v: taskProtocol as typeof taskProtocol, run: url, pipeline, session: 'first', stage }
    const options = {
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
      ...(onNotice && { onNotice }),
    }
    return runner.run({ ...task, ...(shard !== undefined && { shard }), ...changes }, options)
  }
  return { url, run, runner, make }
}

const shards = ['00000', '00001', '00002']
async function makeAll(make: Make, ...stages: readonly string[]) {
  for (const stage of stages) for (const shard of shards) await make(`${stage}/${shard}`)
}

describe('a task', () => {
  it('makes a shard, and finds it made', async () => {
    const { make } = await begin([web, chunk('words', 'web')])
    status.set(1, 404)
    const seen: [number, number][] = []
    const onProgress = (done: number, total: number) => void seen.push([done, total])
    const made = await make('web/00000', { onProgress })
    expect(made).toMatchObject({
      skipped: false,
      in: 2,
      out: 1,
      rejected: { http_404: 1 },
      failed: [],
      warnings: [],
    })
    expect(made).not.toHaveProperty('tried')
    expect(seen.at(-1)).toEqual([2, 2])
    expect(await make('web/00000')).toEqual({ ...made, skipped: true })
    expect(await make('words/00000')).toMatchObject({ skipped: false, in: 1, out: 1, rejected: {} })
    expect([...visits.keys()].sort()).toEqual(['/0.jpg', '/1.jpg'])
  })

  it('of a shard whose inputs are not there, or that is none, is not done', async () => {
    const { make } = await begin([web, chunk('words', 'web')])
    const seen: number[] = []
    await expect(make('words/00000', { onProgress: (_, total) => void seen.push(total) })).rejects.toThrow()
    await expect(make('web/00009')).rejects.toThrow('has no shard 00009')
    await make('web/00000')
    expect(await make('words/00000')).toMatchObject({ skipped: false })
  })

  it('tries rejected rows again where it says so', async () => {
    const { make } = await begin([web])
    status.set(1, 404)
    await make('web/00000')
    status.clear()
    expect(await make('web/00000', { session: 'a' })).toMatchObject({ skipped: true, out: 1 })
    expect(await make('web/00000', { session: 'b', retry: 'all' })).toMatchObject({ skipped: false, out: 2 })
  })

  it('says what came of a shard that stays as it was, and lets pictures go where it says so', async () => {
    const { make, url } = await begin([web])
    await make('web/00000')
    await writeList([6, 7, 2, 3, 4, 5])
    status.set(6, 503).set(7, 404)
    const changed = await begin([web], url)
    const kept = await changed.make('web/00000')
    expect(kept).toMatchObject({ skipped: true, in: 2, out: 2, rejected: {} })
    expect(kept.tried).toMatchObject({ in: 2, out: 0, rejected: { http_503: 1, http_404: 1 } })
    expect(kept.warnings).toEqual([expect.stringContaining('stays as it was')])
    // Each warning is told with the task that it is of.
    expect((await changed.make('web/00001')).warnings).toEqual([])
    const dropped = await changed.make('web/00000', { session: 'second', drop: true })
    expect(dropped).toMatchObject({ skipped: false, out: 0, warnings: [] })
  })

  it('over several shards goes through all that are not missing, and gives their sums', async () => {
    const { make } = await begin([gold, thin])
    for (const shard of ['00000', '00002']) await make(`gold/${shard}`)
    const seen: string[] = []
    const made = await make('thin', {
      missing: { gold: ['00001'] },
      onProgress: (done, total) => void seen.push(`${done} of ${total}`),
    })
    expect(made).toMatchObject({ skipped: false, in: 4, failed: [], warnings: [] })
    expect(seen.at(-1)).toBe('4 of 4')
    await make('gold/00001')
    const whole = await make('thin')
    expect(whole).toMatchObject({ skipped: false, in: 6 })
    expect(await make('thin')).toEqual({ ...whole, skipped: true })
  })

  it('over several shards names those that it could not make', async () => {
    const { make } = await begin([gold, thin])
    await makeAll(make, 'gold')
    const { skipped, failed } = await make('thin', { missing: { gold: ['00000'] } })
    expect([skipped, failed.map(({ shard }) => shard)]).toEqual([false, ['00001', '00002']])
  })

  it('that is one thing has no sums', async () => {
    const { make } = await begin([gold, thin, check])
    await makeAll(make, 'gold')
    await make('thin')
    const none = { in: 0, out: 0, rejected: {}, relabelled: {}, counts: {}, failed: [], warnings: [] }
    expect(await make('check')).toEqual({ skipped: false, ...none })
    expect(await make('check')).toEqual({ skipped: true, ...none })
  })

  it('is not of a stage or pipeline that there is not', async () => {
    const { make } = await begin([web])
    await expect(make('wob/00000')).rejects.toThrow('the pipeline p has no stage "wob"')
    await expect(make('web/00000', { pipeline: 'f'.repeat(64) })).rejects.toThrow(UserError)
    // The next one is of the first pipeline again.
    expect(await make('web/00000')).toMatchObject({ skipped: false })
  })

  it('ends when it is told to, with the reason', async () => {
    const { make } = await begin([gold, thin])
    const reason = new Error('ctrl-c')
    await expect(make('gold/00000', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await makeAll(make, 'gold')
    await expect(make('thin', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('what a task is made of', () => {
  it('has to be there where it needs it, and is looked for again', async () => {
    const { make } = await begin([gold, thin, check, chunk('words', 'gold', 'check')])
    await makeAll(make, 'gold')
    await make('thin')
    await expect(make('words/00000')).rejects.toThrow('what "check" makes is not there')
    await expect(make('words/00000')).rejects.not.toThrow(StageError)
    await make('check')
    expect(await make('words/00000')).toMatchObject({ skipped: false })
  })

  it('may be what leaves no word in the run', async () => {
    const { make } = await begin([gold, out, chunk('words', 'gold', 'out')])
    await make('gold/00000')
    expect(await make('words/00000')).toMatchObject({ skipped: false })
  })

  it('may share a word with a stage that has not run', async () => {
    const named = {
      ...check,
      name: 'named',
      with: { truth: 'gold', by: 'category', synonyms: { dog: ['check'] } },
    }
    const { make } = await begin([gold, thin, check, named])
    await makeAll(make, 'gold')
    await make('thin')
    expect(await make('named')).toMatchObject({ skipped: false })
  })
})

describe('the stages of a runner', () => {
  it('stay open for their next shards, until those of four others are', async () => {
    const { make } = await begin([gold, ...['a', 'b', 'c', 'd'].map((name) => chunk(name, 'gold'))])
    await make('gold/00000')
    const hidden = `${instances}.hidden`
    await rename(instances, hidden)
    onTestFinished(() => rename(hidden, instances).catch(() => {}))
    // Who has not read the boxes before cannot now.
    await make('gold/00001')
    for (const name of ['a', 'b', 'c']) await make(`${name}/00000`)
    await make('gold/00001')
    for (const name of ['a', 'b', 'c', 'd']) await make(`${name}/00001`)
    const failed = make('gold/00002')
    await expect(failed).rejects.toThrow(StageError)
    await expect(make('gold/00002')).rejects.toThrow(StageError)
    await rename(hidden, instances)
    expect(await make('gold/00002')).toMatchObject({ skipped: false })
  })

  it('are opened anew for another run, or when it is run again', async () => {
    const { make, url } = await begin([web])
    await make('web/00000')
    const hidden = `${list}.hidden`
    await rename(list, hidden)
    onTestFinished(() => rename(hidden, list).catch(() => {}))
    for (const other of [{ session: 'second' }, { run: `${url}/` }]) {
      const failed = make('web/00001', other)
      await expect(failed).rejects.toThrow(StageError)
      await expect(failed).rejects.toThrow(UserError)
    }
  })

  it('are closed with what they still have to say', async () => {
    const { make, runner } = await begin([web])
    await make('web/00000')
    expect(await runner.close()).toEqual([])
    expect(await make('web/00000')).toMatchObject({ skipped: true })
  })
})
