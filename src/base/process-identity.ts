import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process that is told apart from one that later has the same number. */
export interface ProcessIdentity {
  readonly host: string
  readonly pid: number
  /** Which boot and which space of process numbers it belongs to, and when in it it began, where that is known. */
  readonly started: string
}

const orUndefined = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Two containers may have one host name; each counts its processes for itself. */
const space = [
  orUndefined(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)),
  orUndefined(() => /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]),
].join('.')

/** When a process of this machine began, in ticks since the boot; undefined where there is none, or no /proc. */
function startOf(pid: number): string | undefined {
  const text = orUndefined(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // The name of the program stands in brackets, and may have spaces and brackets of its own.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  // A zombie has ended: only its parent has not looked yet.
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19]
}

const ownStart = startOf(process.pid)

/** The process that asks. */
export const thisProcess: ProcessIdentity = {
  host: hostname(),
  pid: process.pid,
  started: `${space}.${ownStart ?? ''}`,
}

/**
 * Whether a process still runs; undefined where this one cannot tell, since it is of another machine or
 * container.
 */
export function isRunning({ host, pid, started }: ProcessIdentity): boolean | undefined {
  if (host !== thisProcess.host || !started.startsWith(`${space}.`)) return undefined
  if (ownStart !== undefined) return started === `${space}.${startOf(pid)}`
  try {
    process.kill(pid, 0)
    // It may be another of the same number.
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? undefined : false
  }
}
