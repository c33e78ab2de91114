import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { maxAttempts, pauseBefore, withRetries } from '../../../src/pipeline/tasks/with-retries.js'

/** Work that fails a number of times; how often it was tried. */
function failing(times: number, error: unknown = new Error('once more')) {
  let tries = 0
  const work = async () => {
    if (++tries <= times) throw error
    return 'made'
  }
  return { work, tries: () => tries }
}

/** Pauses are drawn; with this draw there are none. */
function withoutPauses() {
  const drawn = vi.spyOn(Math, 'random').mockReturnValue(-1)
  onTestFinished(() => drawn.mockRestore())
  return drawn
}

describe('work that fails', () => {
  it('is tried again, each time after a pause', async () => {
    const drawn = withoutPauses()
    const { work, tries } = failing(maxAttempts - 1)
    expect(await withRetries(work)).toBe('made')
    expect([tries(), drawn.mock.calls.length]).toEqual([3, 2])
    const once = failing(0)
    await withRetries(once.work)
    expect([once.tries(), drawn.mock.calls.length]).toEqual([1, 2])
  })

  it('for good is given up with its last error', async () => {
    withoutPauses()
    const errors = [1, 2, 3].map((number) => new Error(`failed ${number}`))
    let tries = 0
    const work = async () => {
      throw errors[tries++]
    }
    await expect(withRetries(work)).rejects.toBe(errors[2])
    expect(tries).toBe(maxAttempts)
  })

  it.each([
    ['because of the user', new UserError('no such file')],
    [
      'as the system says and a user can mend',
      Object.assign(new Error('no'), { code: 'EACCES', path: '/a' }),
    ],
    ['for want of room', Object.assign(new Error('full'), { code: 'ENOSPC' })],
  ])('%s is not tried again', async (_, error) => {
    const { work, tries } = failing(2, error)
    await expect(withRetries(work)).rejects.toBe(error)
    expect(tries()).toBe(1)
  })

  it('is not tried again after its end was asked for, before or in a pause', async () => {
    const stopped = failing(2)
    await expect(withRetries(stopped.work, AbortSignal.abort())).rejects.toThrow('once more')
    expect(stopped.tries()).toBe(1)
    const stopping = new AbortController()
    const { work, tries } = failing(2)
    const waiting = withRetries(work, stopping.signal)
    setImmediate(() => stopping.abort())
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    expect(tries()).toBe(1)
  })

  it('waits longer each time, and not as long as others', () => {
    const drawn = vi.spyOn(Math, 'random')
    onTestFinished(() => drawn.mockRestore())
    const at = (draw: number) => {
      drawn.mockReturnValue(draw)
      return [1, 2, 3].map(pauseBefore)
    }
    expect(at(0)).toEqual([500, 1000, 2000])
    expect(at(1)).toEqual([1000, 2000, 4000])
  })
})
