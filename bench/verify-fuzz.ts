/**
 * Fuzzing of every reader of strangers' bytes: lists, tar, Parquet, JSON, XML, YAML, pickles, safetensors,
 * pictures, files of model folders, records and shards of a dataset, what a run keeps of itself, what lies in a queue.
 * Inputs are good files with one to four changes (bytes, numbers, texts, parts of JSON or YAML; what is packed is
 * mostly changed within and packed again), some random bytes; fast-check draws them, each from the seed and its
 * number. Asked of each: it is read, or refused with one clear message; no crash, no more than 2 s of
 * the processor, memory within bounds.
 *
 *     npm run verify:fuzz -- [--count 10000] [--only NAME,...] [--seed 1] [--jobs 1] [--seconds 2]
 *                          [--megabytes 600] [--keep FOLDER] [--json]
 *
 * `--only` takes parts of targets' names, with commas between them; `--jobs` are processes that read. A target of which none of 200 inputs or
 * more is read, or none refused, may try nothing, and is named at the end. What went wrong is told by target and number; `--keep` writes
 * those inputs into a folder.
 */
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drawInputs } from './fuzz/draw-input.js'
import { unclear } from './fuzz/outcome.js'
import { allTargets } from './fuzz/targets/all-targets.js'
import { type FuzzListener, watchTargets } from './fuzz/watch-targets.js'
import { gatherFigures, option, printHelp, printReport } from './report.js'

await printHelp(import.meta.url)

const count = Number(option('count', '10000'))
const seed = Number(option('seed', '1'))
const jobs = Number(option('jobs', '1'))
const only = option('only', '')
const keep = option('keep', '')
const bounds = { seconds: Number(option('seconds', '2')), megabytes: Number(option('megabytes', '600')) }
/** Of one target no more are named. */
const maxNamed = 5
const sayMs = 10_000
/** Of so many inputs some are read, and some refused. */
const tellingCount = 200
const { figures, report } = gatherFigures()

/** In memory where there is such a folder: an input lives for a millisecond. */
const memory = '/dev/shm'
const place = (await stat(memory).catch(() => undefined)) ? memory : tmpdir()
const folder = await mkdtemp(join(place, 'groundmill-fuzz-'))
try {
  const list = join(folder, 'list')
  await mkdir(list)
  const targets = await allTargets(list, only)
  const wrong = targets.map(() => ({ crashes: 0, fatal: 0, unclear: 0 }))
  const kept: Promise<void>[] = []
  const tell = (target: number, index: number, what: string) => {
    const { name, samples } = targets[target]!
    const sums = wrong[target]!
    if (keep) {
      const file = join(keep, `${name.replace(/[^\w.-]+/g, '_')}-${index}`)
      kept.push(writeFile(file, drawInputs(samples, seed)(index)))
    }
    if (sums.crashes + sums.fatal + sums.unclear <= maxNamed) console.error(`${name} #${index}: ${what}`)
  }
  if (keep) await mkdir(keep, { recursive: true })
  let [told, done] = [performance.now(), 0]
  const started = told
  const listener: FuzzListener = {
    outcome(target, index, { kind, message }) {
      done++
      const problem = kind === 'refused' ? unclear(message) : undefined
      if (kind === 'crash') {
        wrong[target]!.crashes++
        tell(target, index, `crash: ${message.split('\n').slice(0, 5).join(' | ')}`)
      } else if (problem) {
        wrong[target]!.unclear++
        tell(target, index, `${problem}: ${JSON.stringify(message.slice(0, 300))}`)
      }
      if (performance.now() - told < sayMs) return
      told = performance.now()
      const rate = (1000 * done) / (told - started)
      const minutes = (targets.length * count - done) / rate / 60
      console.error(
        `${target + 1}/${targets.length} ${targets[target]!.name}, ${Math.round(rate)}/s, ${minutes.toFixed(1)} min left`,
      )
    },
    fatal(target, index, what) {
      wrong[target]!.fatal++
      tell(target, index, `took ${what}`)
    },
  }
  const watched = await Promise.all(
    Array.from({ length: jobs }, async (_, job) => {
      const own = join(folder, `own-${job}`)
      await mkdir(own)
      // Slow ones lie side by side: each process has its share of them.
      const some = [...targets.keys()].filter((target) => target % jobs === job)
      return [...(await watchTargets(some, { seed, count, folder: own, only }, bounds, listener))]
    }),
  )
  const tallies = new Map(watched.flat())
  await Promise.all(kept)
  const idle: string[] = []
  for (const [target, { name }] of targets.entries()) {
    const { read, refused, seconds, megabytes, wall } = tallies.get(target)!
    if (count >= tellingCount && (read === 0 || refused === 0)) idle.push(name)
    const { crashes, fatal, unclear } = wrong[target]!
    const sum = crashes + fatal + unclear
    const note = `${read} read, ${refused} refused; one took up to ${seconds.toFixed(2)} s, all ${Math.round(megabytes)} MB more; ${Math.round(count / wall)}/s`
    report(name, sum, 'wrong', '0', sum === 0, note)
  }
  const sumOf = (kind: keyof (typeof wrong)[number]) => wrong.reduce((sum, one) => sum + one[kind], 0)
  report('inputs', targets.length * count, '')
  report('crashes', sumOf('crashes'), '', '0', sumOf('crashes') === 0)
  const most = `over ${bounds.seconds} s or ${bounds.megabytes} MB, or the end of the program`
  report(most, sumOf('fatal'), '', '0', sumOf('fatal') === 0)
  report('targets with none read or none refused', idle.length, '', '', null, idle.join('; '))
  report('messages that are not clear', sumOf('unclear'), '', '0', sumOf('unclear') === 0)
} finally {
  await rm(folder, { recursive: true, force: true })
}
printReport('fuzz', count, figures)
if (Object.values(figures).some(({ met }) => met === false)) process.exitCode = 1
