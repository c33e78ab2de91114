import type { Value } from '../../src/graph/session.js'
import { type GraphOverWeights, type PoolOptions, SessionPool } from '../../src/graph/session-pool.js'

/** One run of a session of a pool. */
export interface RecordedRun {
  readonly model: string | GraphOverWeights
  readonly ownGraph: boolean
  readonly feeds: Readonly<Record<string, Value>>
  readonly results: Readonly<Record<string, Value>>
}

/** Does work and tells each run of a pool that was opened meanwhile, with what went in and came out. */
export async function recordedRuns(work: () => Promise<unknown>): Promise<RecordedRun[]> {
  const { open } = SessionPool
  const { run } = SessionPool.prototype
  const opened = new Map<SessionPool, Pick<RecordedRun, 'model' | 'ownGraph'>>()
  const runs: RecordedRun[] = []
  SessionPool.open = async (model, options: PoolOptions = {}) => {
    const pool = await open.call(SessionPool, model, options)
    opened.set(pool, { model, ownGraph: options.ownGraph ?? false })
    return pool
  }
  SessionPool.prototype.run = async function (feeds) {
    // A run empties the arrays that it is given.
    const kept = Object.fromEntries(
      Object.entries(feeds).map(([name, value]) => [name, { ...value, data: value.data.slice() }]),
    )
    const results = await run.call(this, feeds)
    runs.push({ ...opened.get(this)!, feeds: kept, results })
    return results
  }
  try {
    await work()
    return runs
  } finally {
    SessionPool.open = open
    SessionPool.prototype.run = run
  }
}
