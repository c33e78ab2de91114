/**
 * Reads inputs of targets, one after another, and says of each on descriptor 3 when it begins and what became of it:
 * lines of JSON. Who started it ends it where an input takes too much, and begins again behind it.
 *
 *     read-inputs.ts SEED COUNT FOLDER ONLY INDEX TARGET...
 *
 * INDEX is the number of the first input of the first TARGET, a number of those that ONLY names.
 */
import { writeSync } from 'node:fs'
import { drawInputs } from './draw-input.js'
import type { FuzzLine, FuzzOutcome } from './outcome.js'
import { isRefusal, openTarget } from './target.js'
import { allTargets } from './targets/all-targets.js'

const [seed = '1', count = '0', folder = '', only = '', first = '0', ...numbers] = process.argv.slice(2)
const targets = await allTargets(folder, only)
const tell = (line: FuzzLine) => writeSync(3, `${JSON.stringify(line)}\n`)
let now = { target: 0, index: 0 }
// An error that nobody waits for is a crash, of the input that is being read.
process.on('unhandledRejection', (error) => {
  tell({ ...now, outcome: { kind: 'crash', message: `nobody waited for: ${String(error)}` } })
})

for (const [place, target] of numbers.map(Number).entries()) {
  const given = targets[target]!
  const inputAt = drawInputs(given.samples, Number(seed))
  const opened = openTarget(given)
  for (let index = place === 0 ? Number(first) : 0; index < Number(count); index++) {
    const bytes = inputAt(index)
    now = { target, index }
    tell(now)
    let outcome: FuzzOutcome = { kind: 'read', message: '' }
    try {
      await opened.read(bytes)
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error))
      if (isRefusal(error)) outcome = { kind: 'refused', message }
      else outcome = { kind: 'crash', message: `${message}\n${stack}` }
    }
    tell({ ...now, outcome })
  }
  opened.close()
}
process.exit(0)
