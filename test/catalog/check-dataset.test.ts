import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { hashBytes } from '../../src/base/hash.js'
import { thisProcess } from '../../src/base/process-identity.js'
import { checkDataset } from '../../src/catalog/check-dataset.js'
import { type Finding, isBad } from '../../src/catalog/finding.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import type { CommitRecord } from '../../src/shards/commit.js'
import { acquireLock } from '../../src/storage/lock.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { compiledProgram } from '../helpers/compiled.js'
import { s3Server } from '../helpers/s3-server.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const server = await s3Server()
const folder = await temporaryFolder()
const pipeline = join(folder, 'pipeline.yaml')
const dead = spawnSync(process.execPath, ['-e', '']).pid
const { host, pid, started } = thisProcess

beforeAll(async () => {
  const world = join(folder, 'world')
  await makeSmallWorld(world)
  await writeFile(
    pipeline,
    `name: small
stages:
  - { name: gold, uses: ingest, with: { format: coco, images: ${world}/gold/images, instances: ${world}/gold/annotations.json, shard_size: 12 } }
  - { name: words, uses: chunk, needs: [gold] }
`,
  )
})

const make = async (url: string) => runPipeline(await readPipeline(pipeline), url)

async function check(storage: Storage, options: { deep?: boolean; mend?: boolean } = {}) {
  const findings: Finding[] = []
  const { deep = false, mend = false } = options
  const all = await checkDataset(storage, { deep, mend, onFinding: (finding) => findings.push(finding) })
  findings.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { all, findings, bad: findings.filter(isBad).map(({ name }) => name) }
}

const shown = (findings: readonly Finding[]) => findings.map(({ kind, name }) => `${kind} ${name}`)

async function hashes(storage: Storage): Promise<Record<string, string>> {
  const all: Record<string, string> = {}
  for (const name of await storage.list('.')) {
    if (name.endsWith('.parquet')) all[name] = hashBytes((await storage.read(name)) as Uint8Array)
  }
  return all
}

const json = async <T>(storage: Storage, name: string) =>
  JSON.parse(Buffer.from((await storage.read(name)) ?? []).toString()) as T

const fileOf = async (storage: Storage, record: string, family: 'images' | 'phrases' | 'grounding') =>
  (await json<CommitRecord>(storage, record)).files[family]?.path as string

/** Lays a dataset out as the first version did: files named by their shards, and a whole record in each family. */
async function makeOlder(storage: Storage) {
  for (const name of await storage.list('.')) {
    if (!name.endsWith('.json') || name === 'dataset.json') continue
    const record = await json<CommitRecord>(storage, name)
    if (record.main !== record.family || !record.files) continue
    const files: Record<string, object> = {}
    for (const [family, file] of Object.entries(record.files)) {
      const path = file.path.replace(/-[0-9a-f]{16}(?=\.parquet$)/, '')
      await storage.write(path, (await storage.read(file.path)) as Uint8Array)
      await storage.remove(file.path)
      files[family] = { ...file, path }
    }
    for (const family of Object.keys(files)) {
      const other = family === record.family ? name : `${family}/${record.stage}/${record.shard}.json`
      if (family === 'rejects') continue
      await storage.write(other, JSON.stringify({ ...record, version: 1, family, files }))
    }
  }
}

describe.each([
  ['a folder', (place: string) => join(folder, place)],
  ['a bucket', (place: string) => server.url(place)],
])('a check of a dataset in %s', (kind, at) => {
  const isFolder = kind === 'a folder'
  const open = (place: string) => openStorage(openStorage(at(place)).path('gold'))
  let whole: Record<string, string>

  it('finds nothing where nothing is wrong', async () => {
    await make(at('run'))
    const storage = open('run')
    whole = await hashes(storage)
    // What can be made again is no stranger's.
    await storage.write('cache/sums/images/00000.json', 'anything')
    expect(await check(storage, { deep: true })).toEqual({
      all: { shards: 3, records: 6, bytes: expect.any(Number), stages: { gold: 3, words: 3 } },
      findings: [],
      bad: [],
    })
    await storage.remove('cache/sums/images/00000.json')
  })

  it('says what is broken, and with --mend the next run makes the same again', async () => {
    const storage = open('run')
    const broken = await fileOf(storage, 'images/00000.json', 'images')
    const bytes = (await storage.read(broken)) as Uint8Array
    await storage.write(broken, bytes.subarray(0, 1000))
    const flipped = await fileOf(storage, 'phrases/words/00001.json', 'phrases')
    const other = Buffer.from((await storage.read(flipped)) as Uint8Array)
    other[100] = (other[100] as number) ^ 1
    await storage.write(flipped, other)
    const missing = await fileOf(storage, 'images/00002.json', 'grounding')
    await storage.remove(missing)
    await storage.write('phrases/words/00000.json', '{ half')

    const flat = await check(storage)
    expect(shown(flat.findings)).toEqual([
      `missing ${missing}`,
      `wrong ${broken}`,
      // Of a record that cannot be read nobody knows what it names.
      'wrong phrases/words/00000.json',
    ])
    expect(flat.findings.find(({ name }) => name === broken)?.what).toMatch(
      /it has 1000 bytes, its record says \d+/,
    )
    const deep = await check(storage, { deep: true })
    expect(shown(deep.findings)).toEqual([...shown(flat.findings), `wrong ${flipped}`])
    expect(deep.bad).toHaveLength(4)
    // Looked at, not changed.
    expect((await storage.read(broken))?.length).toBe(1000)

    const mended = await check(storage, { deep: true, mend: true })
    expect(mended.bad).toEqual([])
    const removed = 'record and files removed: the next run makes the shard anew'
    const kept = `6 of 6 pictures are whole and stay; nothing tells which rows of grounding are whole: the next run makes them anew; the next run holds captions and boxes against the source`
    const aside = `${broken}.damaged`
    expect(mended.findings.map(({ mended: what }) => what)).toEqual([
      kept,
      `${removed}; the damaged file stays as ${aside}`,
      removed,
      removed,
    ])
    expect((await storage.list('images')).filter((name) => name.endsWith('.json'))).toEqual([
      'images/00001.json',
      'images/00002.json',
    ])
    expect(shown((await check(storage, { deep: true, mend: true })).findings)).toEqual([`foreign ${aside}`])
    await storage.remove(aside)
    expect((await check(storage, { deep: true })).findings).toEqual([])
    await make(at('run'))
    expect(await hashes(storage)).toEqual(whole)
    expect((await check(storage, { deep: true })).findings).toEqual([])
  })

  it('finds what points to records, where that is lost, broken or of nothing', async () => {
    const storage = open('run')
    await storage.remove('phrases/gold/00000.json')
    await storage.write('grounding/gold/00001.json', 'x')
    const pointer = await json<object>(storage, 'phrases/gold/00001.json')
    const stray = { ...pointer, family: 'selection', shard: '00002' }
    await storage.write('selection/gold/00002.json', JSON.stringify(stray))
    const { findings } = await check(storage)
    expect(shown(findings)).toEqual([
      'missing grounding/gold/00001.json',
      'missing phrases/gold/00000.json',
      'left over selection/gold/00002.json',
    ])
    const mended = await check(storage, { mend: true })
    expect(mended.findings.map(({ mended: what }) => what)).toEqual([
      'written anew',
      'written anew',
      'removed',
    ])
    expect(await json(storage, 'phrases/gold/00001.json')).toEqual(pointer)
    expect((await check(storage)).findings).toEqual([])
  })

  it('finds what is left over, old shards and strangers, and removes the first two', async () => {
    const storage = open('run')
    const name = await fileOf(storage, 'images/00000.json', 'images')
    const left = 'images/00000-0123456789abcdef.parquet'
    const alone = 'proposals/never/00007-0123456789abcdef.parquet'
    for (const one of [left, alone]) await storage.write(one, (await storage.read(name)) as Uint8Array)
    const record = await json<CommitRecord>(storage, 'phrases/words/00000.json')
    const old = { ...record, shard: '00009' }
    await storage.write('phrases/words/00009.json', JSON.stringify(old))
    for (const one of [
      'README.md',
      'images/x.json',
      'images/deep/x',
      'phrases/x',
      'photos/a.jpg',
      'images/x.parquet',
    ])
      await storage.write(one, 'x')
    if (!isFolder) for (const one of [left, alone]) await server.setAge(`run/gold/${one}`, 3_600_000)
    const strangers = ['README.md', 'images/deep/x', 'images/x.json', 'photos/', 'phrases/x']
    const { findings, bad } = await check(storage)
    expect(shown(findings).sort()).toEqual(
      [
        ...strangers.map((one) => `foreign ${one}`),
        `left over ${left}`,
        `left over ${alone}`,
        'foreign images/x.parquet',
        'left over phrases/words/00009.json',
      ].sort(),
    )
    expect(bad).toHaveLength(4)
    const mended = await check(storage, { mend: true })
    // A glob would take it for a shard; it is not ours to remove.
    expect(mended.bad).toEqual(['images/x.parquet'])
    await storage.remove('images/x.parquet')
    expect(shown((await check(storage)).findings)).toEqual(strangers.map((one) => `foreign ${one}`))
    for (const one of ['README.md', 'images/x.json', 'images/deep/x', 'phrases/x', 'photos/a.jpg'])
      await storage.remove(one)
    if (isFolder) await rm(storage.path('photos'), { recursive: true })
    expect(await hashes(storage)).toEqual(whole)
  })

  it('leaves what a newer version wrote, and a dataset.json that it cannot read', async () => {
    const storage = open('run')
    const kept = (await storage.read('phrases/words/00000.json')) as Uint8Array
    const info = (await storage.read('dataset.json')) as Uint8Array
    await storage.write('phrases/words/00000.json', JSON.stringify({ version: 99 }))
    await storage.write('dataset.json', '{')
    const { findings, all, bad } = await check(storage, { mend: true })
    expect(shown(findings)).toEqual(['wrong dataset.json', 'wrong phrases/words/00000.json'])
    expect(findings[1]?.what).toContain('update groundmill')
    expect(bad).toHaveLength(2)
    expect(all.shards).toBe(null)
    await storage.write('phrases/words/00000.json', kept)
    await storage.write('dataset.json', info)
    expect(await hashes(storage)).toEqual(whole)
    expect((await check(storage)).findings).toEqual([])
  })

  it('knows the layout of older versions, and moves it over', async () => {
    const storage = open('run')
    await makeOlder(storage)
    expect(await storage.exists('images/00000.parquet')).toBe(true)
    const { findings, bad } = await check(storage, { deep: true })
    expect(shown(findings)).toEqual([
      ...[0, 1, 2].map((shard) => `older images/0000${shard}.json`),
      ...[0, 1, 2].map((shard) => `older phrases/words/0000${shard}.json`),
    ])
    expect(bad).toEqual([])
    // One of them is broken: its shard is not moved.
    const bytes = Buffer.from((await storage.read('images/00001.parquet')) as Uint8Array)
    const other = Buffer.from(bytes)
    other[100] = (other[100] as number) ^ 1
    await storage.write('images/00001.parquet', other)
    const half = await check(storage, { mend: true })
    expect(half.bad).toEqual(['images/00001.json'])
    expect(half.findings.filter(({ mended }) => mended === 'named by their contents')).toHaveLength(5)
    await storage.write('images/00001.parquet', bytes)
    expect((await check(storage, { mend: true })).bad).toEqual([])
    expect(await hashes(storage)).toEqual(whole)
    expect((await check(storage, { deep: true })).findings).toEqual([])
    const { outcomes } = await make(at('run'))
    expect([...outcomes.values()].map(({ ran }) => ran)).toEqual([0, 0])
  })

  it('leaves pictures alone that dataset.json no longer has, and all that was made of them', async () => {
    const storage = open('run')
    const whole = await hashes(storage)
    const list = (await storage.read('dataset.json')) as Uint8Array
    const info = JSON.parse(Buffer.from(list).toString('utf8')) as { shards: string[] }
    await storage.write('dataset.json', JSON.stringify({ ...info, shards: info.shards.slice(1) }))
    const mended = await check(storage, { mend: true, deep: true })
    expect(mended.bad).toContain('images/00000.json')
    const { what } = mended.findings.find(({ name }) => name === 'images/00000.json') as Finding
    expect(what).toMatch(
      /^dataset\.json has no shard 00000, which has \d+ pictures: run its ingest stage again, which lists the shard, or with --drop takes it away$/,
    )
    await make(at('run'))
    expect(await hashes(storage)).toEqual(whole)
    expect((await check(storage, { deep: true })).findings).toEqual([])
  })

  it('leaves the locks of those who live, and removes the others', async () => {
    const storage = open('run')
    const lock = await acquireLock(storage, 'images/00000.lock', { what: 'committing', wait: false })
    const owner = { ...thisProcess, token: 'x', what: 'committing', since: 'noon', beat: 0 }
    await storage.write('images/00001.lock', JSON.stringify({ ...owner, pid: dead }))
    await storage.write('images/00002.lock', JSON.stringify({ ...owner, host: 'far' }))
    const { findings } = await check(storage)
    expect(shown(findings)).toEqual([
      'busy images/00000.lock',
      'left over images/00001.lock',
      'busy images/00002.lock',
    ])
    expect(findings[0]?.what).toContain(`process ${pid} on ${host} is committing since 20`)
    const mended = await check(storage, { mend: true })
    expect(mended.bad).toEqual([])
    expect(await storage.exists('images/00001.lock')).toBe(false)
    expect(await storage.exists('images/00002.lock')).toBe(true)
    await storage.remove('images/00002.lock')
    await lock.release()
    expect((await check(storage)).findings).toEqual([])
  })
})

describe('a check of a dataset that is being written', () => {
  it('leaves what a stopped writer has half written, and removes what killed ones have left', async () => {
    const storage = openStorage(join(folder, 'run/gold'))
    const script = compiledProgram('shards/write-until-killed')
    const child = spawn(process.execPath, [script, join(folder, 'run/gold')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    child.kill('SIGSTOP')
    const old = `phrases/chunk/00001.parquet.far-1-01234567t1-01234567.aside`
    const far = `phrases/chunk/00002.parquet.far-1-01234567t1-01234567.aside`
    for (const one of [old, far]) await storage.write(one, 'half')
    const yesterday = Date.now() / 1000 - 25 * 3600
    await utimes(storage.path(old), yesterday, yesterday)
    const mended = await check(storage, { mend: true })
    const [first, second, third] = mended.findings
    expect(first).toMatchObject({
      kind: 'busy',
      what: expect.stringContaining(`${child.pid} on ${host}, which lives`),
    })
    expect(second).toMatchObject({ kind: 'left over', name: old, mended: 'removed' })
    expect(third).toMatchObject({ kind: 'busy', name: far })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const again = await check(storage, { mend: true })
    expect(again.findings.map(({ mended: what }) => what)).toEqual(['removed', undefined])
    expect(again.findings[0]?.what).toContain('which is gone')
    await storage.remove(far)
    expect(started).toMatch(/^[0-9a-f]{8}t\d+$/)
    expect((await check(storage)).findings).toEqual([])
  })

  it('tells of a file that is about to be named only that', async () => {
    const storage = openStorage(join(folder, 'run/gold'))
    const lock = await acquireLock(storage, 'phrases/words/00000.lock', { what: 'committing', wait: false })
    const name = 'phrases/words/00000-0123456789abcdef.parquet'
    await storage.write(name, 'x')
    const { bad, findings } = await check(storage)
    expect(bad).toEqual([])
    expect(shown(findings)).toEqual([`busy ${name}`, 'busy phrases/words/00000.lock'])
    await lock.release()
    expect((await check(storage, { mend: true })).findings[0]).toMatchObject({ name, mended: 'removed' })
  })
})
