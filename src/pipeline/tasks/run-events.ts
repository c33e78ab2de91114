import type { TaskMetrics } from './metrics.js'
import type { Presence } from './presence.js'
import type { StageEvents } from './run-stage.js'

/** Tells all of several what happens, in their order. */
export function joinEvents(...all: readonly StageEvents[]): StageEvents {
  const tell =
    <Name extends keyof StageEvents>(name: Name) =>
    (...args: Parameters<NonNullable<StageEvents[Name]>>) => {
      for (const events of all)
        (events[name] as ((...args: unknown[]) => void) | undefined)?.apply(events, args)
    }
  return {
    onProgress: tell('onProgress'),
    onPlanned: tell('onPlanned'),
    onNotice: tell('onNotice'),
    onTrainStart: tell('onTrainStart'),
    onTaskStart: tell('onTaskStart'),
    onTaskProgress: tell('onTaskProgress'),
    onTaskEnd: tell('onTaskEnd'),
  }
}

/**
 * Has a presence say what happens.
 *
 * @param isCarried whether other processes do the tasks, and say so themselves: then only what was set aside
 *   is said
 */
export function presentEvents(presence: Presence, isCarried: boolean): StageEvents {
  return {
    onTaskStart({ name }, shard) {
      if (!isCarried) presence.update({ task: { stage: name, shard } })
    },
    onTaskProgress({ name }, shard, done, total) {
      if (!isCarried) presence.update({ task: { stage: name, shard, done, total } })
    },
    onTaskEnd({ name }, shard, end) {
      const ended = { stage: name, shard }
      if (end instanceof Error) presence.update({ ended, outcome: 'failed', error: end.message })
      else if (!isCarried) presence.update({ ended, outcome: end.skipped ? 'skipped' : 'made' })
    },
  }
}

/** Counts what happens. */
export function meteredEvents(metrics: TaskMetrics): StageEvents {
  const begun = new Map<string, number>()
  const underWay = new Map<string, number>()
  const keyOf = (stage: string, shard: string | undefined) => `${stage}\n${shard ?? ''}`
  const count = (stage: string, change: number) => {
    underWay.set(stage, (underWay.get(stage) ?? 0) + change)
    metrics.underWay(Object.fromEntries(underWay))
  }
  return {
    onTaskStart({ name }, shard) {
      begun.set(keyOf(name, shard), performance.now())
      count(name, 1)
    },
    onTaskEnd({ name: stage }, shard, end) {
      const key = keyOf(stage, shard)
      const seconds = (performance.now() - (begun.get(key) ?? performance.now())) / 1000
      begun.delete(key)
      count(stage, -1)
      // What was put back or left to others has not ended.
      if (end instanceof Error && end.name === 'AbortError') return
      if (end instanceof Error) metrics.ended({ stage, state: 'failed', seconds })
      else {
        const { out: rows, rejected, skipped } = end
        metrics.ended({ stage, state: skipped ? 'skipped' : 'made', seconds, rows, rejected })
      }
    },
  }
}
