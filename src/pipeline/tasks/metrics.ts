import { readdirSync, readFileSync } from 'node:fs'
import { type MetricRegistry, metricRegistry } from './metric-registry.js'

/** How a task ended, for the metrics. */
export interface EndedTask {
  readonly stage: string
  readonly state: 'made' | 'skipped' | 'failed'
  readonly seconds: number
  /** What came out, in the stage's unit (pairs, captions, phrases, proposals), and what was rejected, by reason. */
  readonly rows?: number
  readonly rejected?: Readonly<Record<string, number>>
}

/** What a process that does tasks, or has them done, tells of them. */
export interface TaskMetrics {
  readonly registry: MetricRegistry
  /** Tasks that are under way now, by stage. */
  underWay(tasks: Readonly<Record<string, number>>): void
  ended(task: EndedTask): void
  /** Processes that do tasks now. */
  workers(count: number): void
}

/** From a tenth of a second to three hours. */
const durationEdges = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]

/** Metrics of tasks and of this process, under the names that OpenTelemetry gives them in Prometheus' format. */
export function taskMetrics(): TaskMetrics {
  const registry = metricRegistry()
  const tasks = registry.counter('groundmill_tasks', 'Tasks that have ended, by stage and how they ended.')
  const rows = registry.counter(
    'groundmill_rows',
    "What came out of tasks, in the stage's unit: pairs, captions, phrases, proposals.",
  )
  const rejected = registry.counter(
    'groundmill_rows_rejected',
    "What was rejected, in the stage's unit, by reason.",
  )
  const durations = registry.histogram(
    'groundmill_task_duration_seconds',
    'Time that a task took, of those that were made.',
    durationEdges,
  )
  const underWay = registry.gauge('groundmill_tasks_under_way', 'Tasks that are being done.')
  const workers = registry.gauge('groundmill_workers', 'Processes that do tasks.')
  addProcessMetrics(registry)
  return {
    registry,
    underWay(counts) {
      underWay.clear()
      for (const [stage, count] of Object.entries(counts)) underWay.set({ stage }, count)
    },
    ended(task) {
      const { stage, state } = task
      tasks.add({ stage, state })
      // What an earlier run had made is not counted again.
      if (state !== 'made') return
      rows.add({ stage }, task.rows ?? 0)
      for (const [reason, count] of Object.entries(task.rejected ?? {}))
        rejected.add({ stage, reason }, count)
      durations.observe({ stage }, task.seconds)
    },
    workers: (count) => workers.set({}, count),
  }
}

/** What this process takes, under the names that Prometheus' own clients use. */
export function addProcessMetrics(registry: MetricRegistry): void {
  const cpu = registry.counter('process_cpu_seconds', 'User and system CPU time spent in seconds.')
  const memory = registry.gauge('process_resident_memory_bytes', 'Resident memory size in bytes.')
  const start = registry.gauge(
    'process_start_time_seconds',
    'Start time of the process since the epoch in seconds.',
  )
  const heap = registry.gauge('nodejs_heap_size_used_bytes', 'Heap that is in use in bytes.')
  const files = registry.gauge('process_open_fds', 'Number of open file descriptors.')
  const mostFiles = registry.gauge('process_max_fds', 'Maximum number of open file descriptors.')
  start.set({}, Math.round(1000 * (Date.now() / 1000 - process.uptime())) / 1000)
  let told = 0
  registry.onScrape(() => {
    const { user, system } = process.cpuUsage()
    const seconds = (user + system) / 1e6
    cpu.add({}, seconds - told)
    told = seconds
    const { rss, heapUsed } = process.memoryUsage()
    memory.set({}, rss)
    heap.set({}, heapUsed)
    try {
      files.set({}, readdirSync('/proc/self/fd').length)
      const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
      if (limit !== undefined) mostFiles.set({}, Number(limit))
    } catch {
      // Elsewhere than on Linux they are left out.
    }
  })
}
