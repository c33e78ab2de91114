import { expect } from 'vitest'

/**
 * Seconds of the processor. Nothing that a test gives comes near them on the slowest machine, at the end of a
 * process that holds much memory; what they are given would take far more where time had no bound.
 */
const mostSeconds = 60

/** Does work whose time must have a bound, and expects that it had one. How fast it is, a benchmark says. */
export async function inBounds<T>(work: () => T | Promise<T>, what = 'it'): Promise<T> {
  const before = process.cpuUsage()
  try {
    return await work()
  } finally {
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1e6, `seconds of the processor that ${what} took`).toBeLessThan(mostSeconds)
  }
}
