import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { openQueueEngine, type QueueEngineOptions } from '../../../src/pipeline/queue/queue-engine.js'
import { jobIdOf, stopChannel } from '../../../src/pipeline/queue/queue-job.js'
import { runQueueWorker } from '../../../src/pipeline/queue/queue-worker.js'
import { type Resource, resources } from '../../../src/pipeline/stages/resource.js'
import type { RunTask, Task } from '../../../src/pipeline/tasks/task.js'
import { fakeResult, pipelines, tasksOf } from '../../helpers/fake-tasks.js'
import { addJobs, bareQueue, connect, soon, soonDone } from '../../helpers/queue-here.js'
import { names } from '../../helpers/queue-tasks.js'
import { hasRedis, redisServer } from '../../helpers/redis-server.js'
import { tasksHere, untilStopped } from '../../helpers/tasks-here.js'

const [first, second] = tasksOf('/run', ['chunk/a', 'chunk/b']) as [Task, Task]
const quick: RunTask = async ({ shard }) => fakeResult({ warnings: [`made ${shard}`] })

describe.skipIf(!hasRedis)('an engine over a queue', async () => {
  if (!hasRedis) return
  const server = await redisServer()
  const { url } = server

  async function begin(options: Partial<QueueEngineOptions> = {}) {
    const queue = await bareQueue(url)
    const told: string[] = []
    const engine = await openQueueEngine({
      url,
      pipeline: {},
      reconcileMs: 20,
      onNotice: (text) => told.push(text),
      ...options,
    })
    onTestFinished(() => engine.close())
    return { engine, queue, told }
  }

  /** A worker in this process. */
  function work(take: readonly Resource[], how: RunTask) {
    const ending = new AbortController()
    const done = runQueueWorker({
      url,
      take,
      open: () => tasksHere(how),
      signal: ending.signal,
      canRead: async () => true,
      graceMs: 20,
      killMs: 20,
    })
    const end = async () => {
      ending.abort()
      await done
    }
    onTestFinished(end)
    return end
  }

  const held = (queue: Awaited<ReturnType<typeof bareQueue>>) =>
    queue.getJobCountByTypes('waiting', 'prioritized', 'active', 'delayed')

  it('has tasks done by workers of their resource, and gives what they gave', async () => {
    const gpu = await bareQueue(url, 'gpu')
    const { engine, queue, told } = await begin()
    const submitted = [engine.submit(first, 'cpu', { priority: 3 }), engine.submit(second, 'gpu', {})]
    await soon(async () => (await held(queue)) === 1 && (await held(gpu)) === 1)
    expect((await queue.getJob(jobIdOf(first)))?.opts.priority).toBe(997)
    work(['gpu'], quick)
    expect(await soonDone(submitted[1] as Promise<unknown>)).toEqual(fakeResult({ warnings: ['made b'] }))
    expect(await held(queue)).toBe(1)
    work(['cpu'], quick)
    expect(await soonDone(submitted[0] as Promise<unknown>)).toEqual(fakeResult({ warnings: ['made a'] }))
    expect(told.filter((text) => !text.startsWith('No worker'))).toEqual([])
  })

  it('puts a task at once, before it is held against anything', async () => {
    const { engine, queue } = await begin({ reconcileMs: 600_000 })
    engine.submit(first, 'cpu', {}).catch(() => {})
    await soon(async () => (await held(queue)) === 1)
  })

  it('has a window of a thousand tasks, or what it is told', async () => {
    expect((await begin()).engine.window).toBe(1000)
    expect((await begin({ window: 7 })).engine.window).toBe(7)
  })

  it('hands on how a task goes on, and how it failed', async () => {
    const { engine } = await begin()
    const told: string[] = []
    work(['cpu'], async (_, { onNotice }) => {
      onNotice?.('see')
      throw new UserError('mend it')
    })
    await expect(
      soonDone(engine.submit(first, 'cpu', { onNotice: (text) => told.push(text) })),
    ).rejects.toEqual(new UserError('mend it'))
    expect(told).toEqual(['see'])
  })

  it('says that nobody takes the tasks of a resource, of which there are some', async () => {
    const { engine, told } = await begin()
    for (const task of [first, second]) engine.submit(task, 'gpu', {}).catch(() => {})
    await soon(() => told.length > 0)
    await sleep(60)
    expect(told).toEqual([
      'No worker takes gpu tasks, and 2 wait: start groundmill worker --take gpu with this queue.',
    ])
  })

  it('says why tasks are put back', async () => {
    const { engine, told } = await begin()
    const { redis } = await connect(url)
    engine.submit(first, 'cpu', {}).catch(() => {})
    const queue = await bareQueue(url, 'fetch')
    await soon(async () => {
      // As a worker tells it.
      await redis.xadd(
        queue.toKey('events').replace('fetch', 'cpu'),
        ...['*', 'event', 'progress', 'jobId', jobIdOf(first), 'data', JSON.stringify({ waits: 'locked' })],
      )
      return told.includes('locked')
    })
    expect(told.filter((text) => text === 'locked')).toHaveLength(1)
  })

  it('takes back what is given up, and tells who is making it', async () => {
    const { engine, queue } = await begin()
    const { redis } = await connect(url)
    const stopped: string[] = []
    redis.on('message', (_, ids) => stopped.push(...JSON.parse(ids)))
    await redis.subscribe(stopChannel)
    const begun: (string | undefined)[] = []
    work(['cpu'], (task, options) => {
      begun.push(task.shard)
      return untilStopped(task, options)
    })
    const interrupt = new AbortController()
    const { signal } = interrupt
    const all = tasksOf('/run', names(5)).map((task) => engine.submit(task, 'cpu', { signal }))
    const kept = engine.submit(first, 'gpu', {})
    kept.catch(() => {})
    await soon(async () => begun.length === 1 && (await held(queue)) === 5)
    interrupt.abort(new Error('interrupted'))
    for (const one of all) await expect(one).rejects.toThrow('interrupted')
    await soon(async () => (await held(queue)) === 0)
    expect(stopped).toEqual([jobIdOf(tasksOf('/run', [`chunk/${begun[0]}`])[0] as Task)])
    expect(begun).toHaveLength(1)
    const gpu = await connect(url)
    expect(await gpu.redis.exists(queue.toKey(jobIdOf(first)).replace('cpu', 'gpu'))).toBe(1)
  })

  it('does not put what was given up before it was put', async () => {
    const { engine, queue } = await begin()
    const { redis } = await connect(url)
    const said: string[] = []
    redis.on('message', (_, ids) => said.push(ids))
    await redis.subscribe(stopChannel)
    const interrupt = new AbortController()
    const done = engine.submit(first, 'cpu', { signal: interrupt.signal })
    const other = engine.submit(second, 'cpu', {})
    other.catch(() => {})
    interrupt.abort(new Error('interrupted'))
    await expect(done).rejects.toThrow('interrupted')
    await soon(async () => (await held(queue)) === 1)
    await sleep(50)
    expect(await queue.getJob(jobIdOf(first))).toBeUndefined()
    // Nobody was making anything of it.
    expect(said).toEqual([])
  })

  it('removes what another pipeline of the run has left, and stops what is being made of it', async () => {
    const { engine, queue } = await begin()
    const old = tasksOf('/run', ['chunk/a', 'chunk/c'], pipelines[1])
    await addJobs(queue, [...old, ...tasksOf('/other', ['chunk/a'])])
    engine.submit(first, 'cpu', {}).catch(() => {})
    await soon(async () => (await queue.getJob(jobIdOf(first))) !== undefined)
    expect(await held(queue)).toBe(2)
  })

  it('puts a task again that Redis has lost, or finds it done in the storage', async () => {
    const asked: (string | undefined)[] = []
    const { engine, queue } = await begin({
      findResult: async ({ shard }) => {
        asked.push(shard)
        return shard === 'a' ? fakeResult({ skipped: true }) : undefined
      },
    })
    const done = engine.submit(first, 'cpu', {})
    engine.submit(second, 'cpu', {}).catch(() => {})
    await soon(async () => (await held(queue)) === 2)
    await queue.obliterate({ force: true })
    expect(await soonDone(done)).toEqual(fakeResult({ skipped: true }))
    await soon(async () => (await held(queue)) === 1)
    expect(await queue.getJob(jobIdOf(second))).toBeDefined()
    expect(asked).toEqual(['a', 'b'])
  })

  it('hears late how a task has failed', async () => {
    const { engine, queue } = await begin()
    const { redis } = await connect(url)
    const done = engine.submit(first, 'cpu', {})
    done.catch(() => {})
    await soon(async () => (await held(queue)) === 1)
    // Failed, without a word of it.
    await redis.hset(queue.toKey(jobIdOf(first)), 'failedReason', '(user) mend it')
    await redis.zrem(queue.toKey('prioritized'), jobIdOf(first))
    await redis.zadd(queue.toKey('failed'), 1, jobIdOf(first))
    await expect(soonDone(done)).rejects.toEqual(new UserError('mend it'))
  })

  it('tells what Redis does not take, and puts it when it does', async () => {
    const { engine, queue, told } = await begin()
    const { redis } = await connect(url)
    await redis.set(queue.toKey('failed'), 'no set')
    engine.submit(first, 'cpu', {}).catch(() => {})
    await soon(() => told.length > 0)
    expect(told[0]).toMatch(
      /^Redis at redis:\/\/127\.0\.0\.1:\d+ does not take tasks \(WRONGTYPE.*\); they are put again\.$/,
    )
    await redis.del(queue.toKey('failed'))
    await soon(async () => (await held(queue)) === 1)
    await redis.set(queue.toKey('failed'), 'no set')
    // Then it cannot be asked how the task stands.
    await soon(() => told.some((text) => text.startsWith('WRONGTYPE')))
    await redis.del(queue.toKey('failed'))
  })

  it('gives up what is under way when it is closed, and leaves no job and no connection', async () => {
    const { redis } = await connect(url)
    const connections = async () => ((await redis.client('LIST')) as string).trim().split('\n').length
    await soon(async () => (await connections()) === 1)
    const { engine, queue, told } = await begin()
    const before = 1 + 1
    const done = engine.submit(first, 'cpu', {})
    done.catch(() => {})
    await soon(async () => (await held(queue)) === 1)
    await soonDone(engine.close())
    await expect(done).rejects.toThrow('The queue was closed')
    expect(await held(queue)).toBe(0)
    await expect(engine.submit(second, 'cpu', {})).rejects.toThrow('The queue is closed')
    await soon(async () => (await connections()) === before)
    const said = told.length
    await sleep(50)
    expect(told).toHaveLength(said)
    for (const resource of resources) expect(await held(await bareQueue(url, resource))).toBe(0)
  })

  it('takes no secret', async () => {
    const pipeline = { stages: [{ with: { url: 'https://me:pa55@host/x' } }] }
    await expect(begin({ pipeline })).rejects.toThrow(
      /^The pipeline, stages, 0, with, url: .* cannot go through/,
    )
    const { engine } = await begin()
    await expect(engine.submit({ ...first, run: 's3://key:pa55@bucket/x' }, 'cpu', {})).rejects.toThrow(
      /^The run: .* cannot go through a queue/,
    )
  })

  it('is refused where nobody answers', async () => {
    const refused = openQueueEngine({ url: 'redis://127.0.0.1:1', pipeline: {}, connectMs: 20 })
    await expect(refused).rejects.toThrow(UserError)
  })

  it('goes on where Redis was away and has lost all that it had', async () => {
    const { engine, queue, told } = await begin()
    queue.on('error', () => {})
    const done = engine.submit(first, 'cpu', {})
    await soon(async () => (await held(queue)) === 1)
    await server.empty()
    await soon(() => told.includes(`Redis at ${url} is away; going on when it is back.`))
    await server.start()
    await soon(async () => told.includes(`Redis at ${url} is back.`) && (await held(queue)) === 1)
    work(['cpu'], quick)
    expect(await soonDone(done)).toEqual(fakeResult({ warnings: ['made a'] }))
  })
})
