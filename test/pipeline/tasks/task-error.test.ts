import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import {
  BusyError,
  endsStage,
  errorOf,
  failureOf,
  StageError,
} from '../../../src/pipeline/tasks/task-error.js'
import { LockedError } from '../../../src/storage/lock.js'

describe('an error that goes to another process', () => {
  it.each([
    ['stage', new StageError('m'), StageError],
    ['user', new UserError('m'), UserError],
    ['busy', new BusyError('m'), BusyError],
    ['other', new TypeError('m'), Error],
  ])('is one of the same kind there: %s', (kind, error, type) => {
    expect(failureOf(error)).toEqual({ kind, message: 'm' })
    const there = errorOf(failureOf(error))
    expect(there.constructor).toBe(type)
    expect(there.message).toBe('m')
    expect(endsStage(there)).toBe(kind === 'stage')
  })

  it('says that work was put back', () => {
    const there = errorOf(failureOf(new DOMException('stopped', 'AbortError')))
    expect([there.name, there.message]).toEqual(['AbortError', 'stopped'])
  })

  it('is about another at work where something is locked', () => {
    expect(failureOf(Object.create(LockedError.prototype, { message: { value: 'm' } })).kind).toBe('busy')
  })

  it('is what the user can mend where the system says so', () => {
    const refused = Object.assign(new Error('EACCES'), { code: 'EACCES', path: '/a' })
    expect(failureOf(refused)).toMatchObject({ kind: 'user', message: expect.stringContaining('/a') })
    expect(failureOf('a word')).toEqual({ kind: 'other', message: 'a word' })
  })
})
