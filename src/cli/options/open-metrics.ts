import { type TaskMetrics, taskMetrics } from '../../pipeline/tasks/metrics.js'
import { parseMetricsAddress, serveMetrics } from '../../pipeline/tasks/serve-metrics.js'
import { say } from '../terminal/print.js'

/** Metrics that are told while a command works. */
export interface OpenMetrics {
  readonly tasks: TaskMetrics
  close(): Promise<void>
}

/**
 * Tells metrics of tasks at the address of `--metrics`; undefined where none was given.
 *
 * @throws UserError where it is no address, or cannot be listened at
 */
export async function openMetrics(address: string | undefined): Promise<OpenMetrics | undefined> {
  if (address === undefined) return undefined
  const tasks = taskMetrics()
  const { url, close } = await serveMetrics(tasks.registry, parseMetricsAddress(address))
  say(`  metrics at ${url}`)
  return { tasks, close }
}
