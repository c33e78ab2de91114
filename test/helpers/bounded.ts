import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { compiledMain } from './compiled.js'

/** What a program may take before it is killed and the test fails: the limit ends the test, not the machine. */
export interface Bounds {
  /** Resident memory of the program and all it has started, together, in MB (10^6 bytes). */
  readonly megabytes: number
  /** From its start to its end. */
  readonly seconds: number
}

/** How a program ended within its bounds. */
export interface BoundedEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
  readonly seconds: number
  /** The most resident memory that was seen, in MB; looked at every 25 ms, so that a short peak is missed. */
  readonly megabytes: number
}

/** How often the memory is looked at. */
const lookMs = 25

/** Resident memory of a process in bytes; 0 where it has ended. */
async function residentBytes(pid: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0)
}

/** The ids of the processes of a group (fields 3 to 5 of /proc/PID/stat, after the name in brackets). */
async function processesOfGroup(group: number): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const groups = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
    }),
  )
  return pids.filter((_, index) => groups[index] === group)
}

/**
 * Runs a Node program within bounds. Over one of them it is killed, with all that it has started, and the
 * call throws an Error that says what it took.
 *
 * @param args the program's file and its arguments, as `node` takes them
 */
export async function runBounded(args: readonly string[], bounds: Bounds): Promise<BoundedEnd> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  let [out, err, peak, over] = ['', '', 0, '']
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    err += text
  })
  const ended = new Promise<Pick<BoundedEnd, 'code' | 'signal'>>((done) =>
    child.once('close', (code, signal) => done({ code, signal })),
  )
  let isRunning = true
  const watched = (async () => {
    while (isRunning && child.pid !== undefined) {
      const sizes = await Promise.all((await processesOfGroup(child.pid)).map(residentBytes))
      peak = Math.max(peak, sizes.reduce((sum, size) => sum + size, 0) / 1e6)
      if (peak > bounds.megabytes) over = `${Math.round(peak)} MB of memory`
      else if (seconds() > bounds.seconds) over = `${seconds().toFixed(1)} s`
      if (over) {
        process.kill(-child.pid, 'SIGKILL')
        return
      }
      await new Promise((wake) => setTimeout(wake, lookMs))
    }
  })()
  const end = await ended
  isRunning = false
  await watched
  if (over) {
    const limits = `${bounds.megabytes} MB and ${bounds.seconds} s`
    throw new Error(`${args.join(' ')} took ${over}, of ${limits}, and was killed. It said: ${out}${err}`)
  }
  return { ...end, out, err, seconds: seconds(), megabytes: peak }
}

/** Runs the command line within bounds. */
export const boundedGroundmill = (args: readonly string[], bounds: Bounds): Promise<BoundedEnd> =>
  runBounded([resolve(compiledMain), ...args], bounds)
