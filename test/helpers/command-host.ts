/**
 * Runs commands of the command line one after another in this one process, each as the program itself does: started
 * by `runCommand`, which sends them. A command has ended where its process would have: when nothing is left to wait for.
 */
import { pathToFileURL } from 'node:url'
import type { HostedCommand, HostedEnd } from './run-command.js'

const [program = '', , main = ''] = process.argv
const streams = [process.stdout, process.stderr] as const
const emitters: readonly NodeJS.EventEmitter[] = [process, ...streams]
const home = process.cwd()
let count = 0

/** Whoever listens here, so that those that a command adds go with it. */
const listeners = () =>
  emitters.map((emitter) => new Map(emitter.eventNames().map((name) => [name, emitter.rawListeners(name)])))

function setEnvironment(to: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in to)) delete process.env[name]
  Object.assign(process.env, to)
}

/** Until nothing is left to wait for: the channel to the tests does not count. */
async function nothingIsLeft(): Promise<void> {
  process.channel?.unref()
  await new Promise<void>((resolve) => {
    process.once('beforeExit', () => {
      process.channel?.ref()
      resolve()
    })
  })
}

async function run({ args, env, cwd }: HostedCommand): Promise<HostedEnd> {
  const before = listeners()
  const writes = streams.map((stream) => stream.write)
  const said: [string, string] = ['', '']
  for (const [at, stream] of streams.entries())
    stream.write = (text: string | Uint8Array, ...rest: unknown[]) => {
      said[at] += typeof text === 'string' ? text : Buffer.from(text).toString()
      const told = rest.at(-1)
      if (typeof told === 'function') process.nextTick(() => told())
      return true
    }
  setEnvironment(env)
  process.chdir(cwd ?? home)
  process.argv = [program, main, ...args]
  process.exitCode = undefined
  let thrown: unknown = new Error('the program ended before its work did')
  // A module is run again where it is asked for by another address; what it imports is kept.
  import(`${pathToFileURL(main)}?${count++}`).then(
    () => {
      thrown = undefined
    },
    (error: unknown) => {
      thrown = error
    },
  )
  await nothingIsLeft()
  if (thrown !== undefined) said[1] += (thrown as Error).stack
  const code = thrown === undefined ? Number(process.exitCode ?? 0) : 1
  for (const [at, stream] of streams.entries()) stream.write = writes[at] as typeof stream.write
  for (const [at, emitter] of emitters.entries())
    for (const name of emitter.eventNames())
      for (const listener of emitter.rawListeners(name))
        if (!before[at]?.get(name)?.includes(listener)) emitter.removeListener(name, listener as () => void)
  process.exitCode = 0
  process.chdir(home)
  return { code, out: said[0], err: said[1] }
}

process.on('message', async (command: HostedCommand) => {
  const end = await run(command)
  process.send?.(end)
})
