/**
 * Reads the inputs of the targets, one after another, and says of each on descriptor 3 when it begins and what
 * became of it: lines of JSON. Who started it ends it where an input takes too much, and begins again behind it.
 *
 *     run-targets.ts SEED COUNT FOLDER ONLY TARGET INDEX
 *
 * TARGET and INDEX are the numbers of the first input.
 */
import { writeSync } from 'node:fs'
import { drawInputs } from './draw-input.js'
import type { FuzzLine, FuzzOutcome } from './outcome.js'
import { fuzzTargets, isRefusal } from './targets.js'

const [seed = '1', count = '0', folder = '', only = '', firstTarget = '0', firstIndex = '0'] =
  process.argv.slice(2)
const targets = await fuzzTargets(folder, only)
const tell = (line: FuzzLine) => writeSync(3, `${JSON.stringify(line)}\n`)
let now = { target: 0, index: 0 }
// An error that nobody waits for is a crash, of the input that is being read.
process.on('unhandledRejection', (error) => {
  tell({ ...now, outcome: { kind: 'crash', message: `nobody waited for: ${String(error)}` } })
})

for (let target = Number(firstTarget); target < targets.length; target++) {
  const { read, samples } = targets[target]!
  const inputAt = drawInputs(samples, Number(seed))
  const from = target === Number(firstTarget) ? Number(firstIndex) : 0
  for (let index = from; index < Number(count); index++) {
    const bytes = inputAt(index)
    now = { target, index }
    tell(now)
    let outcome: FuzzOutcome = { kind: 'read', message: '' }
    try {
      await read(bytes)
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error))
      if (isRefusal(error)) outcome = { kind: 'refused', message }
      else outcome = { kind: 'crash', message: `${message}\n${stack}` }
    }
    tell({ ...now, outcome })
  }
}
