import { spawn } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { FuzzLine, FuzzOutcome } from './outcome.js'

/** What the inputs of a target became. */
export interface TargetTally {
  read: number
  refused: number
  /** The most resident memory beyond that at its first input, in MB. */
  megabytes: number
  /** The most processor time that one input took, in seconds, as far as it was seen. */
  seconds: number
  /** Of all its inputs, in seconds. */
  wall: number
}

export interface FuzzBounds {
  /** Processor time for one input. */
  readonly seconds: number
  /** Resident memory beyond that at the first input of the target, in MB (10^6 bytes). */
  readonly megabytes: number
}

export interface FuzzRun {
  readonly seed: number
  /** Inputs of each target. */
  readonly count: number
  /** An empty folder for their files. */
  readonly folder: string
  readonly only: string
}

/** Who listens: to every outcome, and to what took too much or ended the program. */
export interface FuzzListener {
  outcome(target: number, index: number, outcome: FuzzOutcome): void
  fatal(target: number, index: number, what: string): void
}

/** Beside its processor time: what waits for ever takes none. Counted in looks, which a machine that stands still has none of. */
const waitSeconds = 20
const lookMs = 40
/** The kernel counts processor time in these, whatever its own clock. */
const ticksPerSecond = 100
const runner = fileURLToPath(new URL('read-inputs.ts', import.meta.url))

/** Processor time in seconds and resident MB of a process; undefined where it has ended. */
async function takenBy(
  pid: number,
): Promise<{ readonly cpu: number; readonly megabytes: number } | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0)
    return {
      cpu: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      megabytes: kilobytes * 1.024e-3,
    }
  } catch {
    return undefined
  }
}

/**
 * Reads the inputs of targets in a process of its own, which is killed and begun again behind an input that takes too
 * much.
 *
 * @param targets their numbers
 * @returns a tally of each, by its number
 */
export async function watchTargets(
  targets: readonly number[],
  { seed, count, folder, only }: FuzzRun,
  bounds: FuzzBounds,
  listener: FuzzListener,
): Promise<ReadonlyMap<number, TargetTally>> {
  const tallyOf = (): TargetTally => ({
    read: 0,
    refused: 0,
    megabytes: 0,
    seconds: 0,
    wall: 0,
  })
  const tallies = new Map(targets.map((target) => [target, tallyOf()]))
  let left = { targets, index: 0 }
  let starts = 0
  while (left.targets.length > 0) {
    // What a killed one has left is in nobody's way.
    const own = join(folder, String(starts++))
    await mkdir(own)
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', runner, ...[seed, count, own, only, left.index, ...left.targets].map(String)],
      { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] },
    )
    let error = ''
    child.stderr?.on('data', (text) => {
      error = `${error}${text}`.slice(-2000)
    })
    let now: FuzzLine | undefined
    let [looks, cpuThen, base, over] = [0, -1, 0, '']
    let since = performance.now()
    const lines = createInterface({ input: child.stdio[3] as Readable })
    lines.on('line', (text) => {
      const line = JSON.parse(text) as FuzzLine
      const tally = tallies.get(line.target)!
      if (!line.outcome) {
        if (now?.target !== line.target) [base, since] = [0, performance.now()]
        ;[now, looks, cpuThen] = [line, 0, -1]
        return
      }
      const { kind } = line.outcome
      if (kind !== 'crash') tally[kind]++
      tally.wall += (performance.now() - since) / 1000
      since = performance.now()
      now = line
      listener.outcome(line.target, line.index, line.outcome)
    })
    const timer = setInterval(async () => {
      const at = now
      const taken = child.pid === undefined ? undefined : await takenBy(child.pid)
      if (!taken || !at || at.outcome || now !== at || over) return
      const tally = tallies.get(at.target)!
      if (cpuThen === -1) cpuThen = taken.cpu
      base ||= taken.megabytes
      tally.megabytes = Math.max(tally.megabytes, taken.megabytes - base)
      tally.seconds = Math.max(tally.seconds, taken.cpu - cpuThen)
      if (taken.cpu - cpuThen > bounds.seconds)
        over = `${(taken.cpu - cpuThen).toFixed(1)} s of processor time`
      else if (++looks * lookMs > 1000 * waitSeconds) over = `${waitSeconds} s of waiting`
      else if (taken.megabytes - base > bounds.megabytes)
        over = `${Math.round(taken.megabytes - base)} MB of memory`
      if (over) child.kill('SIGKILL')
    }, lookMs)
    const end = await new Promise<string>((done) =>
      child.once('close', (code, signal) => done(signal ?? (code === 0 ? '' : `code ${code}: ${error}`))),
    )
    clearInterval(timer)
    if (!now) throw new Error(`the program of the inputs ended before the first: ${end}`)
    const isWhole = now.target === targets.at(-1) && now.index === count - 1
    if (end === '' && isWhole) break
    if (!now.outcome || end !== '')
      listener.fatal(now.target, now.index, over || end || 'it ended the program')
    const at = targets.indexOf(now.target)
    left =
      now.index + 1 < count
        ? { targets: targets.slice(at), index: now.index + 1 }
        : { targets: targets.slice(at + 1), index: 0 }
  }
  return tallies
}
