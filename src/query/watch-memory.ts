import { rmSync, writeSync } from 'node:fs'
import { UserError } from '../base/user-error.js'

/** The memory of this process while a query runs. */
export interface MemoryWatch {
  /** The error for a query that has been broken off for the memory that it took; else undefined. */
  readonly failure: UserError | undefined
  stop(): void
}

/** How often the memory is looked at. */
const lookMs = 50
/** What a query may take beside DuckDB's own limit, which does not count the texts that functions make. */
const interruptAt = 2e9
/** What a single call of a function takes before the program ends: nothing else stops one. */
const killAt = 3e9

const message = (bytes: number) =>
  `The query takes more than ${bytes / 1e9} GB of memory: ask for fewer or shorter values at a time.`

/**
 * Looks after the memory that a query takes. DuckDB's limit holds for tables and sorting; the text of
 * `repeat('a', 3000000000)` is beyond it. A query that takes 2 GB is interrupted, which works between rows. A
 * function that is at one value cannot be stopped; at 3 GB the program says so and ends by SIGKILL (exit code
 * 137), as otherwise the system would do it, or to another program.
 *
 * @param interrupt breaks off what runs
 * @param folder of temporary files, which goes with the program
 * @param limits in bytes beyond what the program has when it begins
 */
export function watchMemory(
  interrupt: () => void,
  folder: string,
  limits = { interruptAt, killAt },
): MemoryWatch {
  const before = process.memoryUsage.rss()
  let failure: UserError | undefined
  const timer = setInterval(() => {
    const taken = process.memoryUsage.rss() - before
    if (taken > limits.killAt) {
      // What is printed in the usual way would come after the call's end.
      writeSync(2, `${message(limits.killAt)}\n`)
      rmSync(folder, { recursive: true, force: true })
      process.kill(process.pid, 'SIGKILL')
    }
    if (taken > limits.interruptAt) {
      failure ??= new UserError(message(limits.interruptAt))
      interrupt()
    }
  }, lookMs)
  timer.unref()
  return {
    get failure() {
      return failure
    },
    stop: () => clearInterval(timer),
  }
}
