/**
 * What becomes of data when things go wrong: kills at the changes of the file system, a full disk, servers that
 * misbehave. Each fault is followed by the same command, undisturbed, and what is there then is held against
 * an undisturbed run, byte for byte.
 *
 *     npm run verify:faults [-- --only kills,rounds,disk,small-disk,web,hosts,damage,tests] [--step NAME]
 *                           [--scale 1] [--seed 1] [--rows 50000] [--jobs 2] [--json] [--keep]
 *
 * `--scale 0.1` tries one in ten of the changes, a tenth of the full disks, and crawls a tenth of the rows;
 * `--step` names steps of kills, rounds and disk by parts of their names, such as "chunk" or "judge,verify", and
 * the files of `damage` by one. `hosts` and `damage` run the commands in this process, from their source. Only
 * `small-disk` needs to be root: it mounts a disk in memory, and says so where it cannot. `web` makes a
 * certificate with openssl; without it no server of HTTP/2 is among them.
 *
 * What is kept within a shard is kept after every group of pictures, so that there are parts to be killed at.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '../src/base/random.js'
import type { FaultCount } from './faults/count-faults.js'
import { crawlBadHosts } from './faults/crawl-bad-hosts.js'
import { crawlBadWeb, slopeOf } from './faults/crawl-bad-web.js'
import { damageFiles } from './faults/damage-files.js'
import { exhaustiveTests } from './faults/exhaustive-tests.js'
import { faultedPipeline, type Step } from './faults/faulted-pipeline.js'
import { fillSteps, killSteps, type Shaking } from './faults/shaken-steps.js'
import { fillSmallDisk } from './faults/small-disk.js'
import { gatherFigures, option, printHelp, printReport } from './report.js'

await printHelp(import.meta.url)
process.env.GROUNDMILL_KEEP_SECONDS ??= '0'

const allKinds = ['kills', 'rounds', 'disk', 'small-disk', 'web', 'hosts', 'damage', 'tests'] as const
type Kind = (typeof allKinds)[number]

const scale = Number(option('scale', '1'))
const seed = Number(option('seed', '1'))
const jobs = Number(option('jobs', '2'))
const rows = Math.round(Number(option('rows', '50000')) * scale)
const asked = option('only', allKinds.join(',')).split(',')
const stepAsked = option('step', '')
const unknown = asked.filter((kind) => !allKinds.includes(kind as Kind))
if (unknown.length > 0) throw new Error(`--only ${unknown.join(', ')}: expected ${allKinds.join(', ')}`)

/** Moments of each step at which the disk becomes full, and runs on a small disk, at scale 1. */
const [fullTries, diskRounds] = [12, 5]
/** Of the changes of a round, which are many, one in so many is tried at scale 1. */
const roundsStride = 4
/** Of all damages of a file of each kind, the share that is tried at scale 1: thousands are of keys of JSON. */
const damageShare = 0.2
/** MB by which memory may grow over ten thousand rows once the crawl is warm, and rows from which that is said. */
const [mostGrowth, rowsToGrow] = [5, 20_000]

const { figures, report } = gatherFigures()
const has = (kind: Kind) => asked.includes(kind)

function tell(count: FaultCount): void {
  const { fault, tries, lost, doubled, stuck, aside, seconds, wrong } = count
  const isWell = lost + doubled + stuck + aside === 0 && wrong.length === 0
  const what = { lost, doubled, stuck, 'left aside': aside }
  const note = Object.entries(what).map(([name, number]) => `${name} ${number}`)
  report(`${fault}: tries`, tries, '', '', isWell, `${note.join(', ')}; ${Math.round(seconds)} s`)
  process.stderr.write(`${fault}: ${tries} tries, ${note.join(', ')}, ${Math.round(seconds)} s\n`)
  for (const text of wrong) process.stderr.write(`  ${text}\n`)
}

async function shake(folder: string): Promise<void> {
  const { stages, rounds, close } = await faultedPipeline(folder)
  const shaking = (name: Kind, steps: readonly Step[], stride: number): Shaking => ({
    ...{ folder: join(folder, name), steps, jobs, done: tell },
    draw: random('faults', name, seed),
    stride: Math.max(1, Math.round(stride / scale)),
    isAsked: ({ name, isPreparation }) =>
      stepAsked.split(',').some((part) => name.includes(part)) && !isPreparation,
  })
  try {
    if (has('kills')) await killSteps(shaking('kills', stages, 1))
    if (has('rounds')) await killSteps(shaking('rounds', rounds, roundsStride))
    const tries = Math.max(1, Math.round(fullTries * scale))
    if (has('disk')) {
      await fillSteps(shaking('disk', stages, 1), tries)
      await fillSteps({ ...shaking('disk', rounds, 1), folder: join(folder, 'full-rounds') }, tries)
    }
    if (has('small-disk')) {
      const disks = join(folder, 'small-disk')
      await mkdir(disks)
      const times = Math.max(1, Math.round(diskRounds * scale))
      const draw = random('small disk', seed)
      const whole = (run: string) => stages[0]!.args(run).slice(0, -2)
      const count = await fillSmallDisk(disks, whole, draw, times)
      if (count) tell(count)
      else report('disk full, a whole run on a small disk', null, '', '', null, 'nothing may be mounted here')
    }
  } finally {
    await close()
  }
}

async function crawl(folder: string): Promise<void> {
  const made = await crawlBadWeb(folder, rows, seed)
  const { seconds, runs, kept, lost, doubled, invented, wrong, rejected, memory } = made
  const none = (name: string, value: number, note?: string) =>
    report(name, value, '', '= 0', value === 0, note)
  const told = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .sort((a, b) => b[1] - a[1])
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  report('bad web: rows', made.rows, '', '', null, made.hasHttp2 ? undefined : 'none of HTTP/2')
  report('bad web: rows a second', made.rows / seconds, '/s')
  report('bad web: seconds of the first run', seconds, 's')
  report('bad web: runs until nothing was left that may pass', runs, '')
  report('bad web: kept', kept, '', '', null, `rejected: ${told(rejected)}`)
  none('bad web: rows lost', lost)
  none('bad web: rows doubled', doubled)
  none('bad web: kept and never given', invented.length, invented.slice(0, 9).join('; '))
  const wrongRows = Object.values(wrong).reduce((sum, count) => sum + count, 0)
  none('bad web: rows with another outcome than the script', wrongRows, told(wrong))
  const peak = memory.reduce((most, value) => Math.max(most, value), 0)
  report('bad web: highest memory', peak, 'MB')
  const growth = slopeOf(memory) * ((seconds / made.rows) * 10_000)
  // What V8 lets lie grows in the beginning: a short crawl says nothing.
  const isGood = made.rows < rowsToGrow ? null : growth < mostGrowth
  report('bad web: growth of memory once warm', growth, 'MB/10,000 rows', `< ${mostGrowth}`, isGood)
  const step = Math.max(1, Math.floor(memory.length / 12))
  const course = memory.filter((_, second) => second % step === 0).map((value) => Math.round(value))
  process.stderr.write(`memory in MB, every ${step} s: ${course.join(' ')}\n`)
}

async function crawlHosts(folder: string): Promise<void> {
  await crawlBadHosts(folder, scale, ({ name, goal, met, seconds, code, requests, outcomes }) => {
    const became = Object.entries(outcomes).map(([outcome, count]) => `${outcome} ${count}`)
    const note = `code ${code}; ${requests} requests; ${became.join(', ')}`
    report(`bad host: ${name}`, seconds, 's', goal, met, note)
    process.stderr.write(`${name}: ${seconds.toFixed(2)} s, ${note}\n`)
  })
}

async function damage(folder: string): Promise<void> {
  let [damages, tries, wrong, lost, slowest] = [0, 0, 0, 0, 0]
  const start = performance.now()
  await damageFiles({
    ...{ folder, scale: scale * damageShare, only: stepAsked, draw: random('damage', seed) },
    done: (count) => {
      damages += count.damages
      tries += count.tries
      wrong += count.wrong
      lost += count.lost
      slowest = Math.max(slowest, count.slowest)
      const [well, failed, refused] = count.codes
      const note = `${count.tries} commands: code 0 ${well}, 1 ${failed}, 2 ${refused}; wrong ${count.wrong}, lost ${count.lost}`
      report(`damage: ${count.files}`, count.damages, '', '', count.wrong + count.lost === 0, note)
      process.stderr.write(`${count.files}: ${count.damages} damages, ${note}\n`)
    },
    tellWrong: (text) => process.stderr.write(`  ${text}\n`),
  })
  report('damage: files damaged', damages, '')
  report(
    'damage: commands run over them',
    tries,
    '',
    '',
    null,
    `${Math.round(performance.now() - start) / 1000} s`,
  )
  report('damage: commands that ended wrongly', wrong, '', '= 0', wrong === 0)
  report('damage: whole pictures lost', lost, '', '= 0', lost === 0)
  report('damage: slowest command', slowest, 's')
  if (process.getuid?.() === 0)
    process.stderr.write('as root no file is without the right to read it: not tried\n')
}

// What is mounted is taken away as the process exits, also where it is told to.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const folder = await mkdtemp(join(tmpdir(), 'groundmill-faults-'))
try {
  if (['kills', 'rounds', 'disk', 'small-disk'].some((kind) => has(kind as Kind)))
    await shake(join(folder, 'shaken'))
  if (has('web')) {
    await mkdir(join(folder, 'web'))
    await crawl(join(folder, 'web'))
  }
  if (has('hosts')) {
    await mkdir(join(folder, 'hosts'))
    await crawlHosts(join(folder, 'hosts'))
  }
  if (has('damage')) {
    await mkdir(join(folder, 'damage'))
    await damage(join(folder, 'damage'))
  }
  if (has('tests')) await exhaustiveTests(folder, tell)
  printReport('faults', 1, figures)
  if (Object.values(figures).some(({ met }) => met === false)) process.exitCode = 1
} finally {
  if (process.argv.includes('--keep')) process.stderr.write(`files are in ${folder}\n`)
  else await rm(folder, { recursive: true, force: true })
}
