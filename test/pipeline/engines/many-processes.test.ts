import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { readPipeline } from '../../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../../src/pipeline/run-pipeline.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { serveFolder } from '../../../src/world/serve-world.js'
import { type Ended, type Running, startGroundmill } from '../../helpers/groundmill.js'
import { runCommand } from '../../helpers/run-command.js'
import { shortCycle } from '../../helpers/short-cycle.js'
import { makeSmallWorld } from '../../helpers/small-world.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { some } from '../../helpers/thorough.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
const calm = join(folder, 'calm')
const last = 'round-1-filter'
const stages = ['gold', 'web', 'phrases', 'teacher', 'round-1-label', last]
/** Rows of the web, 4 in a shard, and how many of its shards the first of two slices makes, and the second. */
const rows = some(20, 40)
const shards = rows / 4
const halves = [Math.ceil(shards / 2), Math.floor(shards / 2)] as const
let files: Awaited<ReturnType<typeof serveFolder>>
/** The web, which may be told to answer nothing for a while. */
let web: Server
let requests = 0
let isSilent = false

const settings = () => [
  ...shortCycle(world, `http://127.0.0.1:${(web.address() as AddressInfo).port}/`, { gold: 5, web: 4 }),
  `web.limit=${rows}`,
  'gold.limit=10',
]

const argsOf = (run: string, args: readonly string[]) => {
  const set = settings().flatMap((one) => ['--set', one])
  return ['run', 'pipelines/quickstart.yaml', '--dataset', run, ...set, '--json', ...args]
}

const start = (run: string, ...args: readonly string[]): Running => startGroundmill(argsOf(run, args))

interface Summary {
  readonly stages: Readonly<Record<string, { readonly ran: number; readonly skipped: number }>>
  readonly stopped: readonly { readonly stage: string; readonly at: string }[]
}

/** The exit code, with what became of the stages. */
function told({ code, out, err }: Ended) {
  return { code, err, ...(out === '' ? { stages: {}, stopped: [] } : (JSON.parse(out) as Summary)) }
}

/** Runs to the end, beside nobody. */
const ran = async (run: string, ...args: readonly string[]) => told(await runCommand(...argsOf(run, args)))

/** Everything below a run that is no record of its making, by its name, as a hash of its bytes. */
async function filesOf(run: string): Promise<Record<string, string>> {
  const storage = openStorage(run)
  const hashes: Record<string, string> = {}
  for (const name of await storage.list('.')) {
    if (name.startsWith('.groundmill/') || !/\.(parquet|lock|safetensors|bin)$/.test(name)) continue
    hashes[name] = createHash('sha256')
      .update(await readFile(storage.path(name)))
      .digest('hex')
  }
  return hashes
}

/** What programs that are gone have left half done. */
const asides = (run: string) =>
  readdirSync(run, { recursive: true }).filter((name) => String(name).includes('.aside'))

/** Processes that a process has started and that live. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const [state, parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return Number(parent) === pid && state !== 'Z' ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

const isThere = (pid: number) => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

async function until(what: string, condition: () => boolean) {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > 60_000) throw new Error(`${what} has not come`)
    await delay(20)
  }
}

beforeAll(async () => {
  await makeSmallWorld(world)
  files = await serveFolder(join(world, 'web'))
  web = createServer(async (request, response) => {
    requests++
    if (isSilent) return
    const answer = await fetch(new URL(request.url as string, files.url))
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  const pipeline = await readPipeline('pipelines/quickstart.yaml', { set: settings() })
  await runPipeline(pipeline, calm, { only: [last] })
  return async () => {
    web.closeAllConnections()
    web.close()
    await files.close()
  }
})

/** A run in which all is done but stages from the crawl on, or but those that are named. */
async function undone(name: string, ...again: readonly string[]): Promise<string> {
  const run = join(folder, name)
  await cp(calm, run, { recursive: true })
  if (again.length === 0) await rm(join(run, 'web'), { recursive: true })
  for (const stage of again)
    for (const family of ['phrases', 'proposals', 'grounding', 'rejects'])
      await rm(join(run, 'web', family, stage), { recursive: true, force: true })
  return run
}

/** At how many requests of the crawl it is killed or stopped. */
const moments = some([5], [1, 3, 5, 8, 13, 21])

describe('run --workers', () => {
  it.each(moments)('makes what one process makes, where workers are killed: request %i', async (moment) => {
    const run = join(folder, `killed-${moment}`)
    const wanted = requests + moment
    const { child, ended } = start(run, '--workers', '2', '--only', last)
    for (let kill = 0; kill < 2; kill++) {
      await until('the next request', () => requests >= wanted + 8 * kill)
      const [worker] = childrenOf(child.pid as number)
      if (worker !== undefined) process.kill(worker, 'SIGKILL')
    }
    const { code, out } = await ended
    expect(code).toBe(0)
    const made = (JSON.parse(out) as Summary).stages
    for (const stage of ['phrases', 'round-1-label', last]) expect(made[stage]?.ran, stage).toBe(shards)
    expect(await filesOf(run)).toEqual(await filesOf(calm))
    expect(asides(run)).toEqual([])
    const again = await ran(run, '--only', last)
    expect([again.code, stages.map((stage) => again.stages[stage]?.ran)]).toEqual([0, stages.map(() => 0)])
  })

  it.each(moments)('stopped leaves no process, and a state to go on from: request %i', async (moment) => {
    const run = await undone(`stopped-${moment}`)
    for (const { signal, code } of [
      { signal: 'SIGKILL', code: null },
      { signal: 'SIGINT', code: 130 },
    ] as const) {
      const wanted = requests + moment
      const running = start(run, '--workers', '2', '--only', last)
      await until('the crawl', () => requests >= wanted)
      isSilent = true
      const workers = childrenOf(running.child.pid as number)
      expect(workers).toHaveLength(2)
      running.signal(signal)
      const { code: ended } = await running.ended
      expect(ended, signal).toBe(code)
      await until('the end of the workers', () => !workers.some(isThere))
      isSilent = false
      web.closeAllConnections()
    }
    const { code: after, stages: made } = await ran(run, '--only', last)
    expect(after).toBe(0)
    expect(made.web?.ran).toBeGreaterThan(0)
    expect(await filesOf(run)).toEqual(await filesOf(calm))
    expect(asides(run)).toEqual([])
  })
})

describe('run --slice', () => {
  const slices = (run: string, count: number, ...args: readonly string[]) =>
    Promise.all(
      Array.from({ length: count }, async (_, index) =>
        told(await start(run, '--slice', `${index}/${count}`, ...args).ended),
      ),
    )

  // The slice that is killed makes 9 requests, or 13 where all moments are tried.
  it.each(moments.filter((moment) => moment <= 13))(
    'killed and begun again in another number make what is missing, once, up to what needs all shards: request %i',
    async (moment) => {
      const run = join(folder, `slices-${moment}`)
      const wanted = requests + moment
      const { child, ended } = start(run, '--slice', '1/3', '--only', 'phrases')
      await until('the crawl', () => requests >= wanted)
      child.kill('SIGKILL')
      await ended
      const before = (await openStorage(join(run, 'web')).list('images')).filter((name) =>
        name.endsWith('.json'),
      )
      // Whoever of them ends first finds the others' shards missing.
      const first = await slices(run, 2, '--only', 'phrases')
      expect(first.map(({ code }) => code)).toEqual([0, 0])
      const count = (one: 'ran' | 'skipped') =>
        first.reduce((sum, { stages: done }) => sum + (done.web?.[one] ?? 0), 0)
      expect([count('ran'), count('skipped')]).toEqual([shards - before.length, before.length])
      const stopped = await ran(run, '--slice', '0/1', '--only', last)
      expect(stopped).toMatchObject({ code: 75, stopped: [{ stage: 'teacher', at: 'teacher' }, {}, {}] })
      expect(stopped.err).toMatch(/this slice stopped before "teacher": it takes all shards at once/)
      expect((await ran(run, '--only', 'teacher')).code).toBe(0)
      const rest = [
        await ran(run, '--slice', '0/2', '--only', last),
        await ran(run, '--slice', '1/2', '--only', last),
      ]
      expect(rest.map(({ code }) => code)).toEqual([0, 0])
      expect(rest.map(({ stages: made }) => made[last]?.ran)).toEqual(halves)
      // What the killed one had aside goes with the next whole run.
      expect((await ran(run, '--only', last)).code).toBe(0)
      expect(await filesOf(run)).toEqual(await filesOf(calm))
      expect(asides(run)).toEqual([])
    },
  )

  it('and workers set aside what cannot be made, make the rest, and end with 1', async () => {
    const run = await undone('broken', 'phrases')
    const [broken] = Object.keys(await filesOf(run)).filter((name) => name.startsWith('web/images/00003'))
    const whole = await readFile(join(run, broken as string))
    await truncate(join(run, broken as string), 100)
    const even = await ran(run, '--slice', '0/2', '--only', 'phrases')
    const odd = await ran(run, '--slice', '1/2', '--only', 'phrases')
    expect([even.code, odd.code]).toEqual([0, 1])
    expect([even.stages.phrases?.ran, odd.stages.phrases?.ran]).toEqual([halves[0], halves[1] - 1])
    const first = await ran(run, '--workers', '2', '--only', 'phrases')
    expect([first.code, first.stages.phrases?.ran]).toEqual([1, 0])
    expect(first.err).toMatch(/shard 00003 set aside: .* is damaged or cut short/)
    await writeFile(join(run, broken as string), whole)
    const second = await ran(run, '--only', 'phrases')
    expect([second.code, second.stages.phrases?.ran]).toEqual([0, 1])
    expect(await filesOf(run)).toEqual(await filesOf(calm))
    expect((await ran(run, '--slice', '0/2', '--workers', '2')).code).toBe(2)
  })
})
