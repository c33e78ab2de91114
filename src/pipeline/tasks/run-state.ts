import { UserError } from '../../base/user-error.js'
import type { Storage } from '../../storage/storage.js'
import { kindOf } from '../stages/pipeline-config.js'
import { currentPipeline, type RunPipeline } from './current-pipeline.js'
import type { SetAside } from './presence-record.js'
import { isLiving, type KnownPresence, readPresences } from './read-presences.js'
import { type StageTasks, stageReader } from './stage-tasks.js'

/** How far a stage of a run is. */
export interface StageState {
  readonly name: string
  readonly uses: string
  /** Tasks: shards, or the one. Absent while it is not known how many there will be. */
  readonly total?: number
  /** Absent where what it makes lies elsewhere. */
  readonly done?: number
  readonly underWay: number
  readonly setAside: number
  /** Those that nobody has begun; absent where the total or what is done is not known. */
  readonly toDo?: number
  /** Units a second of all who work on it: pairs, rows, steps, images. */
  readonly rate: number
  /** Seconds of one process that are left; absent where no task of it was ever measured. */
  readonly workSeconds?: number
  /** Seconds until it is done if as many work on it as now. */
  readonly secondsLeft?: number
}

/** What is going on in a run. */
export interface RunState {
  /** URL of the run. */
  readonly run: string
  /** ISO time. */
  readonly at: string
  readonly pipeline: { readonly name: string; readonly hash: string }
  readonly stages: readonly StageState[]
  /** Processes that live, those that ended without a word, and those that left why tasks were set aside. */
  readonly processes: readonly KnownPresence[]
  /** Tasks that were set aside and that nobody has made, or works on, since. */
  readonly setAside: readonly SetAside[]
  /** Seconds until all is done if as many work as now; absent where nobody does. */
  readonly secondsLeft?: number
  /** True where it takes longer than that: a stage was never measured. */
  readonly isAtLeast: boolean
  readonly isDone: boolean
}

/**
 * Reads what is going on in a run, again and again.
 *
 * @returns reads it once. Throws a UserError where no run has left its pipeline there.
 */
export function runStateReader(run: Storage): () => Promise<RunState> {
  const stages = stageReader(run)
  return async () => {
    const processes = await readPresences(run)
    const current = await currentPipeline(run, processes)
    if (!current)
      throw new UserError(
        `${run.url} has no run to watch: none has left its pipeline there. Start one with groundmill run.`,
      )
    return runState(run.url, current, await stages.read(current.pipeline), processes)
  }
}

/** Who does tasks: who has others do them, and does nothing itself, is none of them. */
export function workersOf(processes: readonly KnownPresence[]): readonly KnownPresence[] {
  const living = processes.filter(isLiving)
  const others = living.filter(({ kind, task }) => kind !== 'run' || task !== undefined)
  return others.length > 0 ? others : living
}

/**
 * Puts together what is known of a run.
 *
 * @param tasks of each stage, as the run's storage says
 */
export function runState(
  url: string,
  { hash, pipeline }: RunPipeline,
  tasks: ReadonlyMap<string, StageTasks>,
  processes: readonly KnownPresence[],
): RunState {
  const workers = workersOf(processes)
  const setAside = openFailures(tasks, processes)
  const stages = [...tasks.values()].map((known) => stageState(known, workers, setAside))
  const isOver = ({ toDo, underWay, done }: StageState) =>
    underWay === 0 && (toDo === 0 || (done === undefined && toDo === undefined))
  const work = stages.reduce((sum, { workSeconds = 0 }) => sum + workSeconds, 0)
  return {
    run: url,
    at: new Date().toISOString(),
    pipeline: { name: pipeline.name, hash },
    stages,
    processes,
    setAside,
    ...(workers.length > 0 && { secondsLeft: work / workers.length }),
    isAtLeast: stages.some((stage) => stage.workSeconds === undefined && !isOver(stage)),
    isDone: setAside.length === 0 && stages.every(isOver),
  }
}

const keyOf = ({ stage, shard = '' }: { readonly stage: string; readonly shard?: string | undefined }) =>
  `${stage}\n${shard}`

/** What was set aside and is neither there nor under way, each task once with its last error. */
function openFailures(
  tasks: ReadonlyMap<string, StageTasks>,
  processes: readonly KnownPresence[],
): SetAside[] {
  const found = new Map<string, SetAside>()
  for (const { failed } of [...processes].sort((a, b) => (a.beat < b.beat ? -1 : 1)))
    for (const one of failed) found.set(keyOf(one), one)
  for (const process of processes) if (isLiving(process) && process.task) found.delete(keyOf(process.task))
  return [...found.values()].filter(({ stage, shard }) => {
    const known = tasks.get(stage)
    if (!known) return false
    return shard === undefined ? known.isDone !== true : !known.done?.has(shard)
  })
}

function stageState(
  known: StageTasks,
  workers: readonly KnownPresence[],
  setAside: readonly SetAside[],
): StageState {
  const { stage, shards, done, isDone } = known
  const { name, uses } = stage
  const isOne = kindOf(stage).makes === 'one'
  const here = workers.flatMap(({ task, rate }) => (task?.stage === name ? [{ ...task, rate }] : []))
  // What was just done may still stand in the file of who did it.
  const busy = here.filter(({ shard }) => (shard === undefined ? isDone !== true : !done?.has(shard)))
  const underWay = new Set(busy.map(({ shard }) => shard)).size
  const aside = setAside.filter((one) => one.stage === name).length
  const total = isOne ? 1 : shards?.size
  const one = isDone === undefined ? undefined : Number(isDone)
  const made = isOne ? one : done?.size
  const isKnown = total !== undefined && made !== undefined
  const toDo = isKnown ? Math.max(0, total - made - underWay - aside) : undefined
  const workSeconds = secondsOfWork(known, toDo, busy)
  return {
    name,
    uses,
    ...(total !== undefined && { total }),
    ...(made !== undefined && { done: made }),
    underWay,
    setAside: aside,
    ...(toDo !== undefined && { toDo }),
    rate: here.reduce((sum, { rate }) => sum + rate, 0),
    ...(workSeconds !== undefined && { workSeconds }),
    ...(workSeconds !== undefined && underWay > 0 && { secondsLeft: workSeconds / underWay }),
  }
}

/** Seconds that one process would take for the rest of a stage; undefined where that was never measured. */
function secondsOfWork(
  { stage, meanSeconds }: StageTasks,
  toDo: number | undefined,
  busy: readonly { readonly done: number; readonly total: number; readonly rate: number }[],
): number | undefined {
  if (toDo === 0 && busy.length === 0) return 0
  const rest = busy.map(({ done, total }) => (total > 0 ? Math.max(0, 1 - done / total) : 1))
  if (meanSeconds !== undefined && toDo !== undefined)
    return (toDo + rest.reduce((sum, share) => sum + share, 0)) * meanSeconds
  // Of the one task that a stage is, its own rate says how long it takes.
  const [only] = busy
  if (kindOf(stage).makes === 'one' && only && only.rate > 0)
    return Math.max(0, only.total - only.done) / only.rate
  return undefined
}
