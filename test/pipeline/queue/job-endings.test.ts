import { DelayedError, type Job, UnrecoverableError } from 'bullmq'
import { beforeAll, describe, expect, it } from 'vitest'
import { DiskFullError } from '../../../src/base/disk-full.js'
import { UserError } from '../../../src/base/user-error.js'
import { jobEndings } from '../../../src/pipeline/queue/job-endings.js'
import { loadBullMq, type QueueLibraries } from '../../../src/pipeline/queue/load-bullmq.js'
import { reasonError } from '../../../src/pipeline/queue/queue-job.js'
import type { Task } from '../../../src/pipeline/tasks/task.js'
import { BusyError, StageError } from '../../../src/pipeline/tasks/task-error.js'
import { tasksOf } from '../../helpers/fake-tasks.js'

const [task] = tasksOf('/run', ['chunk/00000']) as [Task]
const putBackMs = 60_000
let libraries: QueueLibraries
beforeAll(async () => {
  libraries = await loadBullMq()
})

/** A job, and all that becomes of it. */
function begin(isAway = false) {
  const said: string[] = []
  const ended: unknown[] = []
  const moves: { at: number; token: string }[] = []
  const told: unknown[] = []
  const job = {
    data: task,
    moveToDelayed: async (at: number, token: string) => void moves.push({ at, token }),
    updateProgress: async (progress: unknown) => {
      if (isAway) throw new Error('away')
      told.push(progress)
    },
  } as unknown as Job
  const endings = jobEndings(libraries.bullmq, {
    name: 'host-7',
    notices: { tellOnce: (text) => said.push(text) },
    onEnd: (...all) => ended.push(all),
    putBackMs,
  })
  /** What was thrown. */
  const endOf = (...args: [unknown, 'lost' | 'stopped' | 'closing' | undefined]) =>
    endings.endOf(...args, job, 'token').then(
      (result) => ({ result }),
      (thrown: Error) => ({ thrown }),
    )
  return { said, ended, moves, told, job, endings, endOf }
}

const expectMove = (moves: { at: number; token: string }[], delayMs: number) => {
  expect(moves).toHaveLength(1)
  expect(moves[0]?.token).toBe('token')
  expect(moves[0]?.at).toBeGreaterThan(Date.now() + delayMs - 10_000)
  expect(moves[0]?.at).toBeLessThanOrEqual(Date.now() + delayMs)
}

describe('a job that is not done', () => {
  it('is no longer spoken of where it was lost to another worker', async () => {
    const { said, ended, moves, told, endOf } = begin()
    expect(await endOf(new Error('x'), 'lost')).toEqual({ thrown: expect.any(DelayedError) })
    expect(ended).toEqual([[task, 'left']])
    expect([said, moves, told]).toEqual([[], [], []])
  })

  it('gives back that it was stopped where its coordinator gave it up', async () => {
    const { ended, moves, endOf } = begin()
    expect(await endOf(new Error('x'), 'stopped')).toEqual({ result: { stopped: true } })
    expect(ended).toEqual([[task, 'left']])
    expect(moves).toEqual([])
  })

  it('is put back at once where its worker closes', async () => {
    const { said, ended, moves, told, endOf } = begin()
    expect(await endOf(new Error('x'), 'closing')).toEqual({ thrown: expect.any(DelayedError) })
    expect(ended).toEqual([[task, 'put-back']])
    expectMove(moves, 0)
    expect([said, told]).toEqual([[], []])
  })

  it.each([false, true])(
    'is put back for a while where somebody works there: Redis is away %s',
    async (isAway) => {
      const { said, ended, moves, told, endOf } = begin(isAway)
      const end = await endOf(new BusyError('see https://me:pa55@host/x'), undefined)
      expect(end).toEqual({ thrown: expect.any(DelayedError) })
      expect(ended).toEqual([[task, 'put-back']])
      expectMove(moves, putBackMs)
      const waits = 'chunk 00000 waits: see https://host/x (worker host-7)'
      expect(said).toEqual([waits])
      expect(told).toEqual(isAway ? [] : [{ waits }])
    },
  )

  it('is put back with what it says by who cannot read its run', async () => {
    const { said, moves, job, endings } = begin()
    await expect(endings.putBackSaying(job, 'token', 'cannot be read')).rejects.toThrow(DelayedError)
    expectMove(moves, putBackMs)
    expect(said).toEqual(['chunk 00000 waits: cannot be read (worker host-7)'])
  })

  it.each([
    [new UserError('mend https://me:pa55@host/x'), UserError],
    [new StageError('mend https://host/x'), StageError],
    [new DiskFullError('mend https://host/x'), DiskFullError],
  ])('is set aside where somebody must mend something: %s', async (error, kind) => {
    const { ended, moves, endOf } = begin()
    const { thrown } = (await endOf(error, undefined)) as { thrown: Error }
    expect(thrown).toBeInstanceOf(UnrecoverableError)
    expect(Object.hasOwn(thrown, 'stack')).toBe(false)
    expect(reasonError(thrown.message)).toBeInstanceOf(kind)
    expect(reasonError(thrown.message).message).toBe('mend https://host/x')
    expect(ended).toEqual([[task, 'failed']])
    expect(moves).toEqual([])
  })

  it('is tried again where that may help', async () => {
    const { ended, endOf } = begin()
    const { thrown } = (await endOf(new Error('no answer of https://me:pa55@host'), undefined)) as {
      thrown: Error
    }
    expect(thrown).not.toBeInstanceOf(UnrecoverableError)
    expect(thrown.message).toBe('no answer of https://host')
    expect(Object.hasOwn(thrown, 'stack')).toBe(false)
    expect(ended).toEqual([[task, 'failed']])
  })
})
