import { type Job, Worker } from 'bullmq'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { queuePrefix } from '../../../src/pipeline/queue/queue-job.js'
import { readQueueStatus } from '../../../src/pipeline/queue/queue-status.js'
import type { Task } from '../../../src/pipeline/tasks/task.js'
import { tasksOf } from '../../helpers/fake-tasks.js'
import { addJobs, bareQueue, connect, soon } from '../../helpers/queue-here.js'
import { names } from '../../helpers/queue-tasks.js'
import { hasRedis, redisServer } from '../../helpers/redis-server.js'

const empty = { waiting: 0, active: 0, delayed: 0, failed: 0, workers: [], oldest: null }
const tasks = tasksOf('/run', names(8))

describe.skipIf(!hasRedis)('what a queue holds', async () => {
  if (!hasRedis) return
  const { url } = await redisServer()

  /** A worker that takes a job when it is told to. */
  async function taker(name: string) {
    const worker = new Worker('cpu', null, {
      ...{ prefix: queuePrefix, connection: { url }, autorun: false, skipStalledCheck: true, name },
    })
    onTestFinished(() => worker.close())
    return async () => (await worker.getNextJob(name)) as Job
  }

  it('is nothing at first, and nobody works on it', async () => {
    expect(await readQueueStatus(url)).toEqual({
      queue: url,
      resources: { fetch: empty, cpu: empty, gpu: empty },
    })
  })

  it('is what waits, is put back, has failed and is being done, and what is being done for longest', async () => {
    const queue = await bareQueue(url)
    const take = await taker('host-7')
    await addJobs(queue, tasks.slice(0, 4))
    const failing = await take()
    await failing.moveToFailed(new Error('no'), 'host-7', false)
    await (await take()).moveToDelayed(Date.now() + 60_000, 'host-7')
    const oldest = await take()
    const younger = await take()
    const { redis } = await connect(url)
    await redis.hset(queue.toKey(oldest.id as string), 'processedOn', Date.now() - 60_000)
    await redis.hset(queue.toKey(younger.id as string), 'processedOn', Date.now() - 30_000)
    await addJobs(queue, tasks.slice(4, 6))
    await addJobs(queue, tasks.slice(6, 7), { priority: 3 })
    const { resources } = await readQueueStatus(url)
    expect(resources.cpu).toMatchObject({ waiting: 3, active: 2, delayed: 1, failed: 1 })
    expect(resources.cpu.oldest).toEqual({
      ...{ run: '/run', stage: 'chunk', shard: 'shard00002', worker: 'host-7' },
      seconds: expect.any(Number),
    })
    expect(resources.cpu.oldest?.seconds).toBeGreaterThanOrEqual(60)
    expect(resources.cpu.oldest?.seconds).toBeLessThan(600)
    expect(resources.gpu).toEqual(empty)
    await redis.hset(queue.toKey(oldest.id as string), 'processedOn', Date.now() - 10_000)
    expect((await readQueueStatus(url)).resources.cpu.oldest?.shard).toBe('shard00003')
  })

  it('says of a task of a whole stage no shard, and of none that is not said by whom', async () => {
    const queue = await bareQueue(url)
    const take = await taker('')
    const { shard, ...whole } = tasks[0] as Task
    await addJobs(queue, [whole])
    const job = await take()
    const { redis } = await connect(url)
    await redis.hdel(queue.toKey(job.id as string), 'pb')
    const { oldest } = (await readQueueStatus(url)).resources.cpu
    expect(Object.keys(oldest as object).sort()).toEqual(['run', 'seconds', 'stage', 'worker'])
    expect(oldest?.worker).toBeNull()
  })

  it('passes over what is no task', async () => {
    const queue = await bareQueue(url)
    const take = await taker('host-7')
    await queue.add('odd', { run: 7 })
    await take()
    await addJobs(queue, tasks.slice(0, 1))
    expect((await readQueueStatus(url)).resources.cpu).toMatchObject({ active: 1, waiting: 1, oldest: null })
    await take()
    expect((await readQueueStatus(url)).resources.cpu.oldest?.shard).toBe('shard00000')
  })

  it('has the names of workers, each once', async () => {
    for (const name of ['b-2', 'a-1', 'c:w:3']) {
      const worker = new Worker('cpu', async () => {}, { prefix: queuePrefix, connection: { url }, name })
      onTestFinished(() => worker.close())
      await worker.waitUntilReady()
    }
    await soon(async () => (await readQueueStatus(url)).resources.cpu.workers.length === 3)
    expect((await readQueueStatus(url)).resources.cpu.workers).toEqual(['a-1', 'b-2', 'c:w:3'])
  })

  it('is read of the environment, without connections that stay', async () => {
    const { redis } = await connect(url)
    const connections = async () => ((await redis.client('LIST')) as string).trim().split('\n').length
    await soon(async () => (await connections()) === 1)
    process.env.GROUNDMILL_QUEUE = url
    onTestFinished(() => {
      delete process.env.GROUNDMILL_QUEUE
    })
    expect((await readQueueStatus()).queue).toBe(url)
    await soon(async () => (await connections()) === 1)
  })

  it('is not said where nobody answers', async () => {
    await expect(readQueueStatus('redis://:pa55@127.0.0.1:1', 50)).rejects.toThrow(UserError)
  })
})
