import { readdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openObject, openStorage } from '../../src/storage/open-storage.js'
import { startGroundmill } from '../helpers/groundmill.js'
import { putShard } from '../helpers/put-shard.js'
import { s3Server } from '../helpers/s3-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const server = await s3Server()
const storage = openStorage(server.url('data/set'))
const text = async (name: string) => {
  const bytes = await storage.read(name)
  return bytes && Buffer.from(bytes).toString()
}
async function* chunks(...parts: (string | Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part
    yield Buffer.from(part)
  }
}
/** What is left of objects that were being written. */
const asides = async () =>
  (await readdir(join(tmpdir(), 'groundmill'))).filter((name) => name.includes(`-${process.pid}-`))

describe('storage in a bucket', () => {
  it('gives back what was written, and nothing where nothing was', async () => {
    await storage.write('a/b/one é.json', 'eins')
    await storage.writeStream('a/two.parquet', chunks('zw', 'ei'))
    for (let index = 0; index < 7; index++) await storage.write(`a/b/${index}`, String(index))
    expect(await text('a/b/one é.json')).toBe('eins')
    expect(await text('a/two.parquet')).toBe('zwei')
    // Over several pages.
    const names = [
      'a/b/0',
      'a/b/1',
      'a/b/2',
      'a/b/3',
      'a/b/4',
      'a/b/5',
      'a/b/6',
      'a/b/one é.json',
      'a/two.parquet',
    ]
    expect(await storage.list('a')).toEqual(names)
    expect(await storage.list('.')).toEqual(names)
    // A folder is not the beginning of a name.
    await storage.write('ab/c', '')
    expect(await storage.list('a')).toEqual(names)
    expect(await storage.folders()).toEqual(['a', 'ab'])
    expect(await text('ab/c')).toBe('')
    await storage.remove('a/two.parquet')
    await storage.remove('a/never.json')
    expect(await storage.read('a/two.parquet')).toBeUndefined()
    expect(await storage.exists('a/two.parquet')).toBe(false)
    expect(await storage.exists('a/b/0')).toBe(true)
    expect(await openStorage(storage.path('a')).list('b')).toHaveLength(8)
  })

  it('creates an object for one of many alone', async () => {
    const results = await Promise.all(
      [1, 2, 3, 4, 5].map((number) => storage.create('lock.json', String(number))),
    )
    expect(results.filter(Boolean)).toHaveLength(1)
    expect(await text('lock.json')).toBe(String(results.indexOf(true) + 1))
    // A store that does not know how is asked whether there is one.
    server.fail(1, /^PUT .*old\.json/, 501)
    expect(await storage.create('old.json', 'first')).toBe(true)
    server.fail(1, /^PUT .*old\.json/, 501)
    expect(await storage.create('old.json', 'second')).toBe(false)
    expect(await text('old.json')).toBe('first')
  })

  it('puts large objects in parts, and reads any part of them', async () => {
    const part = (index: number) => new Uint8Array(1 << 20).fill(index)
    const parts = Array.from({ length: 35 }, (_, index) => part(index))
    const before = server.requests.length
    const aside = await storage.writeAside('large', chunks(...parts))
    expect((await stat(aside.path)).size).toBe(35 << 20)
    await aside.place('large.bin')
    await aside.discard()
    expect(await asides()).toEqual([])
    const sent = server.requests.slice(before).filter((line) => line.includes('partNumber='))
    expect(sent).toHaveLength(3)
    const object = await openObject(storage.path('large.bin'))
    expect(object.size).toBe(35 << 20)
    for (const at of [0, (1 << 20) - 1, (16 << 20) - 1, (32 << 20) - 1, (35 << 20) - 2]) {
      expect([...new Uint8Array(await object.read(at, at + 2))]).toEqual([at >> 20, (at + 1) >> 20])
    }
    await expect(object.read((35 << 20) - 1, (35 << 20) + 1)).rejects.toThrow(/ends at byte/)
    await object.close()
  })

  it('keeps the old object and leaves nothing behind when its chunks fail', async () => {
    await storage.write('s/x', 'old')
    await expect(storage.writeStream('s/x', chunks('new', new Error('cut')))).rejects.toThrow('cut')
    expect(await text('s/x')).toBe('old')
    expect(await asides()).toEqual([])
    await storage.sweep('s')
  })

  it('tries again what may pass', async () => {
    server.fail(2, /^PUT .*again/, 503)
    await storage.write('again', 'x'.repeat(50_000))
    server.fail(2, /^GET .*again/, 500)
    server.fail(2, /^GET .*again/, 'break')
    expect(await text('again')).toBe('x'.repeat(50_000))
  })

  it('holds shards as a folder does', async () => {
    const rows = Array.from({ length: 1200 }, (_, index) => ({
      key: String(index),
      reason: null,
      duplicate_of: 'é',
    }))
    const { path, bytes } = await putShard(storage, 'selection', 'dedup', '00000', rows)
    expect((await openObject(storage.path(path))).size).toBe(bytes)
    const read = []
    for await (const row of readShard(storage, 'selection', 'dedup', '00000')) read.push(row)
    expect(read).toEqual(rows)
    await expect(readShard(storage, 'selection', 'other', '00000').next()).rejects.toThrow(
      /s3:\/\/bucket\/data\/set\?endpoint=.*shard 00000 of selection "other" is not there/,
    )
  })
})

describe('a store that cannot be used', () => {
  it('is named with what to do', async () => {
    const other = openStorage(server.url('x').replace('bucket', 'none'))
    await expect(other.write('x', 'x')).rejects.toThrow(/s3:\/\/none\/x\/x.*there is no such bucket/)
    server.fail(1, /^GET .*secret/, 403)
    const refused = storage.read('secret')
    await expect(refused).rejects.toThrow(/refuses access to s3:\/\/bucket\/data\/set\/secret/)
    await expect(refused).rejects.toThrow(UserError)
    expect(() => openStorage('s3://')).toThrow(/s3:\/\/BUCKET\/PREFIX was expected/)
    expect(() => openStorage('s3://key:word@bucket/x')).toThrow(/no place for keys/)
    expect(() => openStorage('s3://bucket/x?end=1')).toThrow(/"end" is not a setting/)
  })

  it('asks for the SDK where it is not installed', async () => {
    // Node's own hook: the program finds no such package, as on a machine without it.
    const hooks = `export async function resolve(specifier, context, next) {
      if (specifier === '@aws-sdk/client-s3') throw Object.assign(new Error('gone'), { code: 'ERR_MODULE_NOT_FOUND' })
      return next(specifier, context)
    }`
    const file = join(await temporaryFolder(), 'no-sdk.mjs')
    const source = `data:text/javascript,${encodeURIComponent(hooks)}`
    await writeFile(file, `import { register } from 'node:module'\nregister(${JSON.stringify(source)})\n`)
    const env = { ...process.env, NODE_OPTIONS: `--import ${pathToFileURL(file).href}` }
    const { code, err } = await startGroundmill(['stats', 's3://bucket/x'], { env }).ended
    expect(err).toContain(
      's3:// addresses need the AWS SDK, which is not installed: npm install @aws-sdk/client-s3',
    )
    expect(code).toBe(2)
  })
})
