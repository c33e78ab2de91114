import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { compiledMain } from './compiled.js'
import { nodeFlags } from './node-flags.js'

// By its whole path, so that the working folder may be another.
const main = resolve(compiledMain)

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
  /** From the last signal that was sent, or from the start. */
  readonly seconds: number
}

/** A run of the command line in a process of its own. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  out(): string
  err(): string
  signal(name: NodeJS.Signals): void
}

/** Starts the command line as a user does; standard error is no terminal. */
export function startGroundmill(
  args: readonly string[],
  options: {
    readonly cwd?: string
    readonly uid?: number
    readonly gid?: number
    readonly env?: NodeJS.ProcessEnv
  } = {},
): Running {
  const child = spawn(process.execPath, [...nodeFlags, main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  })
  let [out, err] = ['', '']
  let since = performance.now()
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    err += text
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, out, err, seconds: (performance.now() - since) / 1000 }))
  })
  return {
    child,
    ended,
    out: () => out,
    err: () => err,
    signal(name) {
      since = performance.now()
      child.kill(name)
    },
  }
}

/** Runs the command line to its end. */
export const groundmill = (...args: readonly string[]): Promise<Ended> => startGroundmill(args).ended
