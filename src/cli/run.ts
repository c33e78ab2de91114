import { orPackaged } from '../base/files/packaged.js'
import { shownName } from '../base/name-list.js'
import { didYouMean } from '../base/nearest-name.js'
import { UserError } from '../base/user-error.js'
import { readStats } from '../catalog/read-stats.js'
import { parseRetried, retriedKinds } from '../ingest/parse-retried.js'
import type { Engine } from '../pipeline/engines/engine.js'
import { processes } from '../pipeline/engines/processes.js'
import { openQueueEngine } from '../pipeline/queue/queue-engine.js'
import { readPipeline } from '../pipeline/read-pipeline.js'
import type { Pipeline } from '../pipeline/stages/pipeline-config.js'
import { isReason, reasonNames } from '../pipeline/tasks/mends.js'
import { meteredEvents } from '../pipeline/tasks/run-events.js'
import type { Slice } from '../pipeline/tasks/run-stage.js'
import { openMetrics } from './options/open-metrics.js'
import { readSlice } from './options/read-slice.js'
import { runWithProgress, showPlan } from './run-with-progress.js'
import { note, print, printJson, say } from './terminal/print.js'
import { funnelTable } from './terminal/print-funnel.js'
import { failureOfRun, tellFailure } from './terminal/run-end.js'

export interface RunCommand {
  readonly dataset?: string
  readonly set: readonly string[]
  readonly only: readonly string[]
  readonly retryFailed?: string | true
  readonly drop?: boolean
  readonly workers?: number
  readonly slice?: string | true
  readonly queue?: string | true
  readonly metrics?: string
  readonly plan?: boolean
  readonly json?: boolean
}

/**
 * `groundmill run`: exit code 1 where shards were set aside, 2 where nothing came of a stage, 75 where a slice
 * waits for shards of other slices.
 */
export async function run(path: string, options: RunCommand, signal: AbortSignal): Promise<void> {
  const pipeline = await readPipeline(orPackaged(path), { set: options.set, onNotice: note })
  const url = options.dataset ?? `runs/${pipeline.name}`
  const only = options.only.length > 0 ? options.only : undefined
  const { retryFailed: reasons } = options
  const retryFailed = reasons === true ? 'transient' : reasons
  requireReasons(retryFailed)
  if (options.plan) {
    await showPlan(pipeline, url, { only, signal, json: options.json })
    return
  }
  const slice = readSlice(options.slice === true ? 'auto' : options.slice, process.env)
  const engine = await engineOf(options, slice, pipeline)
  const metrics = await openMetrics(options.metrics)
  metrics?.tasks.workers(options.workers ?? 1)
  const running = runWithProgress(
    pipeline,
    url,
    { signal, only, retryFailed, drop: options.drop, engine, slice },
    metrics && meteredEvents(metrics.tasks),
  )
  const result = await running.finally(async () => {
    await engine?.close()
    await metrics?.close()
  })
  const { outcomes, stopped } = result
  // Who runs one of many slices would read the records of all of them.
  const funnel = slice ? [] : await readStats(url)
  if (!options.json && !slice) print(`\n${funnelTable(funnel)}`)
  const waiting = stopped.filter(({ why }) => why !== 'nothing came of it')
  for (const { stage, at, why } of waiting)
    if (stage === at) say(`groundmill: this slice stopped before "${stage}": ${why}`)
  if (only?.some((name) => waiting.some(({ stage }) => stage === name))) process.exitCode = waitingForOthers
  const end = tellFailure(failureOfRun(result))
  if (options.json) printJson({ run: url, stages: Object.fromEntries(outcomes), stopped, funnel, ...end })
}

/** @throws UserError where `--retry-failed` names a reason that there is not: nothing would be tried again. */
function requireReasons(retryFailed: string | undefined): void {
  parseRetried(retryFailed)
  if (retryFailed === undefined || retriedKinds.includes(retryFailed)) return
  const unknown = retryFailed.split(',').find((reason) => !isReason(reason.trim()))
  if (unknown !== undefined)
    throw new UserError(
      `--retry-failed ${shownName(retryFailed)}: no row is rejected for ${shownName(unknown.trim())}.${didYouMean(unknown.trim(), [...retriedKinds, ...reasonNames])} \`groundmill stats\` lists the reasons that there are.`,
    )
}

/** What sysexits.h calls a temporary failure: a scheduler may try again later. */
const waitingForOthers = 75

async function engineOf(
  { workers, queue }: RunCommand,
  slice: Slice | undefined,
  pipeline: Pipeline,
): Promise<Engine | undefined> {
  const ways = [workers !== undefined && '--workers', slice && '--slice', queue && '--queue'].filter(Boolean)
  if (ways.length > 1)
    throw new UserError(`A run goes one way: give one of ${ways.join(' and ')}, not ${ways.length}.`)
  const tell = (text: string) => say(`  ${text}`)
  if (workers !== undefined) return processes(workers, (text) => tell(`warning: ${text}`))
  if (queue === undefined) return undefined
  return openQueueEngine({
    url: queue === true ? undefined : queue,
    pipeline,
    onNotice: tell,
  })
}
