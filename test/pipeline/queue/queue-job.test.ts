import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import {
  failedReason,
  isMarked,
  jobIdOf,
  pipelinePrefix,
  publicResult,
  reasonError,
  runPrefix,
  taskName,
} from '../../../src/pipeline/queue/queue-job.js'
import type { Task } from '../../../src/pipeline/tasks/task.js'
import { fakeResult, tasksOf } from '../../helpers/fake-tasks.js'

const [task] = tasksOf('s3://bucket/run', ['train/00000']) as [Task]
const { shard, ...whole } = task

describe('the job of a task', () => {
  it('has an id that begins with those of its run and of its pipeline', () => {
    expect(jobIdOf(task)).toBe(`${pipelinePrefix(task)}train.00000`)
    expect(pipelinePrefix(task).startsWith(runPrefix(task))).toBe(true)
    expect(runPrefix(task)).toMatch(/^[0-9a-f]{16}\.$/)
    expect(pipelinePrefix({ ...task, pipeline: 'other' }).startsWith(runPrefix(task))).toBe(true)
  })

  it('of a whole stage has no shard in its id and its name', () => {
    expect(jobIdOf(whole)).toBe(`${pipelinePrefix(task)}train`)
    expect(taskName(whole)).toBe('train')
    expect(taskName(task)).toBe('train 00000')
  })

  it('has a short hash of what a task says besides in its id', () => {
    const id = jobIdOf({ ...whole, missing: { chunk: ['1'] } })
    expect(id).toMatch(/^[0-9a-f]{16}\.[0-9a-f]{16}\.train\.[0-9a-f]{16}$/)
    expect(jobIdOf({ ...whole, missing: { chunk: ['2'] } })).not.toBe(id)
  })

  it('has in its result no secret', () => {
    const secret = 'see https://me:pa55@host/x?token=t0ken'
    const given = fakeResult({ warnings: [secret, 'plain'], failed: [{ shard: '7', error: secret }], out: 5 })
    const hidden = 'see https://host/x'
    expect(publicResult(given)).toEqual({
      ...given,
      warnings: [hidden, 'plain'],
      failed: [{ shard: '7', error: hidden }],
    })
  })

  it('is marked where somebody must mend something, and only at the beginning of its reason', () => {
    for (const kind of ['stage', 'user', 'disk'] as const) {
      expect(isMarked(kind)).toBe(true)
      expect(failedReason({ kind, message: 'mend it' })).toBe(`(${kind}) mend it`)
    }
    for (const kind of ['busy', 'aborted', 'other'] as const) {
      expect(isMarked(kind)).toBe(false)
      expect(failedReason({ kind, message: 'again' })).toBe('again')
    }
    const error = reasonError('is (user) x')
    expect(error).not.toBeInstanceOf(UserError)
    expect(error.message).toBe('is (user) x')
  })
})
