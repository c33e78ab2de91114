import { readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { Schema } from 'apache-arrow'
import { beforeEach, describe, expect, it } from 'vitest'
import { hashBytes } from '../../src/base/hash.js'
import { UserError } from '../../src/base/user-error.js'
import { openParquet } from '../../src/parquet/open-parquet.js'
import { parquetChunks } from '../../src/parquet/parquet-chunks.js'
import { arrowSchema } from '../../src/rows/arrow-schema.js'
import { recordPath } from '../../src/rows/family-path.js'
import { type CommitRecord, readCommit, textOf } from '../../src/shards/commit.js'
import { committedFile, openCommitted } from '../../src/shards/committed-file.js'
import { readShard } from '../../src/shards/read-shard.js'
import { ShardRows } from '../../src/shards/shard-rows.js'
import { sizeDiffers, verifyFile } from '../../src/shards/verify-file.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { adoptFile, oldPath, putShard } from '../helpers/put-shard.js'
import { phraseRows, shard } from '../helpers/shard-records.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let storage: Storage
beforeEach(async () => {
  storage = openStorage(await temporaryFolder())
  delete process.env.GROUNDMILL_VERIFY
})
const put = (...keys: readonly string[]) => putShard(storage, 'phrases', 'chunk', shard, phraseRows(...keys))
const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error('none'),
    (error) => error,
  )

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const row of rows) found.push(row)
  return found
}
/** With a file of the shard changed by `change`, and its record saying that this is so. */
async function adopt(change: (bytes: Buffer) => void) {
  const record = (await readCommit(storage, 'phrases', 'chunk', shard)) as CommitRecord
  const file = record.files.phrases!
  const bytes = await readFile(storage.path(file.path))
  change(bytes)
  await writeFile(storage.path(file.path), bytes)
  const files = { phrases: { ...file, sha256: hashBytes(bytes), bytes: bytes.length } }
  await storage.write(recordPath('phrases', 'chunk', shard), textOf({ ...record, files }))
  return storage.path(file.path)
}
const pagesOf = async (name: string) => {
  const { footer, close } = await openParquet(
    storage.path((await committedFile(storage, 'phrases', 'chunk', shard)).path),
  )
  await close()
  return footer.groups[0]!.chunks.find(({ path }) => path[0] === name)!
}

describe('rows of a shard', () => {
  it('have the columns that are asked for, those that came later too', async () => {
    await put('a')
    const read = (...columns: string[]) =>
      all(readShard(storage, 'phrases', 'chunk', shard, { columns: columns as never[] }))
    expect(await read('key')).toEqual([{ key: 'a' }])
    expect(await read('key', 'left_out')).toEqual([{ key: 'a', left_out: null }])
    expect(await read()).toEqual([{}])
    await expect(read('ignored')).rejects.toThrow(/has no column "ignored": it is not a shard of phrases/)
    const row = { key: 'a', reason: null, duplicate_of: null }
    await putShard(storage, 'selection', 'dedup', shard, [row])
    const other = readShard(storage, 'selection', 'dedup', shard, { columns: ['left_out' as never] })
    const error = await failureOf(all(other))
    expect(error).toBeInstanceOf(UserError)
    expect(error.message).toMatch(/has no column "left_out": it is not a shard of selection/)
  })

  it('of a file that is older are without what came later, and have a key in any case', async () => {
    const { fields, metadata } = arrowSchema('phrases')
    const without = async (name: string) => {
      const schema = new Schema(
        fields.filter((field) => field.name !== name),
        metadata,
      )
      const pieces: Uint8Array[] = []
      for await (const piece of parquetChunks(schema, new Set(['left_out']), [{ key: 'a', phrases: [] }]))
        pieces.push(piece)
      await storage.write(oldPath('phrases', 'old', shard), Buffer.concat(pieces))
      await adoptFile(storage, 'phrases', 'old', shard)
      return all(
        readShard(
          storage,
          'phrases',
          'old',
          shard,
          name === 'key' ? {} : { columns: ['key', name as never] },
        ),
      )
    }
    expect(await without('left_out')).toEqual([{ key: 'a' }])
    await expect(without('phrases')).rejects.toThrow(/has no column "phrases": it is not a shard of phrases/)
    await expect(without('key')).rejects.toThrow(/has no column "key"/)
  })

  it.skipIf(process.platform !== 'linux')('leave no file open, however the reading ends', async () => {
    await put('a', 'b')
    for await (const _ of readShard(storage, 'phrases', 'chunk', shard)) break
    await all(readShard(storage, 'phrases', 'chunk', shard))
    const unknown = { columns: ['regions' as never] }
    await expect(all(readShard(storage, 'phrases', 'chunk', shard, unknown))).rejects.toThrow(/no column/)
    const open = await Promise.all(
      (await readdir('/proc/self/fd')).map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
    )
    expect(open.filter((path) => path.startsWith(storage.path('')))).toEqual([])
  })

  it('that cannot be decoded are damage, read in a stream or one by one', async () => {
    await put('a', 'b')
    const { start, end } = await pagesOf('key')
    const path = await adopt((bytes) => bytes.fill(0xff, start, end))
    const range = { start: 0, end: 1, columns: ['key'] as const }
    const rows = new ShardRows(storage)
    for (const read of [
      () => all(readShard(storage, 'phrases', 'chunk', shard)),
      () => rows.read('phrases', 'chunk', shard, range),
    ]) {
      const error = await failureOf(read())
      expect(error).toBeInstanceOf(UserError)
      expect(error.message).toContain(`${path} is damaged or cut short (`)
    }
    await rows.close()
  })

  it('of a file that is no Parquet, as its record says, are damage', async () => {
    await put('a')
    const path = await adopt((bytes) => bytes.fill(0, bytes.length - 12))
    const error = await failureOf(openCommitted(storage, 'phrases', 'chunk', shard))
    expect(error).toBeInstanceOf(UserError)
    expect(error.message).toMatch(new RegExp(`${path} is damaged or cut short \\(.*check --deep --mend`))
  })
})

describe('the file of a shard', () => {
  it('is the one that its record names, or is not there', async () => {
    const file = await put('a')
    expect(await committedFile(storage, 'phrases', 'chunk', shard)).toEqual(file)
    for (const [family, stage, what] of [
      ['phrases', 'other', 'phrases "other"'],
      ['images', null, 'images'],
      ['rejects', 'chunk', 'rejects "chunk"'],
    ] as const)
      await expect(committedFile(storage, family, stage, shard)).rejects.toThrow(
        `${storage.url}: shard ${shard} of ${what} is not there: run its stage first.`,
      )
  })

  it('is told to be gone where it is, and not to be damaged', async () => {
    const { path } = await put('a')
    await rm(storage.path(path))
    const gone = /a record names it, and it is not there/
    await expect(openCommitted(storage, 'phrases', 'chunk', shard)).rejects.toThrow(gone)
    const range = { start: 0, end: 1, columns: ['key'] as const }
    const rows = new ShardRows(storage)
    const error = await failureOf(rows.read('phrases', 'chunk', shard, range))
    expect(error.message).toMatch(/there is no such file|ENOENT|is not there/)
    // One that comes back is read.
    await put('a')
    expect(await rows.read('phrases', 'chunk', shard, range)).toEqual([{ key: 'a' }])
    await rows.close()
  })
})

describe('rows that are read one by one', () => {
  const range = { start: 0, end: 9, columns: ['key'] as const }

  it('are of the new file where the old one was replaced', async () => {
    await put('a')
    const rows = new ShardRows(storage)
    let reads = 0
    const read = (name: string) => {
      reads++
      return storage.read(name)
    }
    Object.assign(rows, { storage: { ...storage, read } })
    const keys = async () => (await rows.read('phrases', 'chunk', shard, range)).map(({ key }) => key)
    expect(await keys()).toEqual(['a'])
    const before = reads
    expect(await keys()).toEqual(['a'])
    // What the record says is known.
    expect(reads).toBe(before)
    await rows.close()
    await put('b')
    expect(await keys()).toEqual(['b'])
    await rows.close()
    const later = reads
    expect(await keys()).toEqual(['b'])
    expect(reads).toBe(later)
    await rows.close()
  })

  it('of a damaged file say so, and are read again when it is mended', async () => {
    const { path } = await put('a')
    const good = await readFile(storage.path(path))
    await writeFile(storage.path(path), good.subarray(0, 20))
    const rows = new ShardRows(storage)
    await expect(rows.read('phrases', 'chunk', shard, range)).rejects.toThrow(
      `it has 20 bytes, its record says ${good.length}`,
    )
    await writeFile(storage.path(path), good)
    expect(await rows.read('phrases', 'chunk', shard, range)).toEqual([{ key: 'a' }])
    expect(await rows.read('phrases', 'chunk', shard, { start: 0, end: 1 })).toEqual([
      { key: 'a', phrases: [], left_out: null },
    ])
    await rows.close()
    await rows.close()
  })
})

describe('a file held against its record', () => {
  const file = (bytes: number, sha256: string) => ({ path: 'a.parquet', bytes, sha256 })

  it('is hashed once for what one record says, and again for what another says', async () => {
    await storage.write('a.parquet', 'abc')
    await verifyFile(storage, file(3, hashBytes('abc')))
    await storage.write('a.parquet', 'abd')
    await verifyFile(storage, file(3, hashBytes('abc')))
    await expect(verifyFile(storage, file(3, hashBytes('xyz')))).rejects.toThrow(
      `(its SHA-256 is ${hashBytes('abd')}, its record says ${hashBytes('xyz')})`,
    )
    await expect(verifyFile(storage, file(4, hashBytes('abc')))).rejects.toThrow(`(${sizeDiffers(3, 4)})`)
    // Who was refused is looked at again.
    await storage.write('a.parquet', 'xyz')
    await verifyFile(storage, file(3, hashBytes('xyz')))
  })

  it('is held against its size alone where that is said, and against nothing else where it is not known', async () => {
    await storage.write('a.parquet', 'abc')
    process.env.GROUNDMILL_VERIFY = 'size'
    await verifyFile(storage, file(3, 'none'))
    await expect(verifyFile(storage, file(2, 'none'))).rejects.toThrow(sizeDiffers(3, 2))
    process.env.GROUNDMILL_VERIFY = 'all'
    await expect(verifyFile(storage, file(3, 'other'))).rejects.toThrow('GROUNDMILL_VERIFY is "all"')
    for (const how of ['hash', '']) {
      process.env.GROUNDMILL_VERIFY = how
      await expect(verifyFile(storage, file(3, 'third'))).rejects.toThrow(/its SHA-256 is/)
    }
    delete process.env.GROUNDMILL_VERIFY
  })
})
