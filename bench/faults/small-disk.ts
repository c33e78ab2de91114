import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '../../src/base/random.js'
import { contentOf, differenceOf } from './content.js'
import { addTry, countOf, type FaultCount, tell } from './count-faults.js'
import { disturbed } from './disturbed.js'
import { saysFull } from './shaken-steps.js'

const kib = 1024
/** A training keeps its checkpoint, the one before it and its model at once: far more than it leaves. */
const mostTimes = 20

/**
 * Runs a whole pipeline on a disk in memory that is too small, makes it a little larger each time that it is
 * full, and runs the same command again, until all is made. Undefined where nothing may be mounted here.
 *
 * @param args of the command, for the folder of the run
 * @param rounds how often it begins with an empty disk
 */
export async function fillSmallDisk(
  folder: string,
  args: (run: string) => readonly string[],
  draw: Random,
  rounds: number,
): Promise<FaultCount | undefined> {
  const calmRun = join(folder, 'calm')
  const calmly = await disturbed(args(calmRun))
  if (calmly.code !== 0) throw new Error(`the undisturbed run ended with ${calmly.code}: ${calmly.err}`)
  const calm = await contentOf(calmRun)
  const needed = Number(execFileSync('du', ['-sk', calmRun], { encoding: 'utf8' }).split('\t')[0])
  const count = countOf('disk full, a whole run on a small disk')
  const start = performance.now()
  for (let round = 0; round < rounds; round++) {
    const disk = join(folder, `disk-${round}`)
    await mkdir(disk)
    let size = Math.round(needed * draw.between(0.2, 0.6))
    const mount = (...more: readonly string[]) =>
      execFileSync('mount', ['-t', 'tmpfs', '-o', [...more, `size=${size * kib}`].join(','), 'tmpfs', disk], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
    try {
      mount()
    } catch {
      return undefined
    }
    const unmount = () => void execFileSync('umount', ['-l', disk])
    process.once('exit', unmount)
    try {
      const run = join(disk, 'run')
      let ended = await disturbed(args(run))
      for (; ended.code !== 0 && size < mostTimes * needed; ended = await disturbed(args(run))) {
        const said = saysFull(ended, 'ENOSPC')
        if (said) tell(count, `with ${size} KiB: ${said}`)
        count.tries++
        size += Math.max(16, Math.round(needed * draw.between(0.2, 1)))
        mount('remount')
      }
      count.tries--
      addTry(count, `round ${round}`, { again: ended, ...differenceOf(calm, await contentOf(run)) })
    } finally {
      process.removeListener('exit', unmount)
      unmount()
    }
  }
  count.seconds = (performance.now() - start) / 1000
  return count
}
