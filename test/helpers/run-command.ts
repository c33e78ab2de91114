import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { resolve } from 'node:path'
import { compiledMain, compiledProgram } from './compiled.js'
import type { Ended } from './groundmill.js'
import { nodeFlags } from './node-flags.js'

/** A command as it is sent to the process that runs it. */
export interface HostedCommand {
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** What that process answers. */
export type HostedEnd = Pick<Ended, 'code' | 'out' | 'err'>

let host: ChildProcess | undefined
let last: Promise<unknown> = Promise.resolve()

/** The process that runs the commands of this one's tests: it does not keep it from ending, and ends with it. */
function openHost(): ChildProcess {
  const child = fork(compiledProgram('helpers/command-host'), [resolve(compiledMain)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [...nodeFlags],
  })
  child.unref()
  child.channel?.unref()
  for (const stream of [child.stdout, child.stderr]) (stream as Socket).unref()
  return child
}

async function runHosted(command: HostedCommand): Promise<Ended> {
  host ??= openHost()
  const child = host
  const since = performance.now()
  // What it says itself, not by the command: Node's last words, and those of native code.
  let words = ''
  const hear = (text: Buffer) => {
    words += text
  }
  child.stderr?.on('data', hear)
  child.ref()
  child.channel?.ref()
  try {
    const end = await new Promise<HostedEnd>((resolve, reject) => {
      child.once('message', (message) => resolve(message as HostedEnd))
      child.once('close', (code, signal) => {
        host = undefined
        reject(
          new Error(`the process of groundmill ${command.args.join(' ')} ended: ${signal ?? code} ${words}`),
        )
      })
      child.send(command)
    })
    return { ...end, err: end.err + words, seconds: (performance.now() - since) / 1000 }
  } finally {
    child.stderr?.off('data', hear)
    child.removeAllListeners('message')
    child.removeAllListeners('close')
    child.unref()
    child.channel?.unref()
  }
}

/**
 * Runs the command line to its end as `groundmill` does, in a process that all commands of this worker share: to load the
 * program takes most commands longer than what they do. It is for commands of which a test reads the exit code and what
 * they print; one that is killed, that works beside another, or whose process is looked at is started by itself.
 */
export const runCommand = (...args: readonly string[]): Promise<Ended> => inTurn({ args, env: process.env })

/** The same, with another working folder. */
export const runCommandIn = (cwd: string, ...args: readonly string[]): Promise<Ended> =>
  inTurn({ args, env: process.env, cwd })

function inTurn(command: HostedCommand): Promise<Ended> {
  const ended = last.then(() => runHosted(command))
  last = ended.catch(() => undefined)
  return ended
}
