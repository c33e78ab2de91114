import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type CommitRecord, readCommit, textOf } from '../../src/shards/commit.js'
import { readMain, type VersionedRecord } from '../../src/shards/commit-shard.js'
import { isOlder, moveShard, placeOf } from '../../src/shards/move-shard.js'
import { readShard } from '../../src/shards/read-shard.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { oldPath } from '../helpers/put-shard.js'
import { phraseRows, putRecord, shard } from '../helpers/shard-records.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const place = { stage: 'chunk', shard }

/** A shard of phrases and rejects whose record is of version 1, and whose phrases have the name of older files. */
async function olderShard() {
  const storage = openStorage(await temporaryFolder())
  const task = { storage, ...place, configHash: 'c', inputs: { a: 'b' } }
  const { record } = await runShardTask(task, 'phrases', async (write) => ({
    files: {
      phrases: await write('phrases', phraseRows('a')),
      rejects: await write('rejects', [{ key: null, url: 'u', reason: 'bad', detail: '' }]),
    },
    ...{ unit: 'rows', in: 2, out: 1, rejected: { bad: 1 }, stats: emptyStats },
  }))
  const path = oldPath('phrases', 'chunk', shard)
  await rename(storage.path(record.files.phrases!.path), storage.path(path))
  const files = { ...record.files, phrases: { ...record.files.phrases!, path } }
  const old = await putRecord(storage, { ...record, version: 1, files })
  return { storage, record, old, made: (await readMain({ storage, ...place }, 'phrases')) as VersionedRecord }
}

const nothingAside = async (storage: Storage) =>
  expect((await readdir(storage.path('phrases/chunk'))).filter((name) => /aside/.test(name))).toEqual([])

describe('a shard whose files have older names', () => {
  it('gets the names that the contents give, and is the same otherwise', async () => {
    const { storage, record, old, made } = await olderShard()
    expect([isOlder(old), isOlder(record)]).toEqual([true, false])
    expect(placeOf(old, 'phrases', old.files.phrases!)).toBe(record.files.phrases?.path)
    expect(await moveShard(storage, made)).toBe(true)
    expect(await readCommit(storage, 'phrases', 'chunk', shard)).toEqual(record)
    expect(await storage.list('phrases')).toEqual([record.files.phrases?.path, `phrases/chunk/${shard}.json`])
    for await (const { key } of readShard(storage, 'phrases', 'chunk', shard)) expect(key).toBe('a')
    await nothingAside(storage)
  })

  it('stays as it is where a file is not the one of its record', async () => {
    const { storage, old, made } = await olderShard()
    const path = storage.path(old.files.phrases!.path)
    const bytes = await readFile(path)
    bytes[60]! ^= 1
    await writeFile(path, bytes)
    await expect(moveShard(storage, made)).rejects.toThrow(
      /phrases\/chunk\/00000\.parquet is not the file that its record speaks of/,
    )
    expect(await readCommit(storage, 'phrases', 'chunk', shard)).toEqual(old)
    await nothingAside(storage)
  })

  it('stays as another process made it meanwhile', async () => {
    const { storage, old, made } = await olderShard()
    const other: CommitRecord = { ...old, configHash: 'other' }
    await storage.write(`phrases/chunk/${shard}.json`, textOf(other))
    expect(await moveShard(storage, made)).toBe(false)
    expect(await readCommit(storage, 'phrases', 'chunk', shard)).toEqual(other)
    expect(await storage.exists(old.files.phrases!.path)).toBe(true)
    await nothingAside(storage)
  })

  it('stays where it is stopped', async () => {
    const { storage, old, made } = await olderShard()
    await expect(moveShard(storage, made, AbortSignal.abort())).rejects.toThrow(/abort/i)
    expect(await readCommit(storage, 'phrases', 'chunk', shard)).toEqual(old)
    await nothingAside(storage)
    // Where nothing is left to be copied, too.
    const moved = { ...made.record, files: { rejects: made.record.files.rejects } } as CommitRecord
    await expect(moveShard(storage, { ...made, record: moved }, AbortSignal.abort())).rejects.toThrow(
      /abort/i,
    )
    const running = new AbortController().signal
    expect(await moveShard(storage, made, running)).toBe(true)
  })

  it.each([
    { what: 'once', isSwept: false },
    { what: 'again where it was swept before the lock was taken', isSwept: true },
  ])('in a store of objects has its file sent $what', async ({ isSwept }) => {
    const { storage, made, record } = await olderShard()
    const path = record.files.phrases!.path
    const placed: string[] = []
    const store: Storage = {
      ...storage,
      isLocal: false,
      async writeAside(...given) {
        const aside = await storage.writeAside(...given)
        const place = async (name: string) => {
          placed.push(name)
          await aside.place(name)
        }
        return { ...aside, place }
      },
      async create(...given) {
        if (isSwept) await storage.remove(path)
        return storage.create(...given)
      },
    }
    expect(await moveShard(store, made)).toBe(true)
    expect(placed).toEqual(isSwept ? [path, path] : [path])
    expect(await readCommit(storage, 'phrases', 'chunk', shard)).toEqual(record)
    expect(await storage.exists(path)).toBe(true)
  })
})
