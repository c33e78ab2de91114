/**
 * Runs many commands of the command line in this one process, each as the program itself does, and prints how
 * each ended: started by `boundedCommands`.
 */
import { readFileSync, writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { CommandEnd } from './bounded-commands.js'

const [main = '', list = ''] = process.argv.slice(2)
const commands = JSON.parse(readFileSync(list, 'utf8')) as Record<string, readonly string[]>
const [program = '', script = ''] = process.argv
const write = process.stdout.write.bind(process.stdout)
const ends: Record<string, CommandEnd> = {}
let said = ''
for (const stream of [process.stdout, process.stderr])
  stream.write = (text: string | Uint8Array) => {
    said += text
    return true
  }
process.setMaxListeners(0)
process.stdout.setMaxListeners(0)
process.stderr.setMaxListeners(0)
for (const [name, args] of Object.entries(commands)) {
  said = ''
  // What it was at is told where it ends without a word.
  writeSync(2, `${name}\n`)
  process.exitCode = 0
  process.argv = [program, script, ...args]
  const begun = performance.now()
  // A module is run again where it is asked for by another address; what it imports is kept.
  await import(`${pathToFileURL(main)}?${encodeURIComponent(name)}`)
  ends[name] = { code: Number(process.exitCode), said, seconds: (performance.now() - begun) / 1000 }
}
process.exitCode = 0
write(JSON.stringify(ends))
