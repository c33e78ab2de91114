import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { explainError } from '../../base/explain-error.js'
import { thisProcess } from '../../base/process-identity.js'
import type { Storage } from '../../storage/storage.js'
import { mostFailed, type PresenceRecord, type PresentTask, type SetAside } from './presence-record.js'
import { type RateMeter, rateMeter } from './rate-meter.js'
import { presenceFolder, removeEnded } from './read-presences.js'

/** What a process began, how far it is, or how a task ended. */
export type PresenceChange =
  | { readonly task: Pick<PresentTask, 'stage' | 'shard'> & Partial<Pick<PresentTask, 'done' | 'total'>> }
  | {
      readonly ended: Pick<PresentTask, 'stage' | 'shard'>
      readonly outcome: 'made' | 'skipped'
      /** Units that it was about; those of the last progress by default. */
      readonly rows?: number
    }
  | {
      readonly ended: Pick<PresentTask, 'stage' | 'shard'>
      readonly outcome: 'failed'
      readonly error: string
    }
  /** Put back, or given up: nothing has become of it. */
  | { readonly ended: Pick<PresentTask, 'stage' | 'shard'>; readonly outcome: 'left' }

/** The presence of this process in a run, for as long as it works on it. */
export interface Presence {
  /** Cheap: what it says is written later. */
  update(change: PresenceChange): void
  /** Removes the file, or leaves it with the reasons why tasks were set aside. */
  close(): Promise<void>
}

export interface PresenceAbout {
  readonly kind: PresenceRecord['kind']
  readonly pipeline: string
  /** Told once where the presence cannot be written; the work goes on. */
  readonly onNotice?: (text: string) => void
  /** Least time between two writes, in milliseconds. */
  readonly writeMs?: number
  /** A beat is written after so long without news: three of them before the process is taken for dead. */
  readonly beatMs?: number
}

/** What is kept of an error: the file is read by all who watch. */
const mostErrorCharacters = 1000
/** The end of the work does not wait for longer than this for a storage that hangs. */
const closeMs = 5000

/**
 * Says in the run's storage that this process works on it, and what it does, until it is closed. Whether that
 * can be written or not, the work is not disturbed. Presences of processes that have ended are removed where
 * a whole run begins: it tries again what they set aside.
 */
export function openPresence(run: Storage, about: PresenceAbout): Presence {
  const { kind, pipeline, onNotice = () => {}, writeMs = 5000, beatMs = 30_000 } = about
  const { host, pid } = thisProcess
  const name = `${presenceFolder}/${host.replace(/[^\w.-]/g, '_')}-${pid}-${randomBytes(4).toString('hex')}.json`
  const since = new Date().toISOString()
  const meter = rateMeter()
  const counts = { rows: 0, tasks: { made: 0, skipped: 0, failed: 0 }, failed: [] as SetAside[] }
  let task: PresentTask | undefined
  let [isTold, isClosed] = [false, false]

  const quietly = async (work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      if (!isTold) onNotice(`who works on this run cannot be noted down: ${explainError(error).message}`)
      isTold = true
    }
  }
  const record = (ended?: string): PresenceRecord => ({
    ...thisProcess,
    kind,
    pipeline,
    since,
    beat: new Date().toISOString(),
    ...(ended !== undefined && { ended }),
    ...(task && { task }),
    ...counts,
    rows: counts.rows + (task?.done ?? 0),
    rate: ended === undefined ? meter.rate() : 0,
  })
  const write = (ended?: string) => quietly(() => run.write(name, `${JSON.stringify(record(ended))}\n`))

  // One write at a time, and the next when it is time for it: a slow storage is not asked for more.
  let written = Number.NEGATIVE_INFINITY
  let writing: Promise<unknown> | undefined
  let [timer, isNews]: [NodeJS.Timeout | undefined, boolean] = [undefined, false]
  const writeNow = () => {
    timer = undefined
    isNews = false
    written = performance.now()
    writing = write().finally(() => {
      writing = undefined
      if (isNews) later()
    })
  }
  const later = () => {
    isNews = true
    if (timer || writing || isClosed) return
    timer = setTimeout(writeNow, Math.max(0, written + writeMs - performance.now())).unref()
  }
  const beat = setInterval(later, beatMs).unref()
  writeNow()
  const sweeping = kind === 'run' ? quietly(() => removeEnded(run)) : undefined

  return {
    update(change) {
      if (isClosed) return
      task = changed(change, task, counts, meter)
      later()
    },
    async close() {
      if (isClosed) return
      isClosed = true
      clearInterval(beat)
      clearTimeout(timer)
      task = undefined
      const leave = async () => {
        await Promise.all([writing, sweeping])
        if (counts.failed.length > 0) await write(new Date().toISOString())
        else await quietly(() => run.remove(name))
        // A worker that was killed may have been writing.
        if (kind === 'run') await quietly(() => run.sweep(presenceFolder))
      }
      await Promise.race([leave(), delay(closeMs, undefined, { ref: false })])
    },
  }
}

/** The task that is under way after a change, which is added to the counts. */
function changed(
  change: PresenceChange,
  task: PresentTask | undefined,
  counts: {
    rows: number
    readonly tasks: Record<'made' | 'skipped' | 'failed', number>
    readonly failed: SetAside[]
  },
  meter: RateMeter,
): PresentTask | undefined {
  if ('task' in change) {
    const { stage, shard } = change.task
    const known = task?.stage === stage && task.shard === shard ? task : undefined
    const { done = known?.done ?? 0, total = known?.total ?? 0 } = change.task
    meter.add(stage, counts.rows + done)
    return { stage, shard, since: known?.since ?? new Date().toISOString(), done, total }
  }
  const { outcome, ended } = change
  if (outcome === 'left') return undefined
  counts.tasks[outcome]++
  if (outcome === 'made') {
    counts.rows += change.rows ?? task?.done ?? 0
    meter.add(ended.stage, counts.rows)
  }
  const { failed } = counts
  // A task that was tried again has one entry.
  const before = failed.findIndex(({ stage, shard }) => stage === ended.stage && shard === ended.shard)
  if (before >= 0) failed.splice(before, 1)
  if (outcome === 'failed') {
    failed.push({ ...ended, error: change.error.slice(0, mostErrorCharacters) })
    if (failed.length > mostFailed) failed.shift()
  }
  return undefined
}
