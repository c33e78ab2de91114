/**
 * Runs a pipeline on a real Slurm by the files of `groundmill submit`, loses a task to kill -9 and one to
 * SIGTERM, submits again with another number of slices, and holds what was made against what was missing.
 *
 *     npm run verify:slurm [-- --json] [--command "node dist/cli/main.js"] [--keep]
 *
 * Slurm's daemons run on loopback, in a folder of their own, and are ended: nothing of this machine's own Slurm
 * is touched. Install them with apt-get install --no-install-recommends slurmctld slurmd slurm-client munge
 */
import { execFileSync } from 'node:child_process'
import { type FSWatcher, watch } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { packaged } from '../src/base/files/packaged.js'
import { makeWorld } from '../src/world/make-world.js'
import { readRecipe } from '../src/world/recipe.js'
import { gatherFigures, option, printReport } from './report.js'
import { type SlurmCluster, startSlurm, until } from './slurm-on-loopback.js'

const command = option('command', `${process.execPath} ${packaged('dist/cli/main.js')}`)
const pictures = 96
const shardSize = 2
const shards = pictures / shardSize
const slices = 4
/** The tasks that are lost: of the array that crawls, and of the one that labels. */
const terminated = 1
const killed = 2

const pipeline = `name: verify
vars: { world: world }
stages:
  - name: gold
    uses: ingest
    with: { format: coco, images: "\${world}/gold/images", instances: "\${world}/gold/annotations.json", shard_size: ${shardSize} }
  - { name: phrases, uses: chunk, needs: [gold] }
  - { name: teacher, uses: train, needs: [gold], with: { steps: 1, batch: 2 } }
  - { name: label, uses: teach, needs: [phrases, teacher], with: { floor: 0.001 } }
  - name: kept
    uses: filter
    needs: [label]
    with: { rules: [{ rule: score, min: 0.002 }, { rule: max_boxes, phrase: 1 }] }
  - name: weighed
    uses: filter
    needs: [label]
    with: { rules: [{ rule: frequency_score, rare: 0.001, common: 0.002, frequent: 0.003 }] }
  - { name: exported, uses: export, needs: [kept], with: { format: coco, out: exported } }
`

interface Written {
  readonly text: string
  readonly mtimeMs: number
}

/** Every commit record of a run, by its path. */
async function recordsOf(run: string): Promise<Map<string, Written>> {
  const entries = await readdir(run, { recursive: true, withFileTypes: true })
  const records = new Map<string, Written>()
  for (const entry of entries) {
    if (!entry.isFile() || !/^\d{5}\.json$/.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    const text = await readFile(path, 'utf8')
    records.set(relative(run, path), { text, mtimeMs: (await stat(path)).mtimeMs })
  }
  return records
}

/** How many records of a family's stage there are. */
const countOf = (records: ReadonlyMap<string, unknown>, place: RegExp) =>
  [...records.keys()].filter((path) => place.test(path)).length

/** Files of rows of a stage, whoever names them: one too many would be counted twice by who reads the folder. */
async function filesBelow(folder: string): Promise<number> {
  return (await readdir(folder)).filter((name) => name.endsWith('.parquet')).length
}

/** Of what stood before, what is not as it was. */
const changedSince = (before: ReadonlyMap<string, Written>, after: ReadonlyMap<string, Written>) =>
  [...before].filter(([path, { text, mtimeMs }]) => {
    const now = after.get(path)
    return now?.text !== text || now.mtimeMs !== mtimeMs
  }).length

interface JobState {
  readonly state: string
  /** Exit code and signal, such as 0:9. */
  readonly exit: string
}

/** State of every task, by name and index. */
async function statesOf({ call }: SlurmCluster, ids: readonly string[]): Promise<Map<string, JobState>> {
  const states = new Map<string, JobState>()
  for (const id of ids) {
    for (const line of (await call('scontrol', '--oneliner', 'show', 'job', id)).split('\n')) {
      const value = (key: string) => new RegExp(`\\b${key}=(\\S+)`).exec(line)?.[1]
      const name = value('JobName')
      if (name === undefined) continue
      const index = value('ArrayTaskId')
      states.set(index === undefined ? name : `${name}[${index}]`, {
        state: value('JobState') ?? '',
        exit: value('ExitCode') ?? '',
      })
    }
  }
  return states
}

/** Writes the job files and submits them; the ids of the jobs, in their order. */
async function submit(
  cluster: SlurmCluster,
  folder: string,
  name: string,
  args: readonly string[],
): Promise<string[]> {
  const out = join(folder, name)
  const [program = '', ...words] = command.split(' ')
  const cpus = ['--cpus', '1', '--memory', '1G', '--time', '10', '--command', command]
  execFileSync(
    program,
    [
      ...words,
      ...['submit', 'verify.yaml', '--slurm', '--dataset', 'run', '--set', `world=${join(folder, 'world')}`],
      ...[...cpus, '-o', out, ...args],
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const said = execFileSync(join(out, 'submit.sh'), { env: cluster.env, encoding: 'utf8' })
  return [...said.matchAll(/: job (\d+)$/gm)].map(([, id]) => id ?? '')
}

const over = (states: ReadonlyMap<string, JobState>) =>
  [...states.values()].every(({ state }) => !['PENDING', 'RUNNING', 'COMPLETING', 'REQUEUED'].includes(state))

const allOver = (cluster: SlurmCluster, ids: readonly string[]) =>
  until(async () => over(await statesOf(cluster, ids)), `jobs ${ids.join(', ')}`, 900, 1000)

/** The process of an array's task: Slurm tells it which it is by its environment. */
async function processOf(array: string, task: number): Promise<number | undefined> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
    const has = (variable: string) => `\0${environment}`.includes(`\0${variable}\0`)
    const isTask = has(`SLURM_ARRAY_JOB_ID=${array}`) && has(`SLURM_ARRAY_TASK_ID=${task}`)
    if (isTask && line.includes('--slice\0')) return Number(pid)
  }
  return undefined
}

/**
 * Ends a task in the middle of its work: as soon as a shard of its slice is committed below `place`, of which
 * it has more.
 */
async function strike(array: string, task: number, place: string, signal: NodeJS.Signals): Promise<void> {
  let pid: number | undefined
  await until(
    async () => {
      pid = await processOf(array, task)
      return pid !== undefined
    },
    `task ${task} of job ${array}`,
    300,
    50,
  )
  await mkdir(place, { recursive: true })
  const isOwn = (name: string | null) =>
    /^\d{5}\.json$/.test(name ?? '') && Number.parseInt(name ?? '', 10) % slices === task
  let watcher: FSWatcher | undefined
  await new Promise<void>((resolve) => {
    watcher = watch(place, (_, name) => {
      if (isOwn(name)) resolve()
    })
    // What was committed before the folder was watched.
    readdir(place).then((names) => {
      if (names.some(isOwn)) resolve()
    })
  })
  watcher?.close()
  if (pid !== undefined) process.kill(pid, signal)
}

async function verify(cluster: SlurmCluster, folder: string) {
  const { figures, report } = gatherFigures()
  const expect = (name: string, value: number, goal: number, note?: string) =>
    report(name, value, '', `= ${goal}`, value === goal, note)
  const run = join(folder, 'run')
  const started = performance.now()

  // The second array is the last job: nothing after it makes what its lost task has not made.
  const sliced = ['--slices', String(slices)]
  const first = await submit(cluster, folder, 'first', [...sliced, '--only', 'kept'])
  const [crawl = '', , label = ''] = first
  await strike(crawl, terminated, join(run, 'gold/images'), 'SIGTERM')
  await strike(label, killed, join(run, 'gold/grounding/kept'), 'SIGKILL')
  await allOver(cluster, first)
  const states = await statesOf(cluster, first)
  const stateOf = (name: string) => states.get(name)?.exit ?? 'none'
  const interrupted = stateOf(`verify-phrases[${terminated}]`)
  report(
    'task that got SIGTERM: exit code 130',
    Number.parseInt(interrupted, 10),
    '',
    '= 130',
    interrupted === '130:0',
  )
  const lost = stateOf(`verify-kept[${killed}]`)
  report(
    'task that got kill -9: its signal',
    Number(lost.split(':')[1]),
    '',
    '= 9',
    /^(0:9|137:0)$/.test(lost),
  )
  const well = [...states.values()].filter(({ exit }) => exit === '0:0').length
  expect('other tasks and jobs that ended with 0', well, 2 * slices + 1 - 2)
  const before = await recordsOf(run)
  const kept = /^gold\/grounding\/kept\//
  const missing = shards - countOf(before, kept)
  const most = shards / slices - 1
  report(
    'shards of the last stage missing then',
    missing,
    '',
    `1 to ${most}`,
    missing >= 1 && missing <= most,
  )

  const second = await submit(cluster, folder, 'second', ['--slices', '3', '--only', 'kept'])
  await allOver(cluster, second)
  const secondStates = await statesOf(cluster, second)
  const failed = [...secondStates.values()].filter(({ exit }) => exit !== '0:0').length
  expect('second submission, in 3 slices: tasks that failed', failed, 0)
  const after = await recordsOf(run)
  expect('shards of the last stage after it', countOf(after, kept), shards)
  expect('its Parquet files, whoever names them', await filesBelow(join(run, 'gold/grounding/kept')), shards)
  expect('records of the first submission that changed', changedSince(before, after), 0, `of ${before.size}`)
  const made = [...after.keys()].filter((path) => !before.has(path) && kept.test(path)).length
  expect('shards of the last stage made by it', made, missing)

  const third = await submit(cluster, folder, 'third', sliced)
  await allOver(cluster, third)
  const thirdStates = await statesOf(cluster, third)
  const thirdFailed = [...thirdStates.values()].filter(({ exit }) => exit !== '0:0').length
  expect('whole pipeline: tasks that failed', thirdFailed, 0)
  const end = await recordsOf(run)
  expect('shards of a stage that looks at all shards', countOf(end, /^gold\/grounding\/weighed\//), shards)
  expect('records of before that changed', changedSince(after, end), 0, `of ${after.size}`)
  report('seconds in all', (performance.now() - started) / 1000, 's')
  return figures
}

/** The last lines of what failed tasks wrote, for who must find out why. */
async function printLogs(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/^verify-.*\.log$/.test(entry.name)) continue
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8')
    process.stderr.write(
      `${join(entry.parentPath, entry.name)}: ${text.trim().split('\n').slice(-3).join('\n  ')}\n`,
    )
  }
}

const folder = await mkdtemp(join(tmpdir(), 'groundmill-slurm-'))
try {
  const recipe = await readRecipe(packaged('datasets/toy.yaml'))
  const splits = { gold: pictures, web: 1, known: 1, novel: 1, attributes: 1 }
  await makeWorld({ ...recipe, splits }, join(folder, 'world'))
  await writeFile(join(folder, 'verify.yaml'), pipeline)
  await mkdir(join(folder, 'slurm'))
  const cluster = await startSlurm(join(folder, 'slurm'), slices)
  try {
    const figures = await verify(cluster, folder)
    printReport('slurm', 1, figures)
    if (Object.values(figures).some(({ met }) => met === false)) {
      process.exitCode = 1
      await printLogs(folder)
    }
  } finally {
    await cluster.close()
  }
} finally {
  if (process.argv.includes('--keep')) process.stderr.write(`files are in ${folder}\n`)
  else await rm(folder, { recursive: true })
}
