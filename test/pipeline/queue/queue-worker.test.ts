import { writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import type { HostLimiter } from '../../../src/ingest/fetch/host-limiter.js'
import { jobIdOf, stopChannel } from '../../../src/pipeline/queue/queue-job.js'
import { readQueueStatus } from '../../../src/pipeline/queue/queue-status.js'
import { type QueueWorkerOptions, runQueueWorker } from '../../../src/pipeline/queue/queue-worker.js'
import type { RunTask, Task } from '../../../src/pipeline/tasks/task.js'
import { fakeResult, pipelines, tasksOf } from '../../helpers/fake-tasks.js'
import { addJobs, bareQueue, connect, soon, soonDone } from '../../helpers/queue-here.js'
import { pipelineFile } from '../../helpers/queue-tasks.js'
import { hasRedis, redisServer } from '../../helpers/redis-server.js'
import { forever, type TasksHere, tasksHere, untilStopped } from '../../helpers/tasks-here.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const none = { made: 0, skipped: 0, failed: 0, 'put-back': 0, left: 0 }
const quick: RunTask = async ({ shard }) => fakeResult({ skipped: shard?.startsWith('old') ?? false })
const folder = await temporaryFolder()

describe.skipIf(!hasRedis)('a worker', async () => {
  if (!hasRedis) return
  const server = await redisServer()
  const { url } = server

  /** A worker that takes tasks, and the queue of which it does. */
  async function begin(work: RunTask, options: Partial<QueueWorkerOptions> = {}, queue?: Queue) {
    const bare = queue ?? (await bareQueue(url, options.take?.[0] ?? 'cpu'))
    const ending = new AbortController()
    const limiters: HostLimiter[] = []
    const children: TasksHere[] = []
    const [started, ended, told] = [[] as string[], [] as unknown[], [] as string[]]
    let isReady = false
    const done = runQueueWorker({
      url,
      take: ['cpu'],
      open: (limiter) => {
        limiters.push(limiter)
        const child = tasksHere(work, ['the end'])
        children.push(child)
        return child
      },
      signal: ending.signal,
      onNotice: (text) => told.push(text),
      onReady: () => {
        isReady = true
      },
      onStart: ({ shard }) => started.push(shard as string),
      onEnd: ({ shard }, outcome, result) => ended.push([shard, outcome, result?.out]),
      canRead: async () => true,
      killMs: 30,
      graceMs: 30,
      ...options,
    })
    onTestFinished(async () => {
      ending.abort()
      await done.catch(() => {})
    })
    if (!('onReady' in options) && !options.signal) await soon(() => isReady)
    const end = () => {
      ending.abort()
      return soonDone(done)
    }
    return { bare, end, done, limiters, children, started, ended, told }
  }

  it('takes tasks until it is told to end, and counts how they ended', async () => {
    const { bare, end, started, ended, told } = await begin(quick)
    await addJobs(bare, tasksOf('/run', ['chunk/a', 'chunk/b', 'chunk/old']))
    await soon(() => ended.length === 3)
    expect(await end()).toEqual({ ...none, made: 2, skipped: 1 })
    expect(started).toEqual(['a', 'b', 'old'])
    expect(ended).toEqual([
      ['a', 'made', 1],
      ['b', 'made', 1],
      ['old', 'skipped', 1],
    ])
    expect(told).toEqual(['the end'])
  })

  it('takes tasks of all the resources that it is for, at the same time', async () => {
    const gpu = await bareQueue(url, 'gpu')
    const { bare, end, started, children } = await begin(untilStopped, { take: ['cpu', 'gpu'] })
    await addJobs(bare, tasksOf('/run', ['chunk/a']))
    await addJobs(gpu, tasksOf('/run', ['teach/b']))
    await soon(() => started.length === 2)
    expect(children).toHaveLength(2)
    const { resources } = await readQueueStatus(url)
    const name = `${hostname().replace(/[^\w.-]/g, '_')}-${process.pid}`
    expect([resources.fetch, resources.cpu, resources.gpu].map(({ workers }) => workers)).toEqual([
      [],
      [name],
      [name],
    ])
    expect(await end()).toEqual({ ...none, 'put-back': 2 })
    expect(await bare.getJobCountByTypes('waiting', 'delayed')).toBe(1)
    expect(await gpu.getJobCountByTypes('waiting', 'delayed')).toBe(1)
  })

  it('leaves what is not wanted any more, and nothing else', async () => {
    const { bare, end, started, ended } = await begin(untilStopped)
    const { redis } = await connect(url)
    const [task] = tasksOf('/run', ['chunk/a']) as [Task]
    await addJobs(bare, [task])
    await soon(() => started.length === 1)
    for (const said of ['nonsense', JSON.stringify(['other']), JSON.stringify([7])])
      await redis.publish(stopChannel, said)
    await sleep(20)
    expect(ended).toEqual([])
    await redis.publish(stopChannel, JSON.stringify(['other', jobIdOf(task)]))
    await soon(() => ended.length === 1)
    expect(await end()).toEqual({ ...none, left: 1 })
  })

  it('makes a task of a run that it can read, and puts back one of which it does not see the pipeline', async () => {
    await mkdir(dirname(pipelineFile(folder, pipelines[0])), { recursive: true })
    writeFileSync(pipelineFile(folder, pipelines[0]), '{}')
    // Looked for as it is by itself.
    const { bare, end, ended, told } = await begin(quick, { canRead: undefined, putBackMs: 30 } as object)
    await addJobs(bare, tasksOf(folder, ['chunk/a']))
    await soon(() => ended.length === 1)
    // What was seen once stays seen.
    await rm(pipelineFile(folder, pipelines[0]))
    await addJobs(bare, tasksOf(folder, ['chunk/c']))
    await addJobs(bare, tasksOf(folder, ['chunk/b'], pipelines[1]))
    await soon(() => ended.length >= 5)
    const back = ['b', 'put-back', undefined]
    expect(ended.slice(0, 5)).toEqual([['a', 'made', 1], ['c', 'made', 1], back, back, back])
    expect(told[0]).toContain(`chunk b waits: ${folder} cannot be read there (worker `)
    writeFileSync(pipelineFile(folder, pipelines[1]), '{}')
    await soon(() => String(ended.at(-1)) === 'b,made,1')
    const { made, failed } = await end()
    expect({ made, failed }).toEqual({ made: 3, failed: 0 })
  })

  it('drops a task whose run it has not seen for as long as it is told', async () => {
    const options = { canRead: async () => false, putBackMs: 20, unreadableUntilMs: 60_000 }
    const { bare, end, ended } = await begin(quick, options)
    await addJobs(bare, tasksOf('/run', ['chunk/a']), { timestamp: Date.now() - 61_000 })
    await soon(() => ended.length === 1)
    expect(await end()).toEqual({ ...none, left: 1 })
  })

  it('shares the limits by host of all workers of its Redis', async () => {
    const { bare, end, limiters, ended } = await begin(quick)
    await addJobs(bare, tasksOf('/run', ['chunk/a']))
    await soon(() => ended.length === 1)
    const lease = await limiters[0]?.acquire('host', 1, { holdMs: 1000 })
    const { redis } = await connect(url)
    expect((await redis.keys('*host*')).length).toBeGreaterThan(0)
    lease?.release()
    await end()
  })

  it('begins nothing where it is to end at once, and leaves no connection', async () => {
    const { redis } = await connect(url)
    const connections = async () => ((await redis.client('LIST')) as string).trim().split('\n').length
    // The connections of tests before go, one after another.
    await soon(async () => (await connections()) === 1)
    const bare = await bareQueue(url)
    await bare.waitUntilReady()
    const before = await connections()
    const { done } = await begin(quick, { signal: AbortSignal.abort() }, bare)
    expect(await soonDone(done)).toEqual(none)
    await soon(async () => (await connections()) === before)
  })

  it('lets go of its child where that does not end, and puts its task back', async () => {
    const { bare, end, started, children } = await begin(forever)
    await addJobs(bare, tasksOf('/run', ['chunk/a']))
    await soon(() => started.length === 1)
    expect(await end()).toEqual({ ...none, 'put-back': 1 })
    expect(children[0]?.seen.kills).toBe(1)
  })

  it('does without who listens', async () => {
    const quiet = { onNotice: undefined, onReady: undefined, onStart: undefined, onEnd: undefined } as object
    const { bare, end } = await begin(quick, quiet)
    await addJobs(bare, tasksOf('/run', ['chunk/a']))
    await soon(async () => (await bare.getCompletedCount()) === 1)
    expect(await end()).toEqual({ ...none, made: 1 })
  })

  it('is refused where nobody answers', async () => {
    const { done } = await begin(quick, {
      url: 'redis://:pa55@127.0.0.1:1',
      connectMs: 20,
      onReady: () => {},
    })
    await expect(done).rejects.toThrow(UserError)
  })

  it('ends in time where Redis is away, and tells no more', async () => {
    const { bare, end, started, told, children } = await begin(forever)
    await addJobs(bare, tasksOf('/run', ['chunk/a']))
    await soon(() => started.length === 1)
    bare.on('error', () => {})
    await server.kill()
    await soon(() => told.length === 1)
    expect(told).toEqual([`Redis at ${url} is away; going on when it is back.`])
    await end()
    expect(children[0]?.seen.kills).toBeGreaterThan(0)
    await server.start()
    expect(told).toHaveLength(1)
  })
})
