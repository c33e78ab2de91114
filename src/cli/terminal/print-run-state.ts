import { plainText } from '../../base/plain-text.js'
import type { KnownPresence } from '../../pipeline/tasks/read-presences.js'
import { isLiving } from '../../pipeline/tasks/read-presences.js'
import type { RunState, StageState } from '../../pipeline/tasks/run-state.js'
import { formatTable } from './format-table.js'
import { duration } from './progress.js'

/** Lines for people; fewer where there are many workers, or much that was set aside. */
export interface PrintedLines {
  readonly workers: number
  readonly setAside: number
}

const rateText = (rate: number) => (rate >= 10 ? rate.toFixed(0) : rate > 0 ? rate.toFixed(1) : '')
const countText = (count: number | undefined) => (count === undefined ? '?' : String(count))

/** The state of a run as a page of text: its stages, who works, and what was set aside. */
export function runStateText(state: RunState, most: PrintedLines = { workers: 30, setAside: 10 }): string {
  const { pipeline, stages } = state
  const rows = stages.map((stage) => [
    plainText(stage.name),
    stage.uses,
    stage.total === undefined ? '?' : stage.total,
    countText(stage.done),
    stage.underWay,
    stage.setAside,
    countText(stage.toDo),
    rateText(stage.rate),
    stage.secondsLeft === undefined ? '' : duration(stage.secondsLeft),
  ])
  const header = ['stage', 'kind', 'tasks', 'done', 'under way', 'set aside', 'to do', 'a second', 'left']
  const parts = [
    `${plainText(pipeline.name)} in ${plainText(state.run)}: ${summaryText(state)}`,
    formatTable(header, rows),
    workersText(state, most.workers),
    setAsideText(state, most.setAside),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** How far a run is, in one line. */
export function summaryText(state: RunState): string {
  if (state.isDone) return 'done'
  const { secondsLeft, isAtLeast, processes } = state
  const count = processes.filter(isLiving).length
  if (count === 0) return 'nobody works on it'
  const left = secondsLeft === undefined || secondsLeft === 0 ? '' : `, ${duration(secondsLeft)} left`
  return `${processCount(count)}${left && isAtLeast ? left.replace(',', ', at least') : left}`
}

const processCount = (count: number) => (count === 1 ? '1 process works' : `${count} processes work`)

/** Who works on a run, one a line; '' where nobody does. */
export function workersText({ processes, at }: Pick<RunState, 'processes' | 'at'>, most: number): string {
  const living = processes.filter(isLiving)
  const dead = processes.filter(({ state }) => state === 'dead')
  const now = Date.parse(at)
  const lines = living.slice(0, most).map((worker) => `  ${workerText(worker, now)}`)
  if (living.length > most) lines.push(`  and ${living.length - most} more`)
  if (dead.length > 0) {
    const names = dead.slice(0, 5).map(({ host, pid }) => `${plainText(host)} ${pid}`)
    lines.push(
      `  ended without a word: ${names.join(', ')}${dead.length > 5 ? ` and ${dead.length - 5} more` : ''}`,
    )
  }
  return lines.length === 0 ? '' : ['workers', ...lines].join('\n')
}

function workerText(worker: KnownPresence, now: number): string {
  const { host, pid, kind, task, tasks, rate, state, beat } = worker
  const share = task && task.total > 0 ? ` ${Math.floor((100 * task.done) / task.total)} %` : ''
  const speed = task && rate > 0 ? ` ${rateText(rate)}/s` : ''
  const doing = task
    ? `${plainText(task.stage)}${task.shard === undefined ? '' : ` ${plainText(task.shard)}`}${share}${speed}`
    : 'waits'
  const failed = tasks.failed > 0 ? `, ${tasks.failed} set aside` : ''
  const silence =
    state === 'silent' ? `, silent for ${duration(Math.max(0, now - Date.parse(beat)) / 1000)}` : ''
  return `${plainText(host)} ${pid} (${kind}): ${doing}, ${tasks.made} made${failed}${silence}`
}

/** Tasks that were set aside and why, one a line; '' where none was. */
export function setAsideText({ setAside }: Pick<RunState, 'setAside'>, most: number): string {
  if (setAside.length === 0) return ''
  const lines = setAside
    .slice(0, most)
    .map(
      ({ stage, shard, error }) =>
        `  ${plainText(shard === undefined ? stage : `${stage} ${shard}`)}: ${plainText(error)}`,
    )
  if (setAside.length > most) lines.push(`  and ${setAside.length - most} more`)
  return ['set aside', ...lines].join('\n')
}

/** How far a stage is, in one line, for output that is no terminal. */
export function stageLine({ name, total, done, underWay, setAside, rate, secondsLeft }: StageState): string {
  const parts = [`${plainText(name)} ${countText(done)}/${countText(total)} done`]
  if (underWay > 0) parts.push(`${underWay} under way`)
  if (setAside > 0) parts.push(`${setAside} set aside`)
  if (rate > 0) parts.push(`${rateText(rate)}/s`)
  if (secondsLeft !== undefined) parts.push(`${duration(secondsLeft)} left`)
  return parts.join(', ')
}
