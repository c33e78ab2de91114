import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { random } from '../../src/random.js'
import { datasetFunnel } from '../../src/shards/funnel.js'
import { openStorage } from '../../src/shards/storage.js'
import { serveFolder } from '../../src/world/serve-world.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
let server: Awaited<ReturnType<typeof serveFolder>>
const settings = () => [
  `world=${world}`,
  `web_url=${server.url}`,
  'gold.shard_size=20',
  'web.shard_size=8',
  'teacher.steps=2',
  'teacher.batch=2',
  'rounds.train.steps=1',
  'rounds.train.batch=2',
  'rounds.teach.floor=0.001',
  'rounds.filter.rules=[{rule: score, min: 0.002}]',
]
const dataStages = ['round-1-filter']

/** Every Parquet file below a run, by its name, as a hash of its bytes. */
async function shardsOf(run: string): Promise<Record<string, string>> {
  const storage = openStorage(run)
  const names = (await storage.list('.')).filter((name) => name.endsWith('.parquet'))
  const hashes = await Promise.all(
    names.map(async (name) => [
      name,
      createHash('sha256')
        .update(await readFile(storage.path(name)))
        .digest('hex'),
    ]),
  )
  return Object.fromEntries(hashes)
}

const runOnce = async (run: string) =>
  runPipeline(await readPipeline('pipelines/quickstart.yaml', { set: settings() }), run, { only: dataStages })

/** The command line in a process of its own, so that it can be killed. */
function start(run: string): ChildProcess {
  const args = ['--import', 'tsx', 'src/cli/main.ts', 'run', 'pipelines/quickstart.yaml', '--dataset', run]
  const rest = [
    ...dataStages.flatMap((name) => ['--only', name]),
    ...settings().flatMap((one) => ['--set', one]),
  ]
  return spawn(process.execPath, [...args, ...rest], { stdio: 'ignore' })
}

const ended = (child: ChildProcess) => new Promise<void>((resolve) => child.once('exit', () => resolve()))

beforeAll(async () => {
  await makeSmallWorld(world)
  server = await serveFolder(join(world, 'web'))
  return () => server.close()
}, 120_000)

describe('kill -9', () => {
  it('at ten moments of labelling and filtering leaves the shards that an undisturbed run makes', {
    timeout: 300_000,
  }, async () => {
    const calm = join(folder, 'calm')
    await runOnce(calm)
    const expected = await shardsOf(calm)
    expect(Object.keys(expected).filter((name) => name.includes('grounding/round-1-filter'))).toHaveLength(5)

    // What comes before labelling is made once; the kills fall into what comes after.
    const run = join(folder, 'killed')
    await runPipeline(await readPipeline('pipelines/quickstart.yaml', { set: settings() }), run, {
      only: ['teacher', 'phrases'],
    })
    const draw = random('moments')
    let killed = 0
    for (let kill = 0; kill < 10; kill++) {
      const child = start(run)
      const gone = ended(child)
      // Labelling begins when the model is loaded; the moments are drawn from there on.
      await waitFor(() => labelled(run), gone)
      await delay(draw.between(0, 60))
      if (child.exitCode === null) killed++
      child.kill('SIGKILL')
      await gone
      const counts = (await datasetFunnel(openStorage(join(run, 'web')))).map(({ shards }) => shards)
      for (const count of counts) expect(count).toBeLessThanOrEqual(5)
      if (kill % 2 === 1) await discardLast(run)
    }
    expect(killed).toBeGreaterThanOrEqual(8)
    const { failed } = await runOnce(run)
    expect(failed).toBe(0)
    expect(await shardsOf(run)).toEqual(expected)
    // Run again, all is done and nothing is made anew.
    const again = await runOnce(run)
    expect([...again.outcomes.values()].map(({ ran }) => ran)).toEqual(
      [...again.outcomes.values()].map(() => 0),
    )
  })
})

/** Whether labelling has begun: a proposals file is there or being written. */
async function labelled(run: string): Promise<boolean> {
  const names = await readdir(join(run, 'web', 'proposals', 'round-1-label')).catch(() => [])
  return names.length > 0
}

async function waitFor(condition: () => Promise<boolean>, gone: Promise<void>): Promise<void> {
  let over = false
  gone.then(() => {
    over = true
  })
  while (!over && !(await condition())) await delay(5)
}

/** Takes the records of labelling and filtering away, so that the next run has them to make again. */
async function discardLast(run: string): Promise<void> {
  const storage = openStorage(join(run, 'web'))
  for (const family of ['proposals/round-1-label', 'grounding/round-1-filter']) {
    for (const name of await storage.list(family)) if (name.endsWith('.json')) await storage.remove(name)
  }
}
