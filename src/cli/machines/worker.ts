import { UserError } from '../../base/user-error.js'
import { startTaskProcess } from '../../pipeline/engines/task-process.js'
import { queueAddress } from '../../pipeline/queue/queue-address.js'
import { runQueueWorker } from '../../pipeline/queue/queue-worker.js'
import { type Resource, resources } from '../../pipeline/stages/resource.js'
import { meteredEvents } from '../../pipeline/tasks/run-events.js'
import type { Task } from '../../pipeline/tasks/task.js'
import { openMetrics } from '../options/open-metrics.js'
import { print, printJson } from '../terminal/print.js'
import { createProgress } from '../terminal/progress.js'

export interface WorkerCommandOptions {
  readonly queue?: string
  readonly take: string
  readonly metrics?: string
  readonly json?: boolean
}

/** `groundmill worker`: takes tasks of any run until it is told to end; exit code 130 then. */
export async function worker(options: WorkerCommandOptions, signal: AbortSignal): Promise<void> {
  const take = parseTake(options.take)
  const { shown } = queueAddress(options.queue)
  const progress = createProgress()
  const tell = (text: string) => progress.finish(text)
  signal.addEventListener('abort', () =>
    tell('ending: what is being done has twenty seconds, then it is put back; again to end at once'),
  )
  const metrics = await openMetrics(options.metrics)
  metrics?.tasks.workers(1)
  const metered = metrics && meteredEvents(metrics.tasks)
  const stageOf = ({ stage }: Task) => ({ name: stage, uses: '', needs: [], with: undefined })
  const counts = await runQueueWorker({
    url: options.queue,
    take,
    open: (limiter) => startTaskProcess({ kind: 'queue-worker', limiter }),
    signal,
    onReady: () => tell(`worker of ${shown} takes ${take.join(', ')}`),
    onNotice: (text) => progress.note(`  ${text}`),
    onStart: (task) => {
      progress.update(`${task.stage} ${task.shard ?? ''}`.trim(), 0, 0)
      metered?.onTaskStart?.(stageOf(task), task.shard)
    },
    onEnd: (task, outcome, result) => {
      const { stage, shard = '' } = task
      tell(`${marks[outcome]} ${stage} ${shard}  ${outcome}`)
      metered?.onTaskEnd?.(stageOf(task), task.shard, result ?? endOf(outcome))
    },
  })
  await metrics?.close()
  if (options.json) printJson(counts)
  else
    print(
      `${Object.entries(counts)
        .map(([outcome, count]) => `${count} ${outcome}`)
        .join(', ')}`,
    )
}

const marks = { made: '✓', skipped: '✓', failed: '✗', 'put-back': '↺', left: '↺' } as const

function parseTake(list: string): Resource[] {
  const names = list.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !(resources as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw new UserError(`--take ${list}: there is no "${unknown}"; there are: ${resources.join(', ')}.`)
  return [...new Set(names)] as Resource[]
}

/** What became of a task that gave nothing. */
const endOf = (outcome: string): Error =>
  outcome === 'failed' ? new Error(outcome) : new DOMException(outcome, 'AbortError')
