import { access, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { hashBytes } from '../../src/base/hash.js'
import { hashModel } from '../../src/model/model-folder.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { type Running, startGroundmill } from '../helpers/groundmill.js'
import { oneStepCycle } from '../helpers/one-step-cycle.js'
import { runCommand } from '../helpers/run-command.js'
import { s3Server } from '../helpers/s3-server.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const server = await s3Server()
const folder = await temporaryFolder()
const world = join(folder, 'world')
const gold = join(folder, 'run/gold')

beforeAll(async () => {
  await makeSmallWorld(world)
  const pipeline = await readPipeline('pipelines/quickstart.yaml', {
    set: [`world=${world}`, 'gold.limit=8'],
  })
  await runPipeline(pipeline, join(folder, 'run'), { only: ['gold'] })
})

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

/** Starts a command, and stops it in the middle: as soon as it works under its lock. */
async function startAndStop(lock: string, ...args: string[]): Promise<Running> {
  const running = startGroundmill(args)
  const isOwner = async () =>
    (await readFile(lock, 'utf8').catch(() => '')).includes(`"pid":${running.child.pid},`)
  while (running.child.exitCode === null && !(await isOwner())) await delay(2)
  running.signal('SIGSTOP')
  expect(running.child.exitCode).toBe(null)
  // However long ago it last showed that it lives.
  await utimes(lock, 1, 1)
  return running
}

/** The files of an export by their contents, its report aside, which says where it lies. */
async function filesOf(root: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const name of (await readdir(root, { recursive: true })).sort()) {
    if (name === 'export.json' || !(await stat(join(root, name))).isFile()) continue
    files[name] = hashBytes(await readFile(join(root, name)))
  }
  expect(Object.keys(files).length).toBeGreaterThan(1)
  return files
}

const takenBy = ({ child }: Running, what: string) =>
  new RegExp(`is taken: process ${child.pid} on ${hostname()} is ${what} there since 20\\d\\d-.*Z`)

describe('two at once', () => {
  it('do not train one model: the second is told who does, and takes over what a killed one left', async () => {
    const model = join(folder, 'models/m')
    const args = ['train', gold, '-o', model, '--set', 'batch=2', '--set']
    const first = await startAndStop(`${model}.lock`, ...args, 'steps=500')
    await mkdir(`${model}.partial`, { recursive: true })
    await writeFile(join(`${model}.partial`, 'config.json.x.aside'), 'half')
    const second = await runCommand(...args, 'steps=2')
    expect(second).toMatchObject({ code: 2, err: expect.stringMatching(takenBy(first, 'making "m"')) })
    first.signal('SIGKILL')
    await first.ended
    expect(await isThere(`${model}.lock`)).toBe(true)
    const third = await runCommand(...args, 'steps=2')
    expect(third).toMatchObject({ code: 0, err: expect.stringContaining('2 steps, loss') })
    expect(await readdir(join(folder, 'models'))).toEqual(['m'])
    expect((await readdir(model)).filter((name) => name.endsWith('.aside'))).toEqual([])
    expect((await runCommand(...args, 'steps=2')).err).toContain('already done')
    expect(await hashModel(model)).toMatch(/^[0-9a-f]{64}$/)
  })

  it('do not export into one folder', async () => {
    const out = join(folder, 'exports/coco')
    const args = ['export', gold, '--format', 'coco', '-o', out, '--json']
    const first = await startAndStop(`${out}.lock`, ...args)
    const { code, out: told, err } = await runCommand(...args)
    const taken = expect.stringMatching(takenBy(first, 'exporting gold as coco'))
    expect({ code, err }).toEqual({ code: 2, err: taken })
    expect(JSON.parse(told)).toEqual({ error: { message: taken, code: 2 } })
    first.signal('SIGCONT')
    expect(await first.ended).toMatchObject({ code: 0 })
    expect(await readdir(join(folder, 'exports'))).toEqual(['coco'])
    expect(JSON.parse((await runCommand(...args)).out).skipped).toBe(true)

    const other = join(folder, 'exports/other')
    const begun = ['export', gold, '--format', 'coco', '-o', other]
    const killed = await startAndStop(`${other}.lock`, ...begun)
    killed.signal('SIGKILL')
    await killed.ended
    expect(await runCommand(...begun)).toMatchObject({ code: 0 })
    expect((await readdir(join(folder, 'exports'))).sort()).toEqual(['coco', 'other'])
    expect(await filesOf(other)).toEqual(await filesOf(out))
  })

  it('do not make rounds of one run', async () => {
    const run = join(folder, 'rounds')
    const settings = oneStepCycle(world, 'http://127.0.0.1:9').flatMap((setting) => ['--set', setting])
    const args = ['round', 'pipelines/quickstart.yaml', '--dataset', run, ...settings]
    const first = await startAndStop(join(run, 'rounds.lock'), ...args)
    const second = await runCommand(...args)
    expect(second).toMatchObject({ code: 2, err: expect.stringMatching(takenBy(first, 'making rounds')) })
    // Interrupted, it gives its lock up at once.
    first.signal('SIGCONT')
    first.signal('SIGINT')
    expect(await first.ended).toMatchObject({ code: 130 })
    expect((await readdir(run)).filter((name) => name.endsWith('.lock'))).toEqual([])
    const third = await startAndStop(join(run, 'rounds.lock'), ...args)
    third.signal('SIGKILL')
    await third.ended
    const fourth = await startAndStop(join(run, 'rounds.lock'), ...args)
    fourth.signal('SIGKILL')
    await fourth.ended
  })

  it('do not import into one folder', async () => {
    const out = join(folder, 'imported')
    await writeFile(`${out}.lock`, '')
    const second = await runCommand('import-model', 'x.pth', '--preset', 'glip-t', '-o', out)
    expect(second).toMatchObject({ code: 2, err: expect.stringContaining('imported.lock is taken') })
    expect(await isThere(out)).toBe(false)
  })

  it('do not train one model of a run in a bucket', async () => {
    const url = server.url('run')
    const pipeline = join(folder, 'train.yaml')
    await writeFile(
      pipeline,
      `name: bucket
stages:
  - { name: gold, uses: ingest, with: { format: coco, images: ${world}/gold/images, instances: ${world}/gold/annotations.json, limit: 6 } }
  - { name: m, uses: train, needs: [gold], with: { steps: 3, batch: 2 } }
`,
    )
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
    onTestFinished(() => void vi.unstubAllEnvs())
    const args = ['run', pipeline, '--dataset', url]
    const first = startGroundmill(args)
    while (!server.requests.some((line) => /PUT .*models\/m\.lock/.test(line))) await delay(2)
    first.signal('SIGSTOP')
    const second = await runCommand(...args)
    expect(second).toMatchObject({ code: 2, err: expect.stringMatching(takenBy(first, 'making "m"')) })
    first.signal('SIGKILL')
    await first.ended
    const third = await runCommand(...args)
    expect(third).toMatchObject({ code: 0, err: expect.stringMatching(/✓ m +train/) })
    expect((await runCommand(...args)).err).toMatch(/✓ m +train +already done/)
    expect(server.requests.filter((line) => /DELETE .*models\/m\.lock/.test(line))).toHaveLength(1)
  })
})
