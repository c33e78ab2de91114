import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { thisProcess } from '../../../src/base/process-identity.js'
import type { Finding } from '../../../src/catalog/finding.js'
import { hashModel, hashStart } from '../../../src/model/model-folder.js'
import { checkRun } from '../../../src/pipeline/records/check-run.js'
import { modelStore } from '../../../src/pipeline/records/model-store.js'
import { notePromotion } from '../../../src/pipeline/records/note-promotion.js'
import { makeModel } from '../../../src/pipeline/stages/make-model.js'
import type { StageContext } from '../../../src/pipeline/stages/stage-context.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { compiledProgram } from '../../helpers/compiled.js'
import { s3Server } from '../../helpers/s3-server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { tinyConfig } from '../../helpers/tiny-glip.js'

const server = await s3Server()
const folder = await temporaryFolder()
const script = compiledProgram('pipeline/records/open-model')
const prefix = 'models/m'
const model = join(folder, 'glip')
let hash: string

beforeAll(async () => {
  await mkdir(model)
  const files = { 'config.json': JSON.stringify(tinyConfig), 'tokenizer.json': '{}', 'README.md': '# m' }
  const weights = { 'model.onnx': 'graph', 'model.safetensors': Buffer.alloc(100_000, 'weights') }
  for (const [name, bytes] of Object.entries({ ...files, ...weights }))
    await writeFile(join(model, name), bytes)
  hash = await hashModel(model)
  const { XDG_CACHE_HOME } = process.env
  return () => {
    process.env.XDG_CACHE_HOME = XDG_CACHE_HOME
    if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME
  }
})

const contextOf = (run: Storage) => ({ run, models: 'models/', signal: undefined }) as unknown as StageContext

/** Makes the model of a run by copying one. */
const make = (run: Storage, configHash: string, also?: (folder: string) => Promise<void>) =>
  makeModel(
    { name: 'm', uses: 'train', needs: [], with: {} },
    { configHash, inputs: {} },
    contextOf(run),
    async (work) => {
      await cp(model, work, { recursive: true })
      await also?.(work)
      return { made: configHash }
    },
  )

const readers = (run: Storage, count: number) =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const args = [script, run.url, prefix]
      const { stdout } = await promisify(execFile)(process.execPath, args)
      return stdout.split(' ')
    }),
  )

describe('a model of a run in a bucket', () => {
  it('is fetched whole by several processes at once, and each version stays as it is', async () => {
    const run = openStorage(server.url('run'))
    process.env.XDG_CACHE_HOME = join(folder, 'cache-1')
    const made = await make(run, 'c1')
    expect(made.offers.model).toMatchObject({ name: 'm', hash })
    const first = made.offers.model?.folder as string

    process.env.XDG_CACHE_HOME = join(folder, 'cache-2')
    const found = await readers(run, 3)
    expect(new Set(found.map(([path]) => path)).size).toBe(1)
    expect(found.map(([, its]) => its)).toEqual([hash, hash, hash])
    const [second] = found[0] as [string]
    expect(basename(second)).toBe(basename(first))
    expect(await readdir(dirname(second))).toEqual([basename(second)])

    // Another one, made on another machine: who has the old one open keeps it.
    process.env.XDG_CACHE_HOME = join(folder, 'cache-1')
    const other = await make(run, 'c2', (work) => writeFile(join(work, 'preprocessor_config.json'), '{}'))
    expect(other.skipped).toBe(false)
    expect(other.offers.model?.folder).not.toBe(first)
    expect(await hashModel(first)).toBe(hash)
    process.env.XDG_CACHE_HOME = join(folder, 'cache-2')
    const [[third] = []] = await readers(run, 1)
    expect(basename(third as string)).toBe(basename(other.offers.model?.folder as string))
    expect(await readFile(join(third as string, 'preprocessor_config.json'), 'utf8')).toBe('{}')
    expect(await hashModel(second)).toBe(hash)

    // What killed processes have left, and what nobody has used for long, goes.
    const root = dirname(second)
    const gone = join(
      root,
      `x.${thisProcess.host}-${thisProcess.pid}-${thisProcess.started.split('t')[0]}t1-01234567.aside`,
    )
    await mkdir(gone)
    await utimes(second, 1, 1)
    await readers(run, 1)
    expect(await readdir(root)).toEqual([basename(third as string)])
  })

  it('is not taken for whole where an object is another one or gone', async () => {
    const run = openStorage(server.url('broken'))
    process.env.XDG_CACHE_HOME = join(folder, 'cache-3')
    await make(run, 'c1')
    const bytes = (await run.read(`${prefix}/model.onnx`)) as Uint8Array
    process.env.XDG_CACHE_HOME = join(folder, 'cache-4')
    await run.write(`${prefix}/model.onnx`, 'another')
    await expect(modelStore(run, prefix).open()).rejects.toThrow('is not what its record says')
    await run.remove(`${prefix}/model.onnx`)
    expect(await modelStore(run, prefix).open()).toBeUndefined()
    await run.write(`${prefix}/model.onnx`, bytes)
    const opened = (await modelStore(run, prefix).open()) as string
    expect(await hashModel(opened)).toBe(hash)
    // A cache that has lost a file fetches again.
    await rm(join(opened, 'model.onnx'))
    expect(await modelStore(run, prefix).open()).toBe(opened)
    expect(await hashModel(opened)).toBe(hash)
  })
})

describe('a model of a run in a folder', () => {
  it('is put in place whole, and what others laid beside it goes along', async () => {
    const run = openStorage(join(folder, 'run'))
    await make(run, 'c1')
    expect(await readdir(run.path('models'))).toEqual(['m'])
    await writeFile(run.path(`${prefix}/notes.txt`), 'mine')
    await writeFile(run.path(`${prefix}/model-64x64.onnx`), 'of an earlier size')
    const before = await stat(run.path(prefix))
    await expect(make(run, 'c2', () => Promise.reject(new Error('stop')))).rejects.toThrow('stop')
    expect(await hashModel(run.path(prefix))).toBe(hash)
    expect((await readdir(run.path('models'))).sort()).toEqual(['m', 'm.partial'])
    await make(run, 'c2')
    expect(await readdir(run.path('models'))).toEqual(['m'])
    expect((await stat(run.path(prefix))).ino).not.toBe(before.ino)
    const names = await readdir(run.path(prefix))
    expect(names).toContain('notes.txt')
    expect(names).not.toContain('model-64x64.onnx')
    expect((await make(run, 'c2')).skipped).toBe(true)
    await rm(run.path(`${prefix}/model.onnx`))
    expect((await make(run, 'c2')).skipped).toBe(false)
  })

  it('names the hashes of its files, also of the card on which a promotion is noted', async () => {
    const run = openStorage(join(folder, 'run'))
    const named = { name: 'm', hash }
    const comparison = {
      ...named,
      set: 's',
      metric: 'ap',
      teacher: 0,
      candidate: 0,
      difference: 0,
      interval: null,
    }
    const promotion = {
      round: 1,
      promoted: true,
      reason: 'so',
      margin: 0,
      level: 0.1,
      resamplings: 1,
      seed: 0,
    }
    const all = { ...promotion, teacher: named, candidates: [{ ...comparison, guards: [] }], next: named }
    await Promise.all([1, 2].map(() => notePromotion(run, prefix, all as never)))
    const record = JSON.parse(await readFile(run.path(`${prefix}/record.json`), 'utf8'))
    expect(record.promotion.reason).toBe('so')
    for (const [name, its] of Object.entries(record.files))
      expect([
        name,
        createHash('sha256')
          .update(await readFile(run.path(name)))
          .digest('hex'),
      ]).toEqual([name, its])
    expect(Object.keys(record.files)).toContain(`${prefix}/model.onnx`)
    expect(await readFile(run.path(`${prefix}/README.md`), 'utf8')).toContain('## Promotion')
  })
})

describe('a model whose file is damaged', () => {
  const flip = async (path: string) => {
    const bytes = await readFile(path)
    bytes[50_000] = (bytes[50_000] as number) ^ 1
    await writeFile(path, bytes)
  }

  it('is told of by its file, and is no other model', async () => {
    const run = openStorage(join(await temporaryFolder(), 'run'))
    const made = await make(run, 'c1')
    expect((await make(run, 'c1')).skipped).toBe(true)
    const weights = join(made.offers.model?.folder ?? '', 'model.safetensors')
    await flip(weights)
    const message = `${weights} is damaged: its SHA-256 is `
    const command = `\`groundmill check --deep --mend ${run.path('')}`.replace(/\/$/, '')
    for (const open of [
      () => make(run, 'c1'),
      () => hashModel(run.path(prefix)),
      () => hashStart(run.path(prefix)),
    ]) {
      const said = await open().then(String, (error: Error) => error.message)
      expect(said).toContain(message)
      expect(said).toContain(command)
    }
    const found: Finding[] = []
    await checkRun(run, { deep: true, mend: true, onFinding: (finding) => found.push(finding) })
    expect(found.map(({ name }) => name)).toContain('models/m/model.safetensors')
    expect(await make(run, 'c1')).toMatchObject({ skipped: false, offers: { model: { hash } } })
  })

  it('is fetched anew where it lies in the cache of a run in a bucket', async () => {
    const run = openStorage(server.url('damaged'))
    process.env.XDG_CACHE_HOME = join(folder, 'cache-damaged')
    const made = await make(run, 'c1')
    await flip(join(made.offers.model?.folder ?? '', 'model.safetensors'))
    const [found] = await readers(run, 1)
    expect(found).toEqual([made.offers.model?.folder, hash])
  })
})
