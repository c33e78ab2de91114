import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, Queue } from 'bullmq'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { jobIdOf, queuePrefix } from '../../../src/pipeline/queue/queue-job.js'
import { openSlot, type SlotOptions } from '../../../src/pipeline/queue/queue-slot.js'
import type { RunTask, Task } from '../../../src/pipeline/tasks/task.js'
import { BusyError } from '../../../src/pipeline/tasks/task-error.js'
import { fakeResult, tasksOf } from '../../helpers/fake-tasks.js'
import { addJobs, bareQueue, connect, soon, soonDone } from '../../helpers/queue-here.js'
import { hasRedis, redisServer } from '../../helpers/redis-server.js'
import { forever, type TasksHere, tasksHere, untilStopped } from '../../helpers/tasks-here.js'

const [first, second] = tasksOf('/run', ['chunk/a', 'chunk/b']) as [Task, Task]

describe.skipIf(!hasRedis)('a slot of a worker', async () => {
  if (!hasRedis) return
  const { url } = await redisServer()

  /** A slot that does tasks so, the queue that it takes them of, and what becomes of them. */
  async function begin(work: RunTask, options: Partial<SlotOptions> = {}, children: TasksHere[] = []) {
    const { libraries, address, redis } = await connect(url)
    const queue = await bareQueue(url)
    const [started, ended, told] = [[] as string[], [] as unknown[], [] as string[]]
    const slot = openSlot(libraries, address, 'cpu', {
      name: 'host-7',
      open: () => {
        const child = tasksHere(work, ['the end'])
        children.push(child)
        return child
      },
      canRead: async () => true,
      notices: { tellOnce: (text) => told.push(text) },
      onStart: ({ shard }) => started.push(shard as string),
      onEnd: ({ shard }, outcome, result) => ended.push([shard, outcome, ...(result ? [result] : [])]),
      lockMs: 30_000,
      stalledMs: 30_000,
      mostStalled: 3,
      putBackMs: 60_000,
      unreadableUntilMs: 60_000,
      killMs: 30,
      ...options,
    })
    onTestFinished(async () => {
      slot.abandon()
      await slot.close(0)
    })
    const add = async (task: Task, opts: object = {}) => (await addJobs(queue, [task], opts))[0] as Job
    const stateOf = (task: Task) => queue.getJobState(jobIdOf(task))
    const jobOf = async (task: Task) => (await queue.getJob(jobIdOf(task))) as Job
    return { slot, queue, redis, started, ended, told, children, add, stateOf, jobOf }
  }

  it('has a task made, and gives back what it gave without secrets', async () => {
    const { add, started, ended, told, children, stateOf, jobOf } = await begin(
      async ({ shard }, { onProgress, onNotice }) => {
        onProgress?.(1, 2)
        onNotice?.('see https://me:pa55@host/x')
        return fakeResult({ skipped: shard === 'b', warnings: ['at https://me:pa55@host/x'] })
      },
    )
    await add(first)
    await add(second)
    await soon(() => ended.length === 2)
    await soon(async () => (await stateOf(second)) === 'completed')
    expect(started).toEqual(['a', 'b'])
    const given = { warnings: ['at https://me:pa55@host/x'] }
    expect(ended).toEqual([
      ['a', 'made', fakeResult(given)],
      ['b', 'skipped', fakeResult({ ...given, skipped: true })],
    ])
    expect(children).toHaveLength(1)
    const job = await jobOf(first)
    expect(job.returnvalue).toEqual(fakeResult({ warnings: ['at https://host/x'] }))
    expect(job.progress).toEqual({ notices: ['see https://host/x'] })
    expect(job.processedBy).toBe('host-7')
    expect(told).toEqual([])
  })

  it('makes one task at a time', async () => {
    let [now, most] = [0, 0]
    const { add, ended } = await begin(async () => {
      most = Math.max(most, ++now)
      await sleep(20)
      now--
      return fakeResult()
    })
    for (const task of tasksOf('/run', ['chunk/a', 'chunk/b', 'chunk/c'])) await add(task)
    await soon(() => ended.length === 3)
    expect(most).toBe(1)
  })

  it('sets aside at once what is no task', async () => {
    const { add, started, told, queue, jobOf } = await begin(forever)
    await add({ ...first, pipeline: '../../x' } as Task, { attempts: 3, jobId: 'odd' })
    await soon(async () => (await queue.getJobState('odd')) === 'failed')
    const job = (await queue.getJob('odd')) as Job
    expect(job.failedReason).toMatch(/^\(user\) The job odd of the queue holds no task: pipeline: /)
    expect(job.attemptsMade).toBe(1)
    expect(String(job.stacktrace)).not.toMatch(/\bat /)
    expect(told).toEqual([job.failedReason.replace('(user) ', '')])
    expect(started).toEqual([])
    expect(await jobOf(first)).toBeUndefined()
  })

  it('sets aside what somebody must mend, tries again what may pass, and puts back what is busy', async () => {
    const { add, ended, told, stateOf, jobOf } = await begin(async ({ shard }) => {
      if (shard === 'a') throw new UserError('mend it')
      if (shard === 'b') throw new Error('again')
      throw new BusyError('somebody works there')
    })
    const [, , third] = tasksOf('/run', ['chunk/a', 'chunk/b', 'chunk/c']) as [Task, Task, Task]
    for (const task of [first, second, third]) await add(task, { attempts: 2 })
    await soon(async () => (await stateOf(third)) === 'delayed' && (await stateOf(second)) === 'failed')
    expect(ended.map(String).sort()).toEqual(['a,failed', 'b,failed', 'b,failed', 'c,put-back'])
    expect(await stateOf(first)).toBe('failed')
    expect((await jobOf(first)).failedReason).toBe('(user) mend it')
    const busy = await jobOf(third)
    expect(busy.attemptsMade).toBe(0)
    expect(busy.delay).toBeGreaterThan(30_000)
    const waits = 'chunk c waits: somebody works there (worker host-7)'
    expect(busy.progress).toEqual({ waits })
    expect(told).toEqual([waits])
  })

  it('leaves a task that is not wanted, and goes on with the next', async () => {
    const { add, slot, started, ended, stateOf, jobOf } = await begin((task, options) =>
      task.shard === 'a' ? untilStopped(task, options) : Promise.resolve(fakeResult()),
    )
    await add(first)
    await soon(() => started.length === 1)
    // Another one than it has.
    slot.stop('other')
    await sleep(20)
    expect(ended).toEqual([])
    slot.stop(jobIdOf(first))
    await soon(async () => (await stateOf(first)) === 'completed')
    expect(ended).toEqual([['a', 'left']])
    expect((await jobOf(first)).returnvalue).toEqual({ stopped: true })
    await add(second)
    await soon(() => ended.length === 2)
    expect(ended[1]).toEqual(['b', 'made', fakeResult()])
  })

  it('leaves a task that is not wanted before it comes', async () => {
    const { add, slot, ended, children, stateOf, jobOf } = await begin(async () => fakeResult())
    slot.stop(jobIdOf(first))
    slot.stop('other')
    await add(first)
    await soon(async () => (await stateOf(first)) === 'completed')
    expect(ended).toEqual([['a', 'left']])
    expect(children).toEqual([])
    expect((await jobOf(first)).returnvalue).toEqual({ stopped: true })
  })

  it.each([
    ['is not seen', async () => false, '/run cannot be read there'],
    [
      'fails to be seen',
      () => Promise.reject(new Error('no answer')),
      '/run cannot be read there: no answer',
    ],
  ])('puts back a task whose run %s', async (_, canRead, why) => {
    const { add, started, ended, told, children, stateOf, jobOf } = await begin(forever, {
      canRead,
      putBackMs: 300,
    })
    const begun = Date.now()
    await add(first)
    await soon(async () => (await stateOf(first)) === 'delayed')
    // It takes its time, so as not to run through all tasks of the run.
    const tookMs = Date.now() - begun
    expect(tookMs).toBeGreaterThanOrEqual(290)
    expect(tookMs).toBeLessThan(4900)
    expect(started[0]).toBe('a')
    expect(ended[0]).toEqual(['a', 'put-back'])
    expect(told[0]).toBe(`chunk a waits: ${why} (worker host-7)`)
    expect((await jobOf(first)).progress).toEqual({ waits: told[0] })
    expect(children).toEqual([])
  })

  it('drops a task whose run was not seen for long, which nobody may ask for', async () => {
    const { add, ended, told, stateOf } = await begin(forever, {
      canRead: async () => false,
      putBackMs: 20,
      unreadableUntilMs: 600_000,
    })
    await add(second, { timestamp: Date.now() - 300_000 })
    await soon(() => ended.length > 0)
    expect(ended[0]).toEqual(['b', 'put-back'])
    await add(first, { timestamp: Date.now() - 601_000 })
    await soon(async () => (await stateOf(first)) === 'completed')
    expect(ended).toContainEqual(['a', 'left'])
    expect(told.join()).not.toContain('chunk a')
  })

  it('does not wait long to leave a task whose run cannot be seen', async () => {
    const { add, slot, started, ended, stateOf } = await begin(forever, { canRead: async () => false })
    await add(first)
    await soon(() => started.length === 1)
    const begun = performance.now()
    slot.stop(jobIdOf(first))
    await soon(async () => (await stateOf(first)) === 'completed')
    expect(performance.now() - begun).toBeLessThan(4500)
    expect(ended).toEqual([['a', 'left']])
  })

  it('makes a task that was not wanted some time ago', async () => {
    const { add, slot, ended } = await begin(async () => fakeResult())
    slot.stop(jobIdOf(first))
    const now = performance.now.bind(performance)
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 6000)
    onTestFinished(() => clock.mockRestore())
    await add(first)
    await soon(() => ended.length === 1)
    expect(ended).toEqual([['a', 'made', fakeResult()]])
  })

  it('lets the task that is here end when it is closed, takes no more, and tells what its child says', async () => {
    let end = () => {}
    const { add, slot, started, ended, told, children, stateOf } = await begin(
      () =>
        new Promise((resolve) => {
          end = () => resolve(fakeResult())
        }),
    )
    await add(first)
    await soon(() => started.length === 1)
    await add(second)
    const closed = slot.close(20_000)
    end()
    await soonDone(closed)
    expect(ended).toEqual([['a', 'made', fakeResult()]])
    expect(await stateOf(first)).toBe('completed')
    expect(await stateOf(second)).toBe('waiting')
    expect(told).toEqual(['the end'])
    expect(children[0]?.seen).toMatchObject({ stops: 1, kills: 0 })
  })

  it.each([
    ['stops', untilStopped, 0],
    ['hears nothing', forever, 1],
  ])('puts back what takes too long when it is closed, and %s', async (_, work, kills) => {
    const { add, slot, started, ended, queue, children } = await begin(work)
    await add(first)
    await soon(() => started.length === 1)
    await soonDone(slot.close(20))
    expect(ended).toEqual([['a', 'put-back']])
    expect(await queue.getJobCountByTypes('waiting', 'delayed')).toBe(1)
    expect(children[0]?.seen.kills).toBe(kills)
  })

  it('leaves a task of which it has lost the lock, and says nothing of it', async () => {
    const { add, redis, queue, started, ended, told, stateOf } = await begin(untilStopped, { lockMs: 100 })
    await add(first)
    await soon(() => started.length === 1)
    await redis.set(`${queue.toKey(jobIdOf(first))}:lock`, 'of another')
    await soon(() => ended.length === 1)
    expect(ended).toEqual([['a', 'left']])
    await sleep(50)
    expect(await stateOf(first)).toBe('active')
    expect(told).toEqual([])
  })

  it('takes over a task of a worker of which nothing is heard, so often and no more', async () => {
    const { redis, ended, queue, add } = await begin(async () => fakeResult(), {
      stalledMs: 50,
      mostStalled: 1,
    })
    const stall = async (id: string) => {
      // As a worker leaves it that is gone: in the list of what is being done, without a lock.
      await redis.multi().lrem(queue.toKey('wait'), 0, id).lpush(queue.toKey('active'), id).exec()
    }
    await queue.pause()
    await add(first)
    await redis.multi().lrem(queue.toKey('paused'), 0, jobIdOf(first)).exec()
    await stall(jobIdOf(first))
    await queue.resume()
    await soon(() => ended.length === 1)
    expect(ended[0]).toEqual(['a', 'made', fakeResult()])
    await queue.pause()
    await add(second)
    await redis.multi().lrem(queue.toKey('paused'), 0, jobIdOf(second)).exec()
    await redis.hset(queue.toKey(jobIdOf(second)), 'stc', 1)
    await stall(jobIdOf(second))
    await queue.resume()
    await soon(async () => (await queue.getJobState(jobIdOf(second))) === 'failed')
    expect(ended).toHaveLength(1)
  })

  it('tells what Redis refuses', async () => {
    const { redis, queue, told, ended, add } = await begin(async () => fakeResult())
    await add(first)
    await soon(() => ended.length === 1)
    await redis.set(queue.toKey('stalled'), 'no set')
    await add(second)
    await soon(() => told.length > 0)
    expect(told[0]).toMatch(/WRONGTYPE/)
  })

  it('kills its child and takes nothing more when it is abandoned', async () => {
    const { add, slot, started, children, queue } = await begin(forever)
    await add(first)
    await soon(() => started.length === 1 && children.length === 1)
    slot.abandon()
    expect(children[0]?.seen.kills).toBe(1)
    await soon(async () => (await queue.getWorkersCount()) === 0)
  })

  it('is not seen by workers of another protocol', async () => {
    const { ended } = await begin(async () => fakeResult())
    const other = new Queue('cpu', { prefix: 'groundmill-0', connection: { url } })
    onTestFinished(() => other.close())
    await addJobs(other, [first])
    await sleep(50)
    expect(ended).toEqual([])
    expect(queuePrefix).toBe('groundmill-2')
  })
})
