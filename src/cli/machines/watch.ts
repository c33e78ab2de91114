import { setTimeout as sleep } from 'node:timers/promises'
import { requireFolder } from '../../catalog/require-folder.js'
import { isLiving } from '../../pipeline/tasks/read-presences.js'
import { runMetrics } from '../../pipeline/tasks/run-metrics.js'
import { type RunState, runStateReader } from '../../pipeline/tasks/run-state.js'
import { parseMetricsAddress, serveMetrics } from '../../pipeline/tasks/serve-metrics.js'
import { openStorage } from '../../storage/open-storage.js'
import { print, printError, printJson, say } from '../terminal/print.js'
import {
  runStateText,
  setAsideText,
  stageLine,
  summaryText,
  workersText,
} from '../terminal/print-run-state.js'
import { redrawn } from '../terminal/redrawn.js'

export interface WatchOptions {
  readonly once?: boolean
  readonly json?: boolean
  readonly metrics?: string
}

/** Time between two looks: a bucket is asked by the list, which is paid for. A slow one is asked less. */
const [folderMs, bucketMs, slowness] = [2000, 10_000, 5]

/**
 * `groundmill watch`: what is going on in a run, until all is done (exit code 0), or all but what was set aside
 * and nobody works any more (1).
 */
export async function watch(url: string, options: WatchOptions, signal: AbortSignal): Promise<void> {
  await requireFolder(url)
  const run = openStorage(url)
  const read = runStateReader(run)
  const metrics = runMetrics()
  const address = options.metrics === undefined ? undefined : parseMetricsAddress(options.metrics)
  const server = address && (await serveMetrics(metrics.registry, address))
  if (server) say(`metrics at ${server.url}`)
  const show = options.json ? printJson : process.stdout.isTTY && !options.once ? printPage() : printLines()
  try {
    for (;;) {
      const start = performance.now()
      const state = await read()
      metrics.set(state)
      if (options.once && !options.json) print(runStateText(state))
      else show(state)
      const code = exitCodeOf(state)
      if (options.once || code !== undefined) {
        process.exitCode = options.once ? 0 : code
        if (options.json && !options.once && code === 1)
          printError({ message: 'all is done but the shards that were set aside', code })
        return
      }
      const took = performance.now() - start
      await sleep(Math.max(run.isLocal ? folderMs : bucketMs, slowness * took), undefined, { signal })
    }
  } catch (error) {
    // Nothing was left undone: who has seen enough is told nothing more.
    if (!signal.aborted) throw error
  } finally {
    await server?.close()
  }
}

/** Undefined while something may still happen. */
function exitCodeOf({ isDone, stages, setAside, processes }: RunState): number | undefined {
  const isAnyone = processes.some(isLiving)
  if (isAnyone) return undefined
  if (isDone) return 0
  const isAllSetAside = setAside.length > 0 && stages.every(({ toDo = 0 }) => toDo === 0)
  return isAllSetAside ? 1 : undefined
}

/** Draws over what was drawn before. */
function printPage() {
  const draw = redrawn(process.stdout)
  return (state: RunState) => {
    const rows = process.stdout.rows || 40
    // A page that is longer than the terminal cannot be drawn over.
    const free = Math.max(2, rows - state.stages.length - 12)
    draw(runStateText(state, { workers: Math.ceil(free / 2), setAside: Math.floor(free / 2) }))
  }
}

/** A line for each stage that has changed; who works, and what was set aside, where that has. */
function printLines() {
  const printed = new Map<string, string>()
  return (state: RunState) => {
    const lines = [...state.stages.map((stage) => [stage.name, stageLine(stage)] as const)]
    const workers = state.processes.filter(isLiving).length
    lines.push(['', summaryText(state)])
    const aside = setAsideText(state, 10)
    const isNew = (key: string, text: string, change = text) => {
      const isChanged = printed.get(key) !== change
      printed.set(key, change)
      return isChanged && text !== ''
    }
    const changed = lines.filter(([name, text]) =>
      isNew(`stage ${name}`, text, name === '' ? `${workers} ${state.isDone}` : countsOf(text)),
    )
    for (const [, text] of changed) print(`${state.at}  ${text}`)
    if (isNew('workers', workersText(state, 10), String(workers))) print(workersText(state, 10))
    if (isNew('aside', aside)) print(aside)
  }
}

/** Rates and times change at every look: they are told beside counts that have changed. */
const countsOf = (text: string) => text.replace(/, [^,]*\/s/, '').replace(/, [^,]* left$/, '')
