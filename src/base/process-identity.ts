import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'

/** A process, so that another one, also of another machine, can tell whether it still lives. */
export interface ProcessIdentity {
  /** Name of its machine: letters, digits, `_` and hyphens alone. */
  readonly host: string
  readonly pid: number
  /**
   * Where and when it began: 8 hex digits of what gives process numbers (this boot of the machine, this
   * container), `t`, and the instant as the kernel counts it. Numbers are given again, and in a
   * container every program may be number 1.
   */
  readonly started: string
}

/**
 * What can be said of a process from here: `gone` and `alive` are sure, `elsewhere` is one of another machine
 * or container, or of this one before it was started again, of which nothing can be known.
 */
export type ProcessState = 'alive' | 'gone' | 'elsewhere'

const place = createHash('sha256')
  .update(`${textOf('/proc/sys/kernel/random/boot_id')} ${linkOf('/proc/self/ns/pid')} ${hostname()}`)
  .digest('hex')
  .slice(0, 8)

/** Without Linux's /proc the instant is that of the clock, and only this process's own is known. */
const hasProc = startOf(textOf('/proc/self/stat')) !== undefined

/** The process that asks. */
export const thisProcess: ProcessIdentity = {
  host: hostname()
    .replace(/[^A-Za-z0-9_-]/g, '_')
    .slice(0, 64),
  pid: process.pid,
  started: `${place}t${startOf(textOf('/proc/self/stat')) ?? Math.round(Date.now() - process.uptime() * 1000)}`,
}

/** Whether a process still lives, so far as it can be known from here. */
export async function processState({ host, pid, started }: ProcessIdentity): Promise<ProcessState> {
  const [where, start] = started.split('t', 2)
  if (host !== thisProcess.host || where !== place) return 'elsewhere'
  if (pid === process.pid) return started === thisProcess.started ? 'alive' : 'gone'
  if (hasProc) {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    // A killed process is listed until its parent has asked for its end: it does nothing any more.
    if (text !== '') return startOf(text) === start && !/\) [ZX] [^)]*$/.test(text) ? 'alive' : 'gone'
  }
  // Other users' processes may be hidden.
  try {
    process.kill(pid, 0)
    return 'alive'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'alive' : 'gone'
  }
}

/** The instant at which a process began, of the text of its `stat`: field 22 (proc(5)). */
function startOf(stat: string): string | undefined {
  // The second field is the program's name in parentheses, which may hold any.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[19])
  return fields.length > 19 && Number.isSafeInteger(ticks) ? String(ticks) : undefined
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
