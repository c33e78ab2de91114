import { execFileSync } from 'node:child_process'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

/**
 * Longer than any test may take: its own limit ends one that waits, but none that never lets go of its
 * thread.
 */
const patience = 8 * 60_000

/**
 * Ends a run in which nothing happens any more, and says what was running. A loop without an end blocks the
 * worker that would notice a test's time limit: without this the run hangs for ever, and nobody learns where.
 */
export class StallReporter implements Reporter {
  private readonly running = new Set<string>()
  private timer: NodeJS.Timeout | undefined

  // A worker that blocks at once says no more than this, which is told by the pool.
  onTestModuleQueued({ moduleId }: TestModule): void {
    this.running.add(moduleId)
    this.wait()
  }

  onTestModuleEnd({ moduleId }: TestModule): void {
    this.running.delete(moduleId)
    this.wait()
  }

  onTestCaseReady(test: TestCase): void {
    this.running.add(`${test.module.moduleId}: ${test.fullName}`)
    this.wait()
  }

  onTestCaseResult(test: TestCase): void {
    this.running.delete(`${test.module.moduleId}: ${test.fullName}`)
    this.wait()
  }

  onTestRunEnd(): void {
    clearTimeout(this.timer)
  }

  private wait(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      console.error(`Nothing has happened for ${patience / 60_000} minutes. Running:`)
      for (const name of this.running) console.error(`  ${name}`)
      // A worker in such a loop does not notice that it is alone.
      try {
        execFileSync('pkill', ['-KILL', '-P', String(process.pid)])
      } catch {
        // Without pkill, or where it found no worker, the run ends all the same.
      }
      process.exit(1)
    }, patience)
    this.timer.unref()
  }
}
