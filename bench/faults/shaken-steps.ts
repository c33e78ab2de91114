import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { asDiskFull } from '../../src/base/disk-full.js'
import type { Random } from '../../src/base/random.js'
import { contentOf, differenceOf } from './content.js'
import { addTry, countOf, type FaultCount, lastLine, tell } from './count-faults.js'
import { changesOf, disturbed, type Ended, type Fault } from './disturbed.js'
import type { Step } from './faulted-pipeline.js'

export interface Shaking {
  readonly folder: string
  readonly steps: readonly Step[]
  /** Of all changes one in so many is tried, from a drawn one on. */
  readonly stride: number
  readonly draw: Random
  /** Tries at once. */
  readonly jobs: number
  readonly isAsked: (step: Step) => boolean
  /** Called with every kind when it is done. */
  readonly done: (count: FaultCount) => void
}

/** A step, with the run that it begins from and what an undisturbed run of it leaves. */
interface Prepared {
  readonly step: Step
  readonly before: string
  readonly calmRun: string
  readonly calm: ReadonlyMap<string, string>
  readonly changes: readonly string[]
}

/** Makes the steps one after another where nothing disturbs them; each that is asked for is given in its turn. */
async function* prepared({ folder, steps, isAsked }: Shaking): AsyncGenerator<Prepared> {
  const run = join(folder, 'calm')
  await rm(run, { recursive: true, force: true })
  await mkdir(run, { recursive: true })
  const lastAsked = steps.findLastIndex(isAsked)
  for (const step of steps.slice(0, lastAsked + 1)) {
    const before = join(folder, 'before')
    await rm(before, { recursive: true, force: true })
    await cp(run, before, { recursive: true })
    const changes = await changesOf(step.args(run), join(folder, 'changes'))
    if (isAsked(step)) yield { step, before, calmRun: run, calm: await contentOf(run), changes }
  }
}

/** Disturbs a step in a run of its own, makes room, and runs it again. */
async function tried(folder: string, { step, before, calm, calmRun }: Prepared, fault: Fault) {
  await cp(before, folder, { recursive: true })
  try {
    const first = await disturbed(step.args(folder), fault)
    const { lost: untold } =
      first.code === 0 ? differenceOf(calm, await contentOf(folder, [calmRun])) : { lost: [] }
    const again = await disturbed(step.args(folder))
    return { first, untold, again, ...differenceOf(calm, await contentOf(folder, [calmRun])) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Does a thing at each of the places, some at once. */
async function atEach(
  { folder, jobs }: Shaking,
  count: FaultCount,
  places: readonly number[],
  work: (place: number, run: string) => Promise<void>,
): Promise<void> {
  const limit = pLimit(jobs)
  const start = performance.now()
  await Promise.all(places.map((place) => limit(() => work(place, join(folder, `shaken-${place}`)))))
  count.seconds += (performance.now() - start) / 1000
}

/** Kills each step at its changes of the file system, and runs it again. */
export async function killSteps(shaking: Shaking): Promise<void> {
  for await (const one of prepared(shaking)) {
    const { changes, step } = one
    const count = countOf(`kill -9, ${step.name}`)
    const first = 1 + shaking.draw.integer(Math.min(shaking.stride, changes.length))
    const places = changes.map((_, index) => index + 1).filter((at) => (at - first) % shaking.stride === 0)
    await atEach(shaking, count, places, async (killAt, run) => {
      const result = await tried(run, one, { killAt })
      // The changes of a crawl are some more or less each time: it ended before it came to this one.
      if (result.first.code === null && !result.first.isStuck)
        addTry(count, `${step.name} at ${killAt}, ${changes[killAt - 1]}`, result)
      else if (result.first.code !== 0)
        tell(count, `${step.name} at ${killAt}: ended with ${result.first.code}`)
    })
    shaking.done(count)
  }
}

/** Lets the disk be full from a drawn change of each step on, makes room, and runs it again. */
export async function fillSteps(shaking: Shaking, tries: number): Promise<void> {
  for await (const one of prepared(shaking)) {
    const { changes, step } = one
    const count = countOf(`disk full, ${step.name}`)
    const places = shaking.draw
      .shuffle(changes.map((_, index) => index + 1))
      .slice(0, Math.min(tries, changes.length))
    await atEach(shaking, count, places, async (fullFrom, run) => {
      const code = fullFrom % 2 === 0 ? 'ENOSPC' : 'EDQUOT'
      const result = await tried(run, one, { fullFrom, code })
      const where = `${step.name}, ${code} from ${fullFrom}, ${changes[fullFrom - 1]}`
      addTry(count, where, result)
      const said = saysFull(result.first, code)
      if (said) tell(count, `${where}: ${said}`)
      if (result.untold.length > 0) tell(count, `${where}: ended with 0 without ${result.untold[0]}`)
    })
    shaking.done(count)
  }
}

/** What is wrong with how a command ends on a full disk; undefined where nothing is. */
export function saysFull({ code, err, isStuck }: Ended, system: 'ENOSPC' | 'EDQUOT'): string | undefined {
  if (isStuck) return 'did not end'
  // What is left after the last change takes no room.
  if (code === 0) return undefined
  const { message } = asDiskFull(Object.assign(new Error(system), { code: system })) as Error
  if (code !== 1 || !err.includes(message.slice(0, 20)))
    return `ended with ${code} and says: ${lastLine(err)}`
  return undefined
}
