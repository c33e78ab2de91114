import { mkdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { recordPath } from '../../src/rows/family-path.js'
import type { Family } from '../../src/rows/rows.js'
import { type CommitRecord, readCommit, readStored, textOf } from '../../src/shards/commit.js'
import {
  commitShard,
  isNamed,
  isWhole,
  lockedShard,
  mendPointers,
  type PlacedFiles,
  readMain,
  removeUnnamed,
  shardLock,
  unnamed,
  type VersionedRecord,
  withShardLock,
} from '../../src/shards/commit-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { fileOf, putRecord, recordWith, shard } from '../helpers/shard-records.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let storage: Storage
beforeEach(async () => {
  storage = openStorage(await temporaryFolder())
})
afterEach(() => {
  vi.restoreAllMocks()
})
const placeIn = (where: Storage) => ({ storage: where, stage: 'chunk', shard })
const mainName = recordPath('phrases', 'chunk', shard)
const pointerName = (family: Family) => recordPath(family, 'chunk', shard)
const stored = () => readCommit(storage, 'phrases', 'chunk', shard)

/** A record of phrases with files of these families beside them. */
const recordOf = (digits: string, ...beside: readonly Family[]) =>
  recordWith({
    configHash: digits,
    files: Object.fromEntries((['phrases', ...beside] as const).map((one) => [one, fileOf(one, digits)])),
  })
const pathsOf = ({ files }: CommitRecord) => Object.values(files).map(({ path }) => path)

/** Files that are a word, and what was asked of them. */
function wordFiles(where = storage) {
  const asked: { paths: string[]; onlyMissing: boolean }[] = []
  const files: PlacedFiles = {
    async place(paths, { onlyMissing }) {
      asked.push({ paths: [...paths], onlyMissing })
      for (const path of paths) if (!(onlyMissing && (await where.exists(path)))) await where.write(path, 'x')
    },
  }
  return { asked, files }
}

const commit = (record: CommitRecord, where = storage, mayReplace = (): boolean => true) =>
  commitShard(placeIn(where), record, wordFiles(where).files, mayReplace)

describe('a commit', () => {
  it('leaves its files, its record and what points to it, and takes away what it does not name', async () => {
    const first = recordOf('1', 'grounding', 'rejects')
    expect(await commit(first)).toEqual({ record: first, isOwn: true })
    expect(await storage.list('.')).toEqual([...pathsOf(first), mainName, pointerName('grounding')].sort())
    expect(await readStored(storage, pointerName('grounding'))).toEqual({
      ...{ version: 2, stage: 'chunk', family: 'grounding', main: 'phrases', shard },
    })
    const second = recordOf('2', 'negatives')
    expect(await commit(second)).toEqual({ record: second, isOwn: true })
    expect(await storage.list('.')).toEqual([...pathsOf(second), mainName, pointerName('negatives')].sort())
    expect(await stored()).toEqual(second)
  })

  it('asks of what is there, and where that may not go leaves it, and none of its own', async () => {
    const first = recordOf('1')
    await commit(first)
    const own = recordOf('2', 'grounding')
    // What it has sent of its own before it had the lock.
    for (const path of pathsOf(own)) await storage.write(path, 'x')
    const asked: (VersionedRecord | undefined)[] = []
    const result = await commitShard(placeIn(storage), own, wordFiles().files, async (now) => {
      asked.push(now)
      return false
    })
    expect(result).toEqual({ record: first, isOwn: false })
    expect(asked).toEqual([await readMain(placeIn(storage), 'phrases')])
    expect(await storage.list('.')).toEqual([...pathsOf(first), mainName].sort())
  })

  it('that may not be leaves nothing where there is nothing', async () => {
    const { files, asked } = wordFiles()
    const own = recordOf('2')
    expect(await commitShard(placeIn(storage), own, files, () => false)).toEqual({
      ...{ record: undefined, isOwn: false },
    })
    expect(asked).toEqual([])
    expect(await storage.list('.')).toEqual([])
  })

  it('puts files in place once in a folder, and again what is missing in a store of objects', async () => {
    const record = recordOf('1', 'grounding')
    const paths = pathsOf(record)
    const here = wordFiles()
    await commitShard(placeIn(storage), record, here.files, () => true)
    expect(here.asked).toEqual([{ paths, onlyMissing: false }])
    const store = { ...storage, isLocal: false }
    const there = wordFiles()
    await commitShard(placeIn(store), record, there.files, () => true)
    expect(there.asked).toEqual([
      { paths, onlyMissing: false },
      { paths, onlyMissing: true },
    ])
  })

  it('is made again where the record is another one at its swap', async () => {
    let swaps = 0
    const racing: Storage = {
      ...storage,
      async swap(name, ...rest) {
        if (name === mainName && swaps++ === 0) await putRecord(storage, { configHash: 'other' })
        return storage.swap(name, ...rest)
      },
    }
    const seen: (string | undefined)[] = []
    const record = recordOf('1')
    await commitShard(placeIn(racing), record, wordFiles().files, (now) => {
      seen.push(now?.record.configHash)
      return true
    })
    expect(seen).toEqual([undefined, 'other'])
    expect(await stored()).toEqual(record)
  })

  it('is not made once it is stopped', async () => {
    const { files, asked } = wordFiles()
    const place = { ...placeIn(storage), signal: AbortSignal.abort() }
    await expect(commitShard(place, recordOf('1'), files, () => true)).rejects.toThrow(/abort/i)
    expect(asked).toEqual([])
    expect(await storage.list('.')).toEqual([])
  })

  it('that took so long that its lock may be lost puts in place what another removed, and removes nothing', async () => {
    await commit(recordOf('1', 'negatives'))
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const record = recordOf('2', 'grounding')
    const slow: Storage = {
      ...storage,
      async swap(name, ...rest) {
        const isSwapped = await storage.swap(name, ...rest)
        if (name !== mainName) return isSwapped
        now += 60_001
        for (const gone of [...pathsOf(record), pointerName('grounding')]) await storage.remove(gone)
        return isSwapped
      },
    }
    const { files, asked } = wordFiles()
    expect((await commitShard(placeIn(slow), record, files, () => true)).isOwn).toBe(true)
    const paths = pathsOf(record)
    expect(asked).toEqual([
      { paths, onlyMissing: false },
      { paths, onlyMissing: true },
    ])
    expect(await isWhole(storage, record)).toBe(true)
    expect(await storage.exists(fileOf('negatives', '1').path)).toBe(true)
    expect(await storage.exists(fileOf('phrases', '1').path)).toBe(true)
  })

  it('refuses the name of a stage that makes another family', async () => {
    await commit(recordOf('1', 'grounding'))
    const own = recordWith({ family: 'proposals', files: { proposals: fileOf('proposals', '2') } })
    const beside = { ...own, files: { ...own.files, grounding: fileOf('grounding', '2') } }
    await expect(commit(beside)).rejects.toThrow(/the stage "chunk" already made the phrases of shard 00000/)
    const main = recordWith({ family: 'grounding', files: { grounding: fileOf('grounding', '2') } })
    await expect(commit(main)).rejects.toThrow(/give the stage that makes grounding another name/)
    // Pictures lie in no stage's folder: those of another stage may come in their place.
    const web = { family: 'images', stage: 'web', files: { images: fileOf('images', '1') } } as const
    await commitShard({ storage, stage: 'web', shard }, recordWith(web), wordFiles().files, () => true)
    const gold = recordWith({ ...web, stage: 'gold' })
    await commitShard({ storage, stage: 'gold', shard }, gold, wordFiles().files, () => true)
    expect((await readCommit(storage, 'images', null, shard))?.stage).toBe('gold')
  })

  it('writes a pointer in the place of the whole record that older versions wrote, and none again', async () => {
    await putRecord(storage, { ...recordOf('1', 'grounding'), family: 'grounding', main: 'phrases' })
    const older = await readStored(storage, pointerName('grounding'))
    // An older version wrote the main record beside it, which says the same.
    expect(older).toHaveProperty('files')
    const writes: string[] = []
    const counting: Storage = {
      ...storage,
      async write(name, bytes) {
        writes.push(name)
        await storage.write(name, bytes)
      },
    }
    const record = recordOf('1', 'grounding')
    await commitShard(placeIn(counting), record, wordFiles().files, () => true)
    expect(await readStored(storage, pointerName('grounding'))).not.toHaveProperty('files')
    await commitShard(placeIn(counting), record, wordFiles().files, () => true)
    expect(writes).toEqual([pointerName('grounding')])
  })
})

describe('the lock of a shard', () => {
  it('has a name by which its shard is known', () => {
    const lock = shardLock('phrases', 'chunk', shard)
    expect(lock).toBe('phrases/chunk/00000.lock')
    expect(shardLock('images', 'json', 'json-json')).toBe('images/json-json.lock')
    expect(lockedShard(lock)).toBe(shard)
    expect(lockedShard('images/a.lock')).toBe('a')
    for (const other of ['images/00000.json', 'images/00000.lock.json', 'images/.lock', 'images/lock'])
      expect(lockedShard(other)).toBeUndefined()
  })

  it('is there while one works, is safe for a minute, and goes', async () => {
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const name = shardLock('phrases', 'chunk', shard)
    const given = await withShardLock(placeIn(storage), 'phrases', async (held) => {
      expect(JSON.parse(String(await storage.read(name))).what).toBe(
        'committing shard 00000 of stage "chunk"',
      )
      expect(held.mayBeLost()).toBe(false)
      now = 60_000
      expect(held.mayBeLost()).toBe(false)
      now = 60_001
      expect(held.mayBeLost()).toBe(true)
      return 'given'
    })
    expect(given).toBe('given')
    expect(await storage.exists(name)).toBe(false)
  })
})

describe('what points to a record', () => {
  it('is written anew where it is lost, broken or points elsewhere, and is left where it is right', async () => {
    const record = recordOf('1', 'selection', 'proposals', 'grounding', 'negatives', 'rejects')
    await commit(record)
    await storage.remove(pointerName('selection'))
    await storage.write(pointerName('proposals'), '{')
    const astray = {
      ...({ version: 2, stage: 'chunk', shard } as const),
      family: 'grounding',
      main: 'images',
    } as const
    await storage.write(pointerName('grounding'), textOf(astray))
    const removed: string[] = []
    const counting: Storage = {
      ...storage,
      async remove(name) {
        if (!name.endsWith('.lock')) removed.push(name)
        await storage.remove(name)
      },
    }
    expect(await mendPointers(placeIn(counting), 'phrases')).toBe(true)
    expect(removed).toEqual(['selection', 'proposals', 'grounding'].map((one) => pointerName(one as Family)))
    for (const family of ['selection', 'proposals', 'grounding', 'negatives'] as const)
      expect(await readStored(storage, pointerName(family))).toMatchObject({ family, main: 'phrases' })
    expect(await storage.exists(`rejects/chunk/${shard}.json`)).toBe(false)
  })

  it('is not written where there is no record', async () => {
    expect(await mendPointers(placeIn(storage), 'phrases')).toBe(false)
    expect(await storage.list('.')).toEqual([])
  })

  it('is no main record', async () => {
    await commit(recordOf('1', 'grounding'))
    await expect(readMain(placeIn(storage), 'grounding')).rejects.toThrow(/already made the phrases/)
  })
})

describe('objects of a shard', () => {
  it('are named by its record, or not', async () => {
    const record = recordOf('1', 'grounding', 'rejects')
    const named = [...pathsOf(record), mainName, pointerName('grounding')]
    const others = [fileOf('phrases', '2').path, fileOf('negatives', '1').path, pointerName('negatives')]
    expect(named.every((name) => isNamed(record, name))).toBe(true)
    expect(others.some((name) => isNamed(record, name))).toBe(false)
    expect(isNamed(record, `rejects/chunk/${shard}.json`)).toBe(false)
    expect(named.some((name) => isNamed(undefined, name))).toBe(false)
    for (const name of [...named, ...others, 'phrases/chunk/00000-x.json', 'phrases/chunk/00000.lock'])
      await storage.write(name, 'x')
    const among: Family[] = ['phrases', 'grounding', 'negatives']
    expect(await unnamed(placeIn(storage), record, among)).toEqual(others)
    expect((await unnamed(placeIn(storage), undefined, among)).sort()).toEqual(
      [...named, ...others].filter((name) => !name.startsWith('rejects')).sort(),
    )
  })

  it('are all there, or one of them is not', async () => {
    const record = recordOf('1', 'grounding', 'rejects')
    const names = [...pathsOf(record), pointerName('grounding')]
    await commit(record)
    expect(await isWhole(storage, record)).toBe(true)
    for (const name of names) {
      const bytes = (await storage.read(name)) as Uint8Array
      await storage.remove(name)
      expect(await isWhole(storage, record), name).toBe(false)
      await storage.write(name, bytes)
    }
  })
})

describe('the removal of what no record names', () => {
  const held = (...answers: readonly boolean[]) => {
    const left = [...answers]
    return { mayBeLost: () => left.shift() ?? false }
  }
  const names = [fileOf('phrases', '1').path, fileOf('phrases', '2').path, fileOf('phrases', '3').path]
  beforeEach(async () => {
    for (const name of names) await storage.write(name, 'x')
  })
  const left = () => storage.listBeginning('phrases/chunk/00000-')

  it('leaves what a record names by now', async () => {
    await putRecord(storage, recordOf('2'))
    await removeUnnamed(placeIn(storage), 'phrases', names, held())
    expect(await left()).toEqual([names[1]])
    expect(await stored()).toBeDefined()
  })

  it('ends where the lock may be lost', async () => {
    await removeUnnamed(placeIn(storage), 'phrases', names, held(true))
    expect(await left()).toEqual(names)
    await removeUnnamed(placeIn(storage), 'phrases', names, held(false, true))
    expect(await left()).toEqual(names.slice(1))
    await removeUnnamed(placeIn(storage), 'phrases', names.slice(1), held(false, false, true))
    expect(await left()).toEqual(names.slice(2))
  })

  it.each([
    { what: 'goes where what it names was removed', digits: '1', isKept: false },
    { what: 'stays where all is there', digits: '2', isKept: true },
  ])('by who slept: a record that was written meanwhile $what', async ({ digits, isKept }) => {
    const sleeping: Storage = {
      ...storage,
      async remove(name) {
        if (name === names[0]) await putRecord(storage, recordOf(digits))
        await storage.remove(name)
      },
    }
    await removeUnnamed(placeIn(sleeping), 'phrases', names.slice(0, 1), held(false, true))
    expect((await stored()) !== undefined).toBe(isKept)
  })
})

it('a folder in the place of a record is no record', async () => {
  await mkdir(storage.path(mainName), { recursive: true })
  await expect(readMain(placeIn(storage), 'phrases')).rejects.toThrow(/is a folder, where a file is needed/)
})
