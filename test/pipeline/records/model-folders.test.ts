import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { asidePath } from '../../../src/base/files/write-file-atomic.js'
import { hashBytes } from '../../../src/base/hash.js'
import { modelCache } from '../../../src/pipeline/records/model-cache.js'
import { modelLock, modelStore } from '../../../src/pipeline/records/model-store.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { runRecord } from '../../helpers/run-records.js'
import { s3Server } from '../../helpers/s3-server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const server = await s3Server()
const folder = await temporaryFolder()
const prefix = 'models/m'
const { XDG_CACHE_HOME } = process.env
let machines = 0

/** The cache of a machine that has none yet. */
function onAnotherMachine() {
  process.env.XDG_CACHE_HOME = join(folder, `cache-${machines++}`)
}
beforeEach(onAnotherMachine)
afterAll(() => {
  if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME
  else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME
})

async function write(place: string, files: Readonly<Record<string, string | Uint8Array>>) {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(place, name)), { recursive: true })
    await writeFile(join(place, name), bytes)
  }
}

const plain = { 'README.md': '# m', 'model.onnx': 'graph', 'onnx/part.onnx': 'part' }

/** Puts a model of these files in its place, with a record. */
async function place(run: Storage, files: Readonly<Record<string, string | Uint8Array>> = plain) {
  const store = modelStore(run, prefix)
  await write(store.work, files)
  const hashes = await store.place()
  await run.write(`${prefix}/record.json`, JSON.stringify(runRecord({ files: hashes })))
  return hashes
}

/** The files of a folder with what they hold. */
async function contentOf(place: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const entry of await readdir(place, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name)
      files[path.slice(place.length + 1)] = await readFile(path, 'utf8')
    }
  return files
}

const hashesOf = (files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${prefix}/${name}`, hashBytes(text)]))

describe('the folder of a model', () => {
  const newRun = async () => openStorage(await temporaryFolder())

  it('is made beside its place, and opened when there is a record', async () => {
    const run = await newRun()
    const store = modelStore(run, prefix)
    expect(store.work).toBe(run.path('models/m.partial'))
    expect(modelLock(prefix)).toBe('models/m.lock')
    await write(store.work, plain)
    // What was half written is of a program that was killed.
    await write(store.work, { 'onnx/x.aside': 'half' })
    expect(await store.place()).toEqual(hashesOf(plain))
    expect(await store.open()).toBeUndefined()
    await run.write('models/m/record.json', '{}')
    expect(await store.open()).toBe(run.path(prefix))
    expect(await contentOf(run.path(prefix))).toEqual({ ...plain, 'record.json': '{}' })
    expect(await readdir(run.path('models'))).toEqual(['m'])
  })

  it('keeps what somebody has laid beside a model when another takes its place, and nothing that makes one', async () => {
    const run = await newRun()
    const made = ['model.onnx', 'model-64x64.onnx', 'model.safetensors', 'checkpoint.safetensors']
    const before = Object.fromEntries(
      [...made, 'record.json', 'metrics.jsonl', 'loss.svg'].map((name) => [name, 'before']),
    )
    const others = {
      'notes.txt': 'mine',
      'old-model.onnx': 'mine',
      'model.onnx.md5': 'mine',
      'model_q.onnx': 'mine',
      'my/deep/record.json': 'mine',
      'record.json.bak': 'mine',
    }
    await place(run, { ...before, ...others, 'README.md': 'before', 'config.json': 'before' })
    await place(run, { 'README.md': 'now', 'config.json': 'now', 'model.safetensors': 'now' })
    await run.remove(`${prefix}/record.json`)
    expect(await contentOf(run.path(prefix))).toEqual({
      ...others,
      'README.md': 'now',
      'config.json': 'now',
      'model.safetensors': 'now',
    })
    expect(await readdir(run.path('models'))).toEqual(['m'])
  })

  it('is put in place where a program was killed between its two moves', async () => {
    const run = await newRun()
    // Before the second: the earlier model is aside, and what lies beside it still counts.
    await write(run.path('models/m.replaced'), { 'model.onnx': 'before', 'notes.txt': 'mine' })
    await place(run, { 'model.safetensors': 'now' })
    await run.remove(`${prefix}/record.json`)
    expect(await contentOf(run.path(prefix))).toEqual({ 'model.safetensors': 'now', 'notes.txt': 'mine' })
    // Behind it: what is aside is older than what is there.
    await write(run.path('models/m.replaced'), { 'older.txt': 'mine' })
    await place(run, { 'model.safetensors': 'then' })
    await run.remove(`${prefix}/record.json`)
    expect(await contentOf(run.path(prefix))).toEqual({ 'model.safetensors': 'then', 'notes.txt': 'mine' })
    expect(await readdir(run.path('models'))).toEqual(['m'])
  })

  it('is not put in place where nothing was made', async () => {
    const run = await newRun()
    await place(run)
    await expect(modelStore(run, prefix).place()).rejects.toThrow('ENOENT')
    expect(await modelStore(run, prefix).open()).toBe(run.path(prefix))
  })
})

describe('the cache of a model in a bucket', () => {
  let runs = 0
  const newRun = () => openStorage(server.url(`run-${runs++}`))
  const open = (run: Storage) => modelStore(run, prefix).open()
  const rootOf = (run: Storage) => dirname(modelStore(run, prefix).work)
  const rewriteRecord = (run: Storage, files: Readonly<Record<string, string>>) =>
    run.write(`${prefix}/record.json`, JSON.stringify(runRecord({ files })))

  it('lies with those of the user, one for each run and model', () => {
    const run = newRun()
    const { work } = modelCache(run, prefix)
    expect(work).toMatch(
      new RegExp(`^${join(process.env.XDG_CACHE_HOME ?? '', 'groundmill')}/[0-9a-f]{16}/m/work$`),
    )
    expect(modelCache(newRun(), prefix).work).not.toBe(work)
    expect(modelCache(run, 'models/n').work).toBe(join(dirname(dirname(work)), 'n', 'work'))
    delete process.env.XDG_CACHE_HOME
    expect(modelCache(run, prefix).work.startsWith(join(homedir(), '.cache', 'groundmill'))).toBe(true)
  })

  it('has a model whole where it was made, and nothing is fetched there', async () => {
    const run = newRun()
    expect(await open(run)).toBeUndefined()
    expect(await place(run)).toEqual(hashesOf(plain))
    expect(await run.list('.')).toEqual([
      ...Object.keys(plain).map((name) => `${prefix}/${name}`),
      `${prefix}/record.json`,
    ])
    expect((await readdir(rootOf(run))).join()).toMatch(/^[0-9a-f]{16}$/)
    server.requests.length = 0
    const opened = (await open(run)) as string
    expect(await contentOf(opened)).toEqual(plain)
    expect(server.requests.filter((line) => /model\.onnx/.test(line))).toEqual([])
  })

  it('has it taken away from others while its objects are replaced', async () => {
    const run = newRun()
    await place(run)
    const store = modelStore(run, prefix)
    await write(store.work, { 'model.onnx': 'another' })
    await store.place()
    expect(await run.exists(`${prefix}/record.json`)).toBe(false)
    expect(await store.open()).toBeUndefined()
  })

  it('is filled on another machine, once, whoever asks', async () => {
    const run = newRun()
    await place(run)
    const made = await open(run)
    onAnotherMachine()
    const [one, other] = await Promise.all([open(run), open(run)])
    expect(one).not.toBe(made)
    expect(other).toBe(one)
    expect(basename(one as string)).toBe(basename(made as string))
    expect(await contentOf(one as string)).toEqual(plain)
    expect(await readdir(rootOf(run))).toEqual([basename(one as string)])
  })

  it('has files that are larger than what is fetched at once', async () => {
    const run = newRun()
    const large = Buffer.alloc(16 * 1024 * 1024 + 3, 'weights')
    await place(run, { 'model.safetensors': large })
    onAnotherMachine()
    const opened = (await open(run)) as string
    expect((await readFile(join(opened, 'model.safetensors'))).equals(large)).toBe(true)
  })

  it('has a folder for each version; what is noted on a card makes none', async () => {
    const run = newRun()
    const first = await place(run)
    const opened = await open(run)
    // A promotion is written on the card after the record.
    await run.write(`${prefix}/README.md`, '# m, promoted')
    expect(await open(run)).toBe(opened)
    await rewriteRecord(run, { ...first, [`${prefix}/README.md`]: hashBytes('# m, promoted') })
    expect(await open(run)).toBe(opened)
    onAnotherMachine()
    expect(basename((await open(run)) as string)).toBe(basename(opened as string))
    await place(run, { ...plain, 'model.onnx': 'another' })
    expect(basename((await open(run)) as string)).not.toBe(basename(opened as string))
    expect(await readdir(rootOf(run))).toHaveLength(2)
  })

  it('takes a card that another process writes on', async () => {
    const run = newRun()
    await place(run)
    await run.write(`${prefix}/README.md`, '# m, promoted')
    onAnotherMachine()
    const opened = (await open(run)) as string
    expect(await readFile(join(opened, 'README.md'), 'utf8')).toBe('# m, promoted')
    // It is the same model, which nobody fetches again.
    server.requests.length = 0
    for (let time = 0; time < 2; time++) expect(await open(run)).toBe(opened)
    expect(server.requests.filter((line) => /README\.md|model\.onnx/.test(line))).toEqual([])
    expect(await readdir(rootOf(run))).toEqual([basename(opened)])
  })

  it('has nothing of a model whose record does not say what it consists of', async () => {
    const run = newRun()
    await place(run)
    await run.write(`${prefix}/record.json`, JSON.stringify(runRecord()))
    expect(await open(run)).toBeUndefined()
  })

  it('leaves nothing of a model of which an object is another one or gone', async () => {
    const run = newRun()
    await place(run)
    onAnotherMachine()
    await run.write(`${prefix}/model.onnx`, 'another')
    await expect(open(run)).rejects.toThrow(`${run.path(`${prefix}/model.onnx`)} is not what its record says`)
    expect(await readdir(rootOf(run))).toEqual([])
    await run.remove(`${prefix}/onnx/part.onnx`)
    await run.write(`${prefix}/model.onnx`, 'graph')
    expect(await open(run)).toBeUndefined()
    expect(await readdir(rootOf(run))).toEqual([])
    await run.write(`${prefix}/onnx/part.onnx`, 'part')
    expect(await contentOf((await open(run)) as string)).toEqual(plain)
  })

  it('is filled anew where it has lost a file, or one is damaged', async () => {
    const run = newRun()
    await place(run)
    onAnotherMachine()
    const opened = (await open(run)) as string
    await writeFile(join(opened, 'model.onnx'), 'damaged')
    expect(await open(run)).toBe(opened)
    expect(await contentOf(opened)).toEqual(plain)
    for (const name of Object.keys(plain)) {
      expect(await open(run)).toBe(opened)
      await rm(join(opened, name))
      expect(await open(run)).toBe(opened)
      expect(await contentOf(opened)).toEqual(plain)
    }
  })

  it('goes on without a version that nobody has opened for a week, and without what was left half fetched', async () => {
    const run = newRun()
    const root = rootOf(run)
    await place(run)
    const current = basename((await open(run)) as string)
    const day = 24 * 3600
    const now = Date.now() / 1000
    const living = basename(asidePath(join(root, 'x')))
    const gone = living.replace(/t\d+(-[0-9a-f]{8}\.aside)$/, 't1$1')
    const ages = { 'six-days': 6, 'eight-days': 8, work: 30, [living]: 30, [gone]: 0, [current]: 30 }
    for (const [name, age] of Object.entries(ages)) {
      await write(join(root, name), { file: 'x' })
      await utimes(join(root, name), now - age * day, now - age * day)
    }
    const opened = (await open(run)) as string
    expect((await readdir(root)).sort()).toEqual([current, 'six-days', living, 'work'].sort())
    // It has been opened now: another version's opener lets it be.
    expect(Date.now() - (await stat(opened)).mtimeMs).toBeLessThan(day * 1000)
  })

  it('takes no model twice, and none of nothing', async () => {
    const run = newRun()
    await place(run)
    const opened = await open(run)
    await place(run)
    expect(await open(run)).toBe(opened)
    expect(await readdir(rootOf(run))).toEqual([basename(opened as string)])
    await expect(modelCache(run, prefix).keep({ 'models/m/a': 'h' })).rejects.toThrow('ENOENT')
  })
})
