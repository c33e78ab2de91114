import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCircuits, Tripped } from '../../../src/ingest/fetch/circuit.js'
import { Reject } from '../../../src/ingest/fetch/reject.js'
import { Transient } from '../../../src/ingest/fetch/transient.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const options = { failures: 4, probes: 2, maxPauseMs: 30_000 }
const host = 'a.example'

/** Circuits over one host whose answers a test decides, and what became of the requests to it. */
function watched(given: Partial<typeof options> = {}) {
  const circuits = createCircuits({ ...options, ...given })
  let answer: (() => Promise<void>) | undefined
  let asked = 0
  const ends: string[] = []
  const ask = (name = host, signal?: AbortSignal, apart?: string) =>
    circuits
      .run(
        name,
        signal,
        async () => {
          asked++
          await answer?.()
        },
        apart,
      )
      .then(
        () => ends.push('ok'),
        (error: Error) => ends.push(error instanceof Reject ? error.reason : error.message),
      )
  return {
    ask,
    /** Asks so often at once, lets time pass, and says what was asked and what came of all since the last call. */
    async lapse(times: number, ms: number) {
      for (let count = 0; count < times; count++) void ask()
      await vi.advanceTimersByTimeAsync(ms)
      const said = `${asked} asked: ${ends.join(' ')}`
      asked = 0
      ends.length = 0
      return said
    },
    fail: (reason = 'timeout', retryAfter?: number) => {
      answer = async () => {
        throw new Transient(reason, 'so it is', retryAfter)
      }
    },
    refuse: () => {
      answer = async () => {
        throw new Reject('http_404', 'gone')
      }
    },
    mend: () => {
      answer = undefined
    },
  }
}

describe('a host that fails', () => {
  it('so often in a row is tried twice with pauses, and is down then for half a minute', async () => {
    const { lapse, fail, mend } = watched()
    fail()
    expect(await lapse(3, 0)).toBe('3 asked: timeout timeout timeout')
    expect(await lapse(1, 0)).toBe('1 asked: timeout')
    expect(await lapse(5, 990)).toBe('0 asked: ')
    expect(await lapse(0, 20)).toBe('1 asked: timeout')
    expect(await lapse(0, 1980)).toBe('0 asked: ')
    expect(await lapse(0, 20)).toBe('1 asked: timeout host_down host_down host_down')
    expect(await lapse(3, 29_000)).toBe('0 asked: host_down host_down host_down')
    // Then one is let through, and the others with it are not.
    expect(await lapse(0, 1000)).toBe('0 asked: ')
    expect(await lapse(3, 0)).toBe('1 asked: host_down host_down timeout')
    mend()
    await lapse(0, 30_000)
    expect(await lapse(3, 0)).toBe('1 asked: host_down host_down ok')
    expect(await lapse(3, 0)).toBe('3 asked: ok ok ok')
  })

  it('for requests that are apart is as it was for others, and the other way round', async () => {
    const { ask, lapse, fail, mend } = watched()
    fail()
    for (let count = 0; count < 4; count++) void ask(host, undefined, 'again')
    expect(await lapse(0, 0)).toBe('4 asked: timeout timeout timeout timeout')
    for (let count = 0; count < 2; count++) void ask(host, undefined, 'again')
    expect(await lapse(0, 3010)).toBe('2 asked: timeout timeout')
    void ask(host, undefined, 'again')
    mend()
    expect(await lapse(2, 0)).toBe('2 asked: host_down ok ok')
    fail()
    expect(await lapse(4, 0)).toBe('4 asked: timeout timeout timeout timeout')
    mend()
    for (const apart of ['again', 'others']) void ask(host, undefined, apart)
    expect(await lapse(0, 0)).toBe('1 asked: host_down ok')
  })

  it('for a moment loses nothing: who waited is served', async () => {
    const { lapse, fail, mend } = watched()
    fail()
    await lapse(4, 0)
    mend()
    expect(await lapse(9, 1001)).toBe(`9 asked: ${Array(9).fill('ok').join(' ')}`)
  })

  it('now and then is not tripped, and 404 is an answer as good as any', async () => {
    const { lapse, fail, mend, refuse } = watched()
    for (let round = 0; round < 5; round++) {
      fail()
      expect(await lapse(3, 0)).toBe('3 asked: timeout timeout timeout')
      mend()
      expect(await lapse(1, 0)).toBe('1 asked: ok')
    }
    refuse()
    expect(await lapse(20, 0)).toMatch(/^20 asked/)
  })

  it('with 500, as many do for single pictures, is tripped later', async () => {
    const { lapse, fail } = watched()
    fail('http_500')
    expect(await lapse(15, 0)).toMatch(/^15 asked/)
    expect(await lapse(1, 0)).toMatch(/^1 asked/)
    expect(await lapse(1, 0)).toBe('0 asked: ')
  })

  it('lets none begin that had waited for something else when it was tripped', async () => {
    const circuits = createCircuits(options)
    let goOn = () => {}
    const waited = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let begun = 0
    const late = circuits.run(host, undefined, async (mayBegin) => {
      await waited
      if (!mayBegin()) throw new Tripped()
      begun++
    })
    for (let count = 0; count < 4; count++)
      await circuits
        .run(host, undefined, async () => {
          throw new Transient('timeout', 'so it is')
        })
        .catch(() => {})
    goOn()
    await vi.advanceTimersByTimeAsync(990)
    expect(begun).toBe(0)
    await vi.advanceTimersByTimeAsync(20)
    await late
    expect(begun).toBe(1)
  })

  it('and asks to be left alone for long is, once it is tripped', async () => {
    const { lapse, fail, mend } = watched()
    fail('http_503', 600_000)
    await lapse(4, 0)
    mend()
    expect(await lapse(2, 599_000)).toBe('0 asked: host_down host_down')
    expect(await lapse(0, 2000)).toBe('0 asked: ')
    expect(await lapse(1, 0)).toBe('1 asked: ok')
  })

  it('keeps no other waiting, and nobody who is told to end', async () => {
    const { ask, lapse, fail } = watched()
    fail()
    await lapse(4, 0)
    void ask('b.example')
    const abort = new AbortController()
    void ask(host, abort.signal)
    abort.abort(new Error('enough'))
    expect(await lapse(0, 0)).toBe('1 asked: timeout enough')
  })

  it('is not judged by a try that says nothing of it: the next one tries', async () => {
    const { lapse, fail, refuse, mend } = watched()
    fail()
    await lapse(4, 0)
    refuse()
    expect(await lapse(2, 1001)).toBe('2 asked: http_404 http_404')
    mend()
    expect(await lapse(2, 0)).toBe('2 asked: ok ok')
  })

  it('is forgotten once it is well, with thousands of others', async () => {
    const { ask, lapse, fail } = watched({ probes: 0 })
    fail()
    await lapse(4, 0)
    expect(await lapse(1, 0)).toBe('0 asked: host_down')
    for (let count = 0; count < 60_000; count++) void ask(`${count}.example`)
    expect(await lapse(0, 0)).toMatch(/^60000 asked/)
    // So is one that is down, when there are too many.
    expect(await lapse(1, 0)).toBe('1 asked: timeout')
  })

  it('again soon after it was well is down at once, and after as many successes is tried anew', async () => {
    const { lapse, fail, mend } = watched()
    fail()
    await lapse(4, 0)
    expect(await lapse(1, 1000)).toBe('1 asked: timeout')
    mend()
    expect(await lapse(1, 2000)).toBe('1 asked: ok')
    expect(await lapse(2, 0)).toBe('2 asked: ok ok')
    fail()
    expect(await lapse(5, 0)).toBe('5 asked: timeout timeout timeout timeout timeout')
    expect(await lapse(1, 0)).toBe('0 asked: host_down')
    mend()
    await lapse(0, 30_000)
    expect(await lapse(1, 0)).toBe('1 asked: ok')
    expect(await lapse(3, 0)).toBe('3 asked: ok ok ok')
    fail()
    await lapse(4, 0)
    expect(await lapse(1, 0)).toBe('0 asked: ')
    mend()
    expect(await lapse(0, 1000)).toBe('1 asked: ok')
  })

  it('leaves no listener with the signal of one that waited for it', async () => {
    const { ask, lapse, fail, mend } = watched()
    fail()
    await lapse(4, 0)
    mend()
    const { signal } = new AbortController()
    void ask(host, signal)
    await lapse(0, 0)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    expect(await lapse(0, 1000)).toBe('1 asked: ok')
    expect(getEventListeners(signal, 'abort')).toEqual([])
    // One that has ended before it could wait.
    fail()
    await lapse(4, 0)
    void ask(host, AbortSignal.abort(new Error('before')))
    expect(await lapse(0, 0)).toBe('0 asked: before')
  })

  it('and asks for a pause is left alone for it only where it is longer than may be waited for', async () => {
    const { lapse, fail, mend } = watched()
    fail('http_503', 30_000)
    await lapse(4, 0)
    mend()
    expect(await lapse(1, 1000)).toBe('1 asked: ok')
    const long = watched()
    long.fail('http_503', 10 * 3_600_000)
    await long.lapse(4, 0)
    long.mend()
    expect(await long.lapse(1, 3_599_999)).toBe('0 asked: host_down')
    await long.lapse(0, 1)
    expect(await long.lapse(1, 0)).toBe('1 asked: ok')
  })
})
