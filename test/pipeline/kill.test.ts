import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { serveFolder } from '../../src/world/serve-world.js'
import { compiledMain } from '../helpers/compiled.js'
import { nodeFlags } from '../helpers/node-flags.js'
import { shortCycle } from '../helpers/short-cycle.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { some } from '../helpers/thorough.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
let files: Awaited<ReturnType<typeof serveFolder>>
/** The web, which counts what it is asked for. */
let web: Server
let requests = 0
const settings = () =>
  shortCycle(world, `http://127.0.0.1:${(web.address() as AddressInfo).port}/`, { gold: 20, web: 8 })
const last = 'round-1-filter'
/** 40 rows, 8 in a shard. */
const shards = 5
/** Kills while the web is crawled, and while each of the stages after it is at work. */
const [crawlKills, stageKills] = some([1, 1], [6, 10])

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

const run = async (folder: string) =>
  runPipeline(await readPipeline('pipelines/quickstart.yaml', { set: settings() }), folder, { only: [last] })

/** The command line in a process of its own, so that it can be killed. */
function start(folder: string): { readonly child: ChildProcess; readonly said: () => string } {
  const args = [...nodeFlags, compiledMain, 'run', 'pipelines/quickstart.yaml', '--dataset', folder]
  const rest = ['--only', last, ...settings().flatMap((one) => ['--set', one])]
  const child = spawn(process.execPath, [...args, ...rest], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr?.on('data', (text) => {
    said += text
  })
  return { child, said: () => said }
}

/** Commit records of a stage of the web's dataset. */
async function recordsOf(folder: string, family: string): Promise<string[]> {
  return (await openStorage(join(folder, 'web')).list(family)).filter((name) => name.endsWith('.json'))
}

/** Kills a run some time after a condition holds. Whether it was at work on the family's shards. */
async function killed(folder: string, family: string, at: (said: string) => boolean, wait: number) {
  const { child, said } = start(folder)
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  while (child.exitCode === null && !at(said())) await delay(1)
  await delay(wait)
  child.kill('SIGKILL')
  await gone
  return child.signalCode === 'SIGKILL' && (await recordsOf(folder, family)).length < shards
}

beforeAll(async () => {
  await makeSmallWorld(world)
  files = await serveFolder(join(world, 'web'))
  web = createServer(async (request, response) => {
    requests++
    const answer = await fetch(new URL(request.url as string, files.url))
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  return async () => {
    web.closeAllConnections()
    web.close()
    await files.close()
  }
})

describe('kill -9', () => {
  it('at any moment of crawling, labelling and filtering leaves the shards that an undisturbed run makes', {
    timeout: 900_000,
  }, async () => {
    const calm = join(folder, 'calm')
    const { outcomes } = await run(calm)
    const expected = await shardsOf(calm)
    expect(Object.keys(expected).filter((name) => name.includes(`grounding/${last}`))).toHaveLength(shards)
    const seconds = (stage: string) => outcomes.get(stage)?.seconds as number

    // All that comes before the web is there.
    const shaken = join(folder, 'shaken')
    await cp(calm, shaken, { recursive: true })
    await rm(join(shaken, 'web'), { recursive: true })
    const draw = random('moments')
    for (let kill = 0; kill < crawlKills; kill++) {
      const wanted = requests + 1 + draw.integer(10)
      expect(await killed(shaken, 'images', () => requests >= wanted, 0)).toBe(true)
    }

    // Kills that fall into work: while the teacher labels, and while the filter writes.
    const stages = [
      { stage: 'round-1-label', family: 'proposals/round-1-label', after: /✓ teacher / },
      { stage: last, family: `grounding/${last}`, after: /✓ round-1-label / },
    ]
    for (const { stage, family, after } of stages) {
      let [kills, atWork] = [0, 0]
      // Some come too late, the more the busier the machine.
      for (; atWork < stageKills && kills < 40; kills++) {
        // What is done is taken away, so that there is work to be killed in; or it goes on from where it was.
        const done = await recordsOf(shaken, family)
        if (kills % 2 === 0 || done.length === shards) {
          for (const name of done) await openStorage(join(shaken, 'web')).remove(name)
        }
        const wait = draw.between(0, 800 * seconds(stage))
        if (await killed(shaken, family, (said) => after.test(said), wait)) atWork++
      }
      expect(atWork, `${stage}: of ${kills} kills`).toBe(stageKills)
    }

    const { failed } = await run(shaken)
    expect(failed).toBe(0)
    expect(await shardsOf(shaken)).toEqual(expected)
    const left = await readdir(join(shaken, 'web'), { recursive: true })
    expect(left.filter((name) => name.includes('.parquet.'))).toEqual([])
    // Run again, all is done and nothing is made anew.
    const again = await run(shaken)
    expect([...again.outcomes.values()].map(({ ran }) => ran)).toEqual(
      [...again.outcomes.values()].map(() => 0),
    )
  })
})
