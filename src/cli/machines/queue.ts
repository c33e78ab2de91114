import { readQueueStatus } from '../../pipeline/queue/queue-status.js'
import { formatTable } from '../terminal/format-table.js'
import { print, printJson } from '../terminal/print.js'
import { duration } from '../terminal/progress.js'

export interface QueueStatusOptions {
  readonly queue?: string
  readonly json?: boolean
}

/** `groundmill queue status`: what waits, what is being done, and who takes it. */
export async function queueStatus({ queue, json }: QueueStatusOptions): Promise<void> {
  const status = await readQueueStatus(queue)
  if (json) {
    printJson(status)
    return
  }
  const rows = Object.entries(status.resources).map(([resource, it]) => [
    resource,
    it.waiting,
    it.active,
    it.delayed,
    it.failed,
    it.workers.length,
    it.oldest
      ? `${it.oldest.stage} ${it.oldest.shard ?? ''} for ${duration(it.oldest.seconds)} at ${it.oldest.worker ?? '?'}`
      : '',
  ])
  const header = ['resource', 'waiting', 'active', 'delayed', 'failed', 'workers', 'longest active']
  print(`${status.queue}\n\n${formatTable(header, rows)}`)
  const workers = Object.entries(status.resources).flatMap(([resource, it]) =>
    it.workers.map((name) => [name, resource] as const),
  )
  const takes = new Map<string, string[]>()
  for (const [name, resource] of workers) takes.set(name, [...(takes.get(name) ?? []), resource])
  const lines = [...takes].map(([name, taken]) => `worker ${name} takes ${taken.join(', ')}`)
  if (lines.length > 0) print(`\n${lines.join('\n')}`)
}
