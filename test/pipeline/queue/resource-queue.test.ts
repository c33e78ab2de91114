import { type Job, UnrecoverableError, Worker } from 'bullmq'
import { describe, expect, it, onTestFinished } from 'vitest'
import { jobIdOf, queuePrefix } from '../../../src/pipeline/queue/queue-job.js'
import { openResourceQueue } from '../../../src/pipeline/queue/resource-queue.js'
import type { Task } from '../../../src/pipeline/tasks/task.js'
import { fakeResult, tasksOf } from '../../helpers/fake-tasks.js'
import { addJobs, bareQueue, connect, soon } from '../../helpers/queue-here.js'
import { names } from '../../helpers/queue-tasks.js'
import { hasRedis, redisServer } from '../../helpers/redis-server.js'

const jobsOf = (tasks: readonly Task[], priority = 0) =>
  tasks.map((task) => ({ id: jobIdOf(task), task, priority }))

const [first, second, third, fourth] = tasksOf('/run', names(4)) as [Task, Task, Task, Task]

describe.skipIf(!hasRedis)('the queue of a resource', async () => {
  if (!hasRedis) return
  const { url } = await redisServer()

  async function begin() {
    const { libraries, address, redis } = await connect(url)
    const bare = await bareQueue(url)
    const heard: unknown[] = []
    const opened = openResourceQueue(libraries, address, redis, 'cpu', {
      onCompleted: (...all) => heard.push(['completed', ...all]),
      onFailed: (...all) => heard.push(['failed', ...all]),
      onProgress: (...all) => heard.push(['progress', ...all]),
    })
    onTestFinished(() => opened.close())
    /** Takes the next job, as a worker does. */
    let worker: Worker | undefined
    const take = async () => {
      worker ??= new Worker('cpu', null, {
        prefix: queuePrefix,
        connection: { url },
        autorun: false,
        skipStalledCheck: true,
      })
      return (await worker.getNextJob('token')) as Job
    }
    onTestFinished(() => worker?.close())
    return { opened, bare, redis, heard, take }
  }

  it('holds tasks by their ids, those of later stages first, each tried three times', async () => {
    const { opened, bare, take } = await begin()
    const [low, high, highest, beyond] = [0, 1, 999, 5000].map((priority, index) =>
      jobsOf([[first, second, third, fourth][index] as Task], priority),
    ) as [ReturnType<typeof jobsOf>, ...ReturnType<typeof jobsOf>[]]
    await opened.put([...low, ...(high ?? []), ...(highest ?? [])])
    await opened.put(beyond ?? [])
    const jobs: Job[] = []
    for (let index = 0; index < 4; index++) jobs.push(await take())
    expect(jobs.map(({ data }) => data)).toEqual([third, fourth, second, first])
    expect(jobs.map(({ id }) => id)).toEqual([third, fourth, second, first].map(jobIdOf))
    expect(jobs[0]?.name).toBe('chunk')
    expect(jobs.map(({ opts }) => opts.priority)).toEqual([1, 1, 999, 1000])
    expect(jobs[0]?.opts).toMatchObject({
      attempts: 3,
      backoff: { type: 'exponential', delay: 1000 },
      removeOnComplete: true,
      removeOnFail: { age: 604_800 },
    })
    expect(await bare.getActiveCount()).toBe(4)
  })

  it('keeps a job that is there, and puts anew what has failed', async () => {
    const { opened, bare, take } = await begin()
    await opened.put(jobsOf([first, second]))
    const taken = await take()
    await taken.moveToFailed(new UnrecoverableError('(user) mend it'), 'token')
    expect(await opened.states([jobIdOf(first), jobIdOf(second), 'none'])).toEqual([
      { is: 'failed', reason: '(user) mend it' },
      { is: 'there' },
      { is: 'gone' },
    ])
    const kept = (await bare.getJob(jobIdOf(second))) as Job
    await opened.put(
      jobsOf([
        { ...first, session: 'next' },
        { ...second, session: 'next' },
      ]),
    )
    expect(await bare.getFailedCount()).toBe(0)
    expect((await bare.getJob(jobIdOf(first)))?.data.session).toBe('next')
    const still = (await bare.getJob(jobIdOf(second))) as Job
    expect([still.data.session, still.timestamp]).toEqual(['first', kept.timestamp])
    expect(await opened.states([jobIdOf(first)])).toEqual([{ is: 'there' }])
    expect(await opened.states([])).toEqual([])
  })

  it('says of what failed without a reason that it did', async () => {
    const { opened, redis } = await begin()
    await redis.hset(opened.queue.toKey('odd'), 'name', 'x')
    await redis.zadd(opened.queue.toKey('failed'), 1, 'odd')
    expect(await opened.states(['odd'])).toEqual([{ is: 'failed', reason: 'failed' }])
  })

  it('removes what nobody is doing, and says what somebody does', async () => {
    const { opened, bare, take } = await begin()
    await opened.put(jobsOf([first, second, third]))
    await take()
    expect(await opened.remove([first, second, third].map(jobIdOf))).toEqual([jobIdOf(first)])
    expect(await bare.getJobCountByTypes('waiting', 'prioritized', 'active', 'delayed')).toBe(1)
    // What is not there is nobody's.
    expect(await opened.remove([])).toEqual([])
  })

  it('finds what waits and what is being done by the beginning of its id', async () => {
    const { opened, bare, take } = await begin()
    await addJobs(bare, [first], { jobId: 'mine.active' })
    await take()
    await addJobs(bare, [first], { jobId: 'mine.waiting' })
    await addJobs(bare, [first], { jobId: 'mine.prioritized', priority: 7 })
    await addJobs(bare, [first], { jobId: 'mine.delayed', delay: 60_000 })
    for (const opts of [{}, { priority: 7 }, { delay: 60_000 }])
      await addJobs(bare, [first], { jobId: `other.mine.${Object.keys(opts)}`, ...opts })
    expect((await opened.idsOf('mine.')).sort()).toEqual([
      'mine.active',
      'mine.delayed',
      'mine.prioritized',
      'mine.waiting',
    ])
    expect(await opened.idsOf('nothing')).toEqual([])
  })

  it('tells what Redis refuses', async () => {
    const { opened, redis } = await begin()
    await redis.set(opened.queue.toKey('failed'), 'no set')
    await expect(opened.states(['x'])).rejects.toThrow(/WRONGTYPE/)
    await expect(opened.put(jobsOf([first]))).rejects.toThrow(/WRONGTYPE/)
    await redis.del(opened.queue.toKey('failed'))
  })

  it('hears how jobs go on and end, and not what is no result', async () => {
    const { opened, bare, heard, take } = await begin()
    await soon(async () => {
      // Who begins to listen hears only what comes then.
      await bare.add('probe', {}, { jobId: `probe-${heard.length}` })
      const probe = await take()
      await probe.updateProgress({ waits: 'probe' })
      await probe.moveToCompleted(fakeResult(), 'token', false)
      await probe.remove()
      return heard.length > 0
    })
    await soon(() => (heard.at(-1) as unknown[])[0] === 'completed')
    heard.length = 0
    await opened.put(jobsOf([first, second, third]))
    const [done, odd, bad] = [await take(), await take(), await take()]
    await done.updateProgress({ at: [1, 2], notices: 7 })
    await odd.moveToCompleted('something', 'token', false)
    await done.moveToCompleted(fakeResult({ out: 3 }), 'token', false)
    await bad.moveToFailed(new UnrecoverableError('again'), 'token', false)
    await soon(() => heard.length >= 3)
    expect(heard).toEqual([
      ['progress', done.id, { at: [1, 2] }],
      ['completed', done.id, fakeResult({ out: 3 })],
      ['failed', bad.id, 'again'],
    ])
    expect(await bare.getCompletedCount()).toBe(0)
  })

  it('counts its workers, and ends with its connections', async () => {
    const { opened, redis } = await begin()
    expect(await opened.workers()).toBe(0)
    const worker = new Worker('cpu', async () => {}, { prefix: queuePrefix, connection: { url } })
    onTestFinished(() => worker.close())
    await soon(async () => (await opened.workers()) === 1)
    const connections = async () => ((await redis.client('LIST')) as string).split('\n').length
    const before = await connections()
    await opened.close()
    expect(await connections()).toBe(before - 2)
  })
})
