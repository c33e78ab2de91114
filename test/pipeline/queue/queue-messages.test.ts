import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import {
  isTask,
  parseJobProgress,
  parseJobResult,
  parseStopIds,
  parseTask,
} from '../../../src/pipeline/queue/queue-messages.js'

const task = { v: 2, run: '/r', pipeline: 'a'.repeat(64), session: 's', stage: 'chunk', shard: '00000' }
const counts = { rejected: {}, relabelled: {}, counts: {} }
const result = { skipped: true, in: 1, out: 1, ...counts, failed: [], warnings: ['w'] }

describe('what anybody may have written into Redis', () => {
  it('is a task, or is refused by the id of its job and the key', () => {
    expect(parseTask(task, 'j')).toEqual(task)
    const others = [
      null,
      7,
      [],
      {},
      { ...task, v: 1 },
      { ...task, run: '' },
      { ...task, pipeline: '../../x' },
      { ...task, stage: 7 },
      { ...task, missing: { a: 'b' } },
    ]
    for (const other of others) {
      expect(isTask(other), JSON.stringify(other)).toBe(false)
      expect(() => parseTask(other, 'r.p.chunk'), JSON.stringify(other)).toThrow(UserError)
    }
    expect(() => parseTask({ ...task, stage: 7 }, 'r.p.chunk')).toThrow(
      /^The job r\.p\.chunk of the queue holds no task: stage: /,
    )
  })

  it('is the result of a job, or none', () => {
    expect(parseJobResult(result)).toEqual(result)
    expect(parseJobResult({ stopped: true })).toEqual({ stopped: true })
    for (const other of [null, undefined, 'x', [], {}, { ...result, failed: {} }, { ...result, in: '1' }])
      expect(parseJobResult(other), JSON.stringify(other)).toBeUndefined()
  })

  it('is what a worker tells, without what is none of it', () => {
    const said = { at: [1, 2, 'fast'], notices: ['a'], waits: 'b' }
    expect(parseJobProgress(said)).toEqual(said)
    expect(parseJobProgress({ ...said, at: ['x'], notices: 3 })).toEqual({ waits: 'b' })
    for (const other of [null, undefined, 7, 'x', []]) expect(parseJobProgress(other)).toEqual({})
  })

  it('is ids of jobs to leave, or none', () => {
    expect(parseStopIds('["a", "b"]')).toEqual(['a', 'b'])
    for (const other of ['', 'null', '{"a": 1}', '[1]', '[null]']) expect(parseStopIds(other)).toEqual([])
  })
})
