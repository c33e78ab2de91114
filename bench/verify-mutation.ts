/**
 * How many faults the tests would notice: each room's code is changed at one place after another (Stryker's
 * mutants), and the room's own tests are run over each change. docs/mutation.md has the last results.
 *
 *     npm run verify:mutation -- [filter train ...] [--sample 1] [--seed 1] [--concurrency 1] [--force] [--json]
 *                                 [--tests test/train/matcher.test.ts,...]
 *
 * Rooms are those of bench/mutation/rooms.ts, all of them where none is named, or a folder or file below one
 * (`filter/rules`, `filter/rules/contrast`). A few files at a time are a run of Stryker, with an incremental file
 * in reports/mutation that bears the name of the first: a run that was stopped goes on where it was, and only what has
 * changed is tried again, unless `--force` is given. Survivors are listed there as well, in *.survivors.txt. With
 * `--sample 0.1` a tenth of the mutants is tried, drawn by the seed, and the score has an interval: another seed
 * draws another tenth. `--tests` runs those tests alone, for who writes them: quick, and no score of a room. Ends with 1 where a room is below the goal, or its tests fail without a mutant.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Stryker } from '@stryker-mutator/core'
import { formatTable } from '../src/cli/terminal/format-table.js'
import { type MutatedPart, mutatedParts } from './mutation/rooms.js'
import { isDrawn, passedOver } from './mutation/sample.js'
import {
  type Counts,
  count,
  intervalOf,
  type MutantResult,
  scoreOf,
  survivorsText,
  total,
} from './mutation/scores.js'
import { gatherFigures, option, printReport } from './report.js'

const isJson = process.argv.includes('--json')
const force = process.argv.includes('--force')
const concurrency = Number(option('concurrency', '1'))
const share = Number(option('sample', '1'))
const seed = Number(option('seed', '1'))
const testsAsked = option('tests', '')
const reports = 'reports/mutation'

/** Percent of the mutants that the tests have to notice. */
const goal = 85

async function mutate({ name, files, tests }: MutatedPart): Promise<MutantResult[]> {
  // Read by vitest.mutation.config.ts in the processes that Stryker starts.
  process.env.MUTATION_TESTS = JSON.stringify(tests)
  process.env.MUTATION_SAMPLE = JSON.stringify({ share, seed })
  forgetPassedOver(`${reports}/${name}.json`)
  const stryker = new Stryker({
    mutate: [...files],
    testRunner: 'vitest',
    plugins: [
      '@stryker-mutator/vitest-runner',
      './bench/mutation/message-ignorer.js',
      './bench/mutation/sample.js',
    ],
    ignorers: ['messages'],
    checkers: share < 1 ? ['sample'] : [],
    vitest: { configFile: 'vitest.mutation.config.ts', related: false },
    // TypeScript 7 has no interface for programs, with which Stryker would rewrite the configuration's paths.
    tsconfigFile: 'none.json',
    disableTypeChecks: false,
    coverageAnalysis: 'perTest',
    // What runs once when a module is loaded would take a run of all the tests for each mutant.
    ignoreStatic: true,
    concurrency,
    // bench/mutation/warm-pool.ts ends what does not end, long before this.
    timeoutMS: 120_000,
    incremental: true,
    incrementalFile: `${reports}/${name}.json`,
    force,
    ignorePatterns: [
      '/dist',
      '/runs',
      '/docs/images',
      '/examples',
      '/.test-dist',
      '/.try-dist',
      '/reports',
      '/.vitest-modules',
    ],
    reporters: isJson ? [] : ['progress-append-only'],
    logLevel: isJson ? 'off' : 'warn',
    allowConsoleColors: false,
  } as ConstructorParameters<typeof Stryker>[0])
  const results = await stryker.runMutationTest()
  return results.filter((mutant) =>
    isDrawn({ ...mutant, location: countedFromZero(mutant.location) }, share, seed),
  )
}

/** Reports count lines and columns from one, the plugins of Stryker from zero. */
function countedFromZero({ start, end }: MutantResult['location']): MutantResult['location'] {
  const before = ({ line, column }: typeof start) => ({ line: line - 1, column: column - 1 })
  return { start: before(start), end: before(end) }
}

/** Takes out of what is known the mutants that an earlier sample did not try, or they would be known as untried. */
function forgetPassedOver(path: string): void {
  if (!existsSync(path)) return
  const known = JSON.parse(readFileSync(path, 'utf8')) as {
    files: Record<string, { mutants: { status: string }[] }>
  }
  for (const file of Object.values(known.files))
    file.mutants = file.mutants.filter(({ status }) => status !== passedOver)
  writeFileSync(path, JSON.stringify(known))
}

/** Such a part is a run of its own: what it finds is no knowledge about all tests. */
const withTests = (part: MutatedPart, include: readonly string[]): MutatedPart => ({
  ...part,
  name: `${part.name}.some`,
  tests: { ...part.tests, include },
})

const named = process.argv
  .slice(2)
  .filter(
    (word, at, all) => !/^--/.test(word) && !/^--(concurrency|sample|seed|tests)$/.test(all[at - 1] ?? ''),
  )
mkdirSync(reports, { recursive: true })
const byRoom = new Map<string, Counts>()
let failed = 0
for (const part of mutatedParts(named, share)) {
  const one = testsAsked ? withTests(part, testsAsked.split(',')) : part
  const start = performance.now()
  const results = await mutate(one).catch((error: Error) => {
    process.stderr.write(`${one.name}: ${error.message}\n`)
  })
  if (!results) {
    failed++
    continue
  }
  const counts = count(results, (performance.now() - start) / 1000)
  writeFileSync(
    `${reports}/${one.name}.survivors.txt`,
    survivorsText(results, (path) => readFileSync(path, 'utf8')),
  )
  process.stderr.write(`${one.name}: ${scoreOf(counts).toFixed(1)} % of ${counts.valid} mutants\n`)
  byRoom.set(one.room, total(byRoom.get(one.room), counts))
}

if (isJson) {
  const { figures, report } = gatherFigures()
  for (const [room, counts] of byRoom) {
    const score = scoreOf(counts)
    const interval = share < 1 ? `95 % interval ${intervalOf(counts).join(' to ')} %` : undefined
    report(`${room}: score`, score, '%', `>= ${goal}`, score >= goal, interval)
    report(`${room}: mutants`, counts.valid, '')
    report(`${room}: time`, counts.seconds, 's')
  }
  printReport('mutation', 1, figures)
} else {
  const rows = [...byRoom].map(([room, counts]) => [
    room,
    counts.valid,
    counts.killed,
    counts.timeout,
    counts.survived,
    counts.uncovered,
    counts.left,
    `${scoreOf(counts).toFixed(1)}%${share < 1 ? ` (${intervalOf(counts).join(' to ')})` : ''}`,
    `${(counts.seconds / 60).toFixed(1)} min`,
  ])
  const header = ['room', 'mutants', 'killed', 'timeout', 'survived', 'not run', 'left out', 'score', 'time']
  process.stdout.write(`${formatTable(header, rows)}\n`)
}
const isMet = failed === 0 && [...byRoom.values()].every((counts) => scoreOf(counts) >= goal)
process.exitCode = isMet ? 0 : 1
