import { writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import type { Engine } from '../../../src/pipeline/engines/engine.js'
import { openQueueEngine, type QueueEngineOptions } from '../../../src/pipeline/queue/queue-engine.js'
import { findFileResult, madeBy, pipelines, tasksOf } from '../../helpers/fake-tasks.js'
import {
  type AtEnd,
  fakeRun,
  logged,
  names,
  pipelineFile,
  startQueueProcess,
  startWorker,
  until,
} from '../../helpers/queue-tasks.js'
import { hasRedis, redisServer } from '../../helpers/redis-server.js'

/** A Redis of a test's own, and what works with it; all of it ends with the test. */
async function begin(atEnd: AtEnd) {
  const redis = await redisServer(atEnd)
  const { url } = redis
  return {
    redis,
    newRun: () => fakeRun(atEnd),
    work: (settings = {}) => startWorker(url, ['cpu'], settings, atEnd),
    coordinate: (settings: object) => startQueueProcess('coordinator', { url, ...settings }, atEnd),
    async openEngine(options: Partial<QueueEngineOptions> = {}): Promise<Engine> {
      const own = { url, pipeline: {}, findResult: findFileResult, reconcileMs: 500 }
      const engine = await openQueueEngine({ ...own, ...options })
      atEnd(() => engine.close())
      return engine
    },
    openQueue(prefix = 'groundmill-2') {
      const queue = new Queue('cpu', { prefix, connection: { url } })
      atEnd(() => queue.close())
      return queue
    },
  }
}

const submitAll = (engine: Engine, run: string, which: readonly string[], signal?: AbortSignal) =>
  Promise.allSettled(tasksOf(run, which).map((task) => engine.submit(task, 'cpu', signal ? { signal } : {})))

const reasons = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))

describe.skipIf(!hasRedis).concurrent('a queue', () => {
  it('has tasks done by workers, later stages first, and tells what they gave', async ({
    onTestFinished,
  }) => {
    const { newRun, work, openEngine } = await begin(onTestFinished)
    const run = await newRun()
    const engine = await openEngine()
    const progress: unknown[] = []
    const notices: string[] = []
    const early = tasksOf(run, names(4, 'chunk')).map((task) => engine.submit(task, 'cpu', { priority: 1 }))
    const late = tasksOf(run, [...names(3, 'filter'), 'filter/slow', 'filter/warned']).map((task) =>
      engine.submit(task, 'cpu', {
        priority: 2,
        onProgress: (...all) => progress.push(all),
        onNotice: (text) => notices.push(text),
      }),
    )
    work()
    const results = await Promise.all([...early, ...late])
    expect(results.every(({ skipped, out }) => !skipped && out === 1)).toBe(true)
    expect(logged(run, 'made').map((line) => line.split(' ')[1])).toEqual([
      ...Array(5).fill('filter'),
      ...Array(4).fill('chunk'),
    ])
    expect(progress.length).toBeGreaterThan(0)
    expect(progress.length).toBeLessThan(6)
    expect(progress[0]).toEqual([1, 2, 'half'])
    expect(notices).toContain('from https://host/x')
    expect(results.at(-1)?.warnings).toEqual(['see s3://bucket/x'])
    const again = await submitAll(engine, run, names(2))
    expect(again).toMatchObject(Array(2).fill({ status: 'fulfilled', value: { skipped: true } }))
  })

  it('sets a task aside at once where the user must mend something, and tries others three times', async ({
    onTestFinished,
  }) => {
    const { newRun, work, openEngine, openQueue } = await begin(onTestFinished)
    const run = await newRun()
    work()
    const engine = await openEngine()
    const results = await submitAll(engine, run, ['chunk/bad', 'chunk/flaky', 'chunk/broken'])
    const [bad, broken] = reasons(results)
    expect(bad).toBeInstanceOf(UserError)
    expect(bad?.message).toBe('chunk: row 7 of https://host/list')
    expect(broken).not.toBeInstanceOf(UserError)
    expect(broken?.message).toBe('no answer from https://host/list')
    expect(results[1]).toMatchObject({ status: 'fulfilled' })
    const begun = logged(run, 'begun').map((line) => line.split(' ')[2])
    expect(begun.sort()).toEqual(['bad', 'broken', 'broken', 'broken', 'flaky', 'flaky', 'flaky'])
    // What failed is kept for who looks, and does not block the next run.
    const queue = openQueue()
    expect(await queue.getFailedCount()).toBe(2)
    expect(reasons(await submitAll(engine, run, ['chunk/bad']))).toHaveLength(1)
    expect(logged(run, 'begun').filter((line) => line.includes('bad'))).toHaveLength(2)
  })

  it('puts back what cannot be done here and now, without spending a try', async ({ onTestFinished }) => {
    const { newRun, work, openEngine } = await begin(onTestFinished)
    const run = await newRun()
    const hidden = await newRun()
    await rm(pipelineFile(hidden, pipelines[0]))
    const notices: string[] = []
    work()
    const engine = await openEngine({ onNotice: (text) => notices.push(text) })
    const locked = submitAll(engine, run, ['chunk/locked'])
    await until(() => logged(run, 'begun').length > 4)
    writeFileSync(join(run, 'unlocked'), '')
    expect(await locked).toMatchObject([{ status: 'fulfilled' }])
    const unseen = submitAll(engine, hidden, names(2))
    await until(() => notices.some((text) => text.includes('cannot be read')))
    writeFileSync(pipelineFile(hidden, pipelines[0]), '{}')
    expect(reasons(await unseen)).toEqual([])
    expect(logged(hidden, 'begun')).toHaveLength(2)
    expect(notices.find((text) => text.includes('locked'))).toMatch(
      /^chunk locked waits: host-1, process 7, works there since noon \(worker .+\)$/,
    )
  })

  it('says when nobody takes the tasks of a resource, and takes them back when it is interrupted', async ({
    onTestFinished,
  }) => {
    const { newRun, work, openEngine, openQueue } = await begin(onTestFinished)
    const run = await newRun()
    const notices: string[] = []
    work()
    const engine = await openEngine({ onNotice: (text) => notices.push(text) })
    const interrupt = new AbortController()
    const gpu = engine.submit(tasksOf(run, ['teach/a'])[0]!, 'gpu', { signal: interrupt.signal })
    const cpu = submitAll(engine, run, [...names(9), 'filter/slow'], interrupt.signal)
    const lonely =
      'No worker takes gpu tasks, and 1 wait: start groundmill worker --take gpu with this queue.'
    await until(() => notices.includes(lonely))
    await until(() => logged(run, 'begun').some((line) => line.includes('slow')))
    interrupt.abort(new DOMException('interrupted', 'AbortError'))
    await expect(gpu).rejects.toThrow('interrupted')
    expect(reasons(await cpu).map(({ message }) => message)).toContain('interrupted')
    const queue = openQueue()
    await until(
      async () => (await queue.getJobCountByTypes('waiting', 'prioritized', 'active', 'delayed')) === 0,
    )
    expect(logged(run, 'made').filter((line) => line.includes('slow'))).toEqual([])
    expect(reasons(await submitAll(engine, run, ['filter/slow']))).toEqual([])
  })

  it('is not seen by workers of another protocol', async ({ onTestFinished }) => {
    const { newRun, work, openEngine, openQueue } = await begin(onTestFinished)
    const run = await newRun()
    work()
    const engine = await openEngine()
    const other = openQueue('groundmill-9')
    await other.add('chunk', tasksOf(run, ['chunk/other'])[0], { jobId: 'other' })
    await submitAll(engine, run, names(3))
    expect(await other.getWaitingCount()).toBe(1)
    expect(logged(run, 'made')).toHaveLength(3)
  })

  it('leaves nothing of an older pipeline that could win over the new one', async ({ onTestFinished }) => {
    const { newRun, work, coordinate, openEngine, openQueue } = await begin(onTestFinished)
    const run = await newRun()
    const slow = ['chunk/slow', ...names(3)]
    const [current, old] = pipelines
    work()
    const before = coordinate({ run, pipeline: old, names: slow })
    await until(() => logged(run, 'begun').some((line) => line.includes('slow')))
    before.child.kill('SIGKILL')
    await before.ended
    const engine = await openEngine()
    expect(reasons(await submitAll(engine, run, slow))).toEqual([])
    expect(new Set(tasksOf(run, slow).map(madeBy))).toEqual(new Set([current]))
    const queue = openQueue()
    expect(await queue.getJobCountByTypes('waiting', 'prioritized', 'active', 'delayed')).toBe(0)
  })

  it('drops what nobody asks for of a run that is gone', async ({ onTestFinished }) => {
    const { work, openQueue } = await begin(onTestFinished)
    const queue = openQueue()
    await queue.add('chunk', tasksOf('/nowhere', ['chunk/a'])[0], { jobId: 'left', removeOnComplete: true })
    const worker = work({ unreadableUntilMs: 1000 })
    await until(async () => (await queue.getJob('left')) === undefined)
    worker.child.kill('SIGTERM')
    expect(JSON.parse((await worker.ended).out)).toMatchObject({ made: 0, failed: 0, left: 1 })
  })

  it('has no secret in what Redis writes', async ({ onTestFinished }) => {
    const { redis, newRun, work, openEngine } = await begin(onTestFinished)
    const run = await newRun()
    work()
    const engine = await openEngine()
    await expect(
      engine.submit({ ...tasksOf(run, ['a/b'])[0]!, run: 's3://me:pa55word@bucket/run' }, 'cpu', {}),
    ).rejects.toThrow('The run: an address with a user or a password cannot go through a queue')
    await submitAll(engine, run, ['chunk/bad', 'chunk/broken', 'chunk/warned', 'chunk/slow'])
    const written = await redis.written()
    expect(written).toContain('no answer from https://host/list')
    expect(written).not.toMatch(/pa55word|t0ken/)
    expect(written).not.toMatch(/\bat .+\.[jt]s:\d+/)
  })
})
