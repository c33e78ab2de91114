import { type MetricRegistry, metricRegistry } from './metric-registry.js'
import { addProcessMetrics } from './metrics.js'
import { isLiving } from './read-presences.js'
import type { RunState } from './run-state.js'

/** What a watcher tells of a run: of all its processes together. */
export interface RunMetrics {
  readonly registry: MetricRegistry
  set(state: RunState): void
}

/** Metrics of a run, as its storage says; those of this process beside them. */
export function runMetrics(): RunMetrics {
  const registry = metricRegistry()
  const tasks = registry.gauge('groundmill_run_tasks', 'Tasks of a run, by stage and state.')
  const rates = registry.gauge('groundmill_run_rate', 'Units a second of all who work on a stage.')
  const workers = registry.gauge('groundmill_run_processes', 'Processes of a run, by kind and state.')
  const left = registry.gauge('groundmill_run_time_left_seconds', 'Time until the run is done, at least.')
  addProcessMetrics(registry)
  return {
    registry,
    set({ stages, processes, secondsLeft }) {
      for (const gauge of [tasks, rates, workers, left]) gauge.clear()
      for (const { name: stage, done, underWay, setAside, toDo, rate } of stages) {
        const states = { done, under_way: underWay, set_aside: setAside, to_do: toDo }
        for (const [state, count] of Object.entries(states))
          if (count !== undefined) tasks.set({ stage, state }, count)
        rates.set({ stage }, rate)
      }
      const counts = new Map<string, number>()
      for (const process of processes) {
        const state = isLiving(process) ? 'alive' : process.state
        const key = `${process.kind}\n${state}`
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
      for (const [key, count] of counts) {
        const [kind = '', state = ''] = key.split('\n')
        workers.set({ kind, state }, count)
      }
      if (secondsLeft !== undefined) left.set({}, secondsLeft)
    },
  }
}
