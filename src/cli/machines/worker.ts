import { UserError } from '../../base/user-error.js'
import { startTaskProcess } from '../../pipeline/engines/task-process.js'
import { queueAddress } from '../../pipeline/queue/queue-address.js'
import { runQueueWorker } from '../../pipeline/queue/queue-worker.js'
import { type Resource, resources } from '../../pipeline/stages/resource.js'
import { createProgress } from '../terminal/progress.js'

export interface WorkerCommandOptions {
  readonly queue?: string
  readonly take: string
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
  const counts = await runQueueWorker({
    url: options.queue,
    take,
    open: () => startTaskProcess(),
    signal,
    onReady: () => tell(`worker of ${shown} takes ${take.join(', ')}`),
    onNotice: (text) => tell(`  ${text}`),
    onEnd: ({ stage, shard = '' }, outcome) => tell(`${marks[outcome]} ${stage} ${shard}  ${outcome}`),
  })
  if (options.json) process.stdout.write(`${JSON.stringify(counts)}\n`)
  else
    process.stdout.write(
      `${Object.entries(counts)
        .map(([outcome, count]) => `${count} ${outcome}`)
        .join(', ')}\n`,
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
