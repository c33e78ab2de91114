import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openJobReporter } from '../../../src/pipeline/queue/job-reporter.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function open(answer: () => Promise<void> = async () => {}) {
  const told: unknown[] = []
  const reporter = openJobReporter({
    updateProgress: (progress) => {
      told.push(progress)
      return answer()
    },
  })
  return { told, reporter }
}

describe('what a coordinator is told of a job', () => {
  it('is the last of a second, and nothing where nothing goes on', async () => {
    const { told, reporter } = open()
    for (let done = 0; done <= 10; done++) reporter.onProgress(done, 10)
    await vi.advanceTimersByTimeAsync(999)
    expect(told).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(told).toEqual([{ at: [10, 10] }])
    await vi.advanceTimersByTimeAsync(5000)
    expect(told).toHaveLength(1)
    reporter.onProgress(1, 2, 'from https://me:pa55@host/x?token=t0ken')
    reporter.onNotice('of https://me:pa55@host/y')
    await vi.advanceTimersByTimeAsync(1000)
    expect(told[1]).toStrictEqual({ at: [1, 2, 'from https://host/x'], notices: ['of https://host/y'] })
  })

  it('holds each notice once, and a bounded number of them', async () => {
    const { told, reporter } = open()
    const texts = Array.from({ length: 25 }, (_, index) => `notice ${index}`)
    for (const text of texts) reporter.onNotice(text)
    await vi.advanceTimersByTimeAsync(1000)
    expect(told).toStrictEqual([{ notices: texts.slice(0, 20) }])
    reporter.onNotice('one more')
    await vi.advanceTimersByTimeAsync(1000)
    expect(told[1]).toStrictEqual({ notices: ['one more'] })
  })

  it('is at the end only what it does not know by the end itself', async () => {
    const { told, reporter } = open()
    reporter.onProgress(2, 2)
    reporter.onNotice('the last')
    await reporter.close()
    expect(told).toStrictEqual([{ notices: ['the last'] }])
    await reporter.close()
    await vi.advanceTimersByTimeAsync(5000)
    expect(told).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does no harm where it does not arrive', async () => {
    const { told, reporter } = open(async () => {
      throw new Error('away')
    })
    reporter.onNotice('lost')
    await reporter.close()
    reporter.onNotice('lost too')
    await vi.advanceTimersByTimeAsync(1000)
    expect(told).toHaveLength(2)
  })
})
