import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export interface Measured {
  readonly code: number | null
  readonly out: string
  readonly err: string
  readonly seconds: number
  /** Of the process and all that it started; null where the system does not tell. */
  readonly cpuSeconds: number | null
  /** Highest sum of proportional set sizes, in MB. */
  readonly peakMb: number | null
}

/** Ticks of a second in /proc, fixed on Linux. */
const ticks = 100
const everyMs = 100

/** Runs a program and watches what it and its children take; CPU time is exact to a tenth of a second. */
export function measureProcess(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const start = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let [out, err, cpu, peak] = ['', '', 0, 0]
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    err += text
  })
  const timer = setInterval(() => {
    const tree = child.pid === undefined ? [] : treeOf(child.pid)
    let [time, memory] = [0, 0]
    for (const pid of tree) {
      time += cpuTicks(pid)
      memory += proportionalKb(pid)
    }
    cpu = Math.max(cpu, time / ticks)
    peak = Math.max(peak, memory / 1024)
  }, everyMs)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearInterval(timer)
      const seconds = (performance.now() - start) / 1000
      const told = peak > 0
      resolve({
        code,
        out,
        err,
        seconds,
        cpuSeconds: told ? cpu : null,
        peakMb: told ? peak : null,
      })
    })
  })
}

/** The highest that a process's resident memory has been, in MB; its own by default. */
export const peakMb = (pid: number | 'self' = 'self'): number =>
  Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024

/** A process and all below it. */
function treeOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of list('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const parent = Number(fieldsOf(pid)[1])
    children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const found: number[] = []
  const visit = (pid: number) => {
    found.push(pid)
    for (const child of children.get(pid) ?? []) visit(child)
  }
  visit(root)
  return found
}

/** Time of a process and of its children that have ended, in hundredths of a second: fields 14 to 17 of proc(5)'s stat. */
export const cpuTicks = (pid: number) =>
  fieldsOf(pid)
    .slice(11, 15)
    .reduce((sum, field) => sum + Number(field), 0)

const proportionalKb = (pid: number) =>
  Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)

/** What follows the name in a process's stat, which may have spaces itself. */
const fieldsOf = (pid: number) =>
  read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')

const read = (path: string) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const list = (path: string) => {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
