import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Bounds, runBounded } from './bounded.js'
import { compiledMain, compiledProgram } from './compiled.js'
import { temporaryFolder } from './temporary-folder.js'

/** How a command ended. */
export interface CommandEnd {
  readonly code: number
  /** All that it wrote, to either output. */
  readonly said: string
  readonly seconds: number
}

/**
 * Runs many commands, by names of their own, one after another in one process within bounds: to start a process
 * for each would cost a second.
 */
export async function boundedCommands<Name extends string>(
  commands: Readonly<Record<Name, readonly string[]>>,
  bounds: Bounds,
): Promise<{ readonly ends: Readonly<Record<Name, CommandEnd>>; readonly megabytes: number }> {
  const list = join(await temporaryFolder(), 'commands.json')
  await writeFile(list, JSON.stringify(commands))
  const program = [compiledProgram('helpers/many-commands'), resolve(compiledMain), list]
  const { code, signal, out, err, megabytes } = await runBounded(program, bounds)
  if (code !== 0) throw new Error(`the commands ended with ${code ?? signal} at the last of: ${err}`)
  return { ends: JSON.parse(out), megabytes }
}
