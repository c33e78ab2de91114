import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { describe, expect, it } from 'vitest'
import { openQueueEngine } from '../../../src/pipeline/queue/queue-engine.js'
import { findFileResult, pipelines, tasksOf } from '../../helpers/fake-tasks.js'
import {
  type AtEnd,
  fakeRun,
  logged,
  names,
  startQueueProcess,
  startWorker,
  until,
} from '../../helpers/queue-tasks.js'
import { hasRedis, redisServer } from '../../helpers/redis-server.js'
import { some } from '../../helpers/thorough.js'

/** A server with tasks under way in it. */
async function begin(atEnd: AtEnd, which: readonly string[], workers = 2) {
  const redis = await redisServer(atEnd)
  const run = await fakeRun(atEnd)
  const work = (settings = {}) => startWorker(redis.url, ['cpu'], settings, atEnd)
  const notices: string[] = []
  const engine = await openQueueEngine({
    url: redis.url,
    pipeline: {},
    findResult: findFileResult,
    reconcileMs: 500,
    onNotice: (text) => notices.push(text),
  })
  atEnd(() => engine.close())
  const all = Promise.all(tasksOf(run, which).map((task) => engine.submit(task, 'cpu', {})))
  const started = Array.from({ length: workers }, () => work())
  /** When all is done: every task has its file, whole, and nothing is left in Redis. */
  const allDone = async () => {
    const results = await all
    expect(results).toHaveLength(which.length)
    expect(filesOf(run)).toEqual(which.map((name) => `${name}.json`).sort())
    const queue = new Queue('cpu', { prefix: 'groundmill-2', connection: { url: redis.url } })
    await until(
      async () => (await queue.getJobCountByTypes('waiting', 'prioritized', 'active', 'delayed')) === 0,
    )
    expect(await queue.getFailedCount()).toBe(0)
    await queue.close()
    await engine.close()
  }
  return { redis, run, work, notices, workers: started, allDone }
}

const filesOf = (run: string) =>
  readdirSync(join(run, 'chunk'))
    .map((name) => `chunk/${name}`)
    .sort()

/** Lines of the second to deal with the slow task. */
const takenOver = (run: string) =>
  [...logged(run, 'begun'), ...logged(run, 'skipped')].filter((line) => line.includes(' slow ')).slice(1)

const made = (run: string, count: number) => until(() => logged(run, 'made').length >= count)

// Each has a Redis of its own, and waits most of its time: for locks that run out, and for slow tasks.
describe.skipIf(!hasRedis).concurrent('a queue loses nothing and makes nothing twice', () => {
  it('when a worker is killed', async ({ onTestFinished }) => {
    const { run, workers, allDone } = await begin(onTestFinished, [
      ...names(30),
      'chunk/slow',
      'chunk/slower',
    ])
    await made(run, 10)
    workers[0]?.child.kill('SIGKILL')
    await allDone()
    expect(logged(run, 'made')).toHaveLength(32)
  })

  it('when Redis is killed and started again', async ({ onTestFinished }) => {
    const { redis, run, notices, allDone } = await begin(onTestFinished, names(60))
    await made(run, 15)
    await redis.kill()
    await new Promise((resolve) => setTimeout(resolve, 3000))
    await redis.start()
    await allDone()
    expect(notices).toContain(`Redis at ${redis.url} is away; going on when it is back.`)
    expect(notices).toContain(`Redis at ${redis.url} is back.`)
    expect(logged(run, 'made').length).toBe(60)
  })

  it('when Redis loses all that it had', async ({ onTestFinished }) => {
    const { redis, run, allDone } = await begin(onTestFinished, names(60))
    await made(run, 15)
    await redis.empty()
    await redis.start()
    await allDone()
    expect(logged(run, 'made')).toHaveLength(60)
  })

  it('when the coordinator is killed and another one goes on', async ({ onTestFinished }) => {
    const redis = await redisServer(onTestFinished)
    const run = await fakeRun(onTestFinished)
    const all = names(80)
    const settings = { url: redis.url, run, pipeline: pipelines[0], names: all }
    startWorker(redis.url, ['cpu'], {}, onTestFinished)
    const first = startQueueProcess('coordinator', settings, onTestFinished)
    await made(run, 20)
    first.child.kill('SIGKILL')
    const second = startQueueProcess('coordinator', settings, onTestFinished)
    expect(await second.ended).toMatchObject({ code: 0, err: '' })
    expect(filesOf(run)).toHaveLength(80)
    expect(logged(run, 'made')).toHaveLength(80)
  })

  it.for(some(['with its child'], ['alone', 'with its child']))(
    'when a worker stands still for longer than its lock, %s',
    async (how, { onTestFinished }) => {
      const { run, work, workers, allDone } = await begin(onTestFinished, ['chunk/slow', ...names(20)], 1)
      await until(() => logged(run, 'begun').length > 0)
      const pid = workers[0]?.child.pid ?? 0
      const asleep = how === 'alone' ? pid : -pid
      process.kill(asleep, 'SIGSTOP')
      work()
      // The other one has taken it over: it makes it too, or finds what the child has made.
      await until(() => takenOver(run).length > 0)
      process.kill(asleep, 'SIGCONT')
      await allDone()
      expect(new Set(logged(run, 'made').map((line) => line.split(' ')[2])).size).toBe(21)
    },
  )

  it('keeps a task whose child process is blocked for longer than the lock', async ({ onTestFinished }) => {
    const { run, allDone } = await begin(onTestFinished, ['chunk/slow-blocked-00000'])
    await allDone()
    expect(logged(run, 'begun')).toHaveLength(1)
  })
})

describe.skipIf(!hasRedis).concurrent('a worker that is told to end', () => {
  it('finishes what it can, takes nothing more, and ends with 130', async ({ onTestFinished }) => {
    const { run, work, workers, allDone } = await begin(onTestFinished, ['chunk/slow', ...names(5)], 1)
    await until(() => logged(run, 'begun').length > 0)
    workers[0]?.child.kill('SIGTERM')
    const ended = await workers[0]?.ended
    expect(ended?.code).toBe(130)
    expect(JSON.parse(ended?.out ?? '')).toMatchObject({ made: 1, 'put-back': 0, failed: 0 })
    work()
    await allDone()
  })

  it.for(some(['slow'], ['slow', 'slow-blocked']))(
    'puts back what takes too long, and kills what does not stop: %s',
    async (shard, { onTestFinished }) => {
      const { run, work, allDone } = await begin(onTestFinished, [`chunk/${shard}`], 0)
      const hasty = work({ graceMs: 100 })
      await until(() => logged(run, 'begun').length > 0)
      hasty.child.kill('SIGTERM')
      const { code, out } = await hasty.ended
      expect(code).toBe(130)
      expect(JSON.parse(out)).toMatchObject({ made: 0, 'put-back': 1, failed: 0 })
      work()
      await allDone()
      expect(logged(run, 'begun')).toHaveLength(2)
      expect(logged(run, 'made')).toHaveLength(1)
    },
  )
})
