import { readQueueStatus } from '../../pipeline/queue/queue-status.js'
import { formatTable } from '../terminal/format-table.js'
import { duration } from '../terminal/progress.js'

export interface QueueStatusOptions {
  readonly queue?: string
  readonly json?: boolean
}

/** `groundmill queue status`: what waits, what is being done, and who takes it. */
export async function queueStatus({ queue, json }: QueueStatusOptions): Promise<void> {
  const status = await readQueueStatus(queue)
  if (json) {
    process.stdout.write(`${JSON.stringify(status)}\n`)
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
  process.stdout.write(`${status.queue}\n\n${formatTable(header, rows)}\n`)
  const workers = Object.entries(status.resources).flatMap(([resource, it]) =>
    it.workers.map((name) => [name, resource] as const),
  )
  const takes = new Map<string, string[]>()
  for (const [name, resource] of workers) takes.set(name, [...(takes.get(name) ?? []), resource])
  for (const [name, taken] of takes) process.stdout.write(`\nworker ${name} takes ${taken.join(', ')}`)
  if (takes.size > 0) process.stdout.write('\n')
}
