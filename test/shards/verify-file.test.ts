import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { checkDataset } from '../../src/catalog/check-dataset.js'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { exactStatistics } from '../../src/query/exact-statistics.js'
import { runQuery } from '../../src/query/run-query.js'
import type { Family } from '../../src/rows/rows.js'
import { readCommit } from '../../src/shards/commit.js'
import { committedFile } from '../../src/shards/committed-file.js'
import { createDataset } from '../../src/shards/dataset.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { ShardRows } from '../../src/shards/shard-rows.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const shards = ['00000', '00001']
const keysOf = (shard: string) => Array.from({ length: 40 }, (_, row) => `${shard}-${row}`)

async function newDataset(): Promise<Storage> {
  const storage = openStorage(await temporaryFolder())
  for (const shard of shards) {
    const keys = keysOf(shard)
    await putShard(
      storage,
      'phrases',
      'words',
      shard,
      keys.map((key) => ({ key, phrases: [{ caption: 0, text: 'dog', start: 0, end: 3, head: 'dog' }] })),
    )
    await putShard(
      storage,
      'proposals',
      'label',
      shard,
      keys.map((key, row) => ({
        key,
        proposals: [{ phrase: 0, xyxy: [1, 2, 3 + row, 4 + row] as const, score: row / 40, label: null }],
        teacher: 't',
      })),
    )
  }
  await createDataset(storage, { name: 'd', card: null, shards })
  return storage
}

async function flip(storage: Storage, name: string) {
  const bytes = await readFile(storage.path(name))
  // In the values of a page, where the file stays one that can be read.
  bytes[60] = (bytes[60] as number) ^ 1
  await writeFile(storage.path(name), bytes)
}

const fileOf = async (storage: Storage, family: Family, stage: string, shard: string) =>
  (await committedFile(storage, family, stage, shard)).path

async function all(rows: AsyncIterable<unknown>) {
  for await (const _ of rows);
}

/** Every way in which rows of proposals are read. */
const readers: Readonly<Record<string, (storage: Storage) => Promise<unknown>>> = {
  readShard: (storage) => all(readShard(storage, 'proposals', 'label', '00001', { columns: ['key'] })),
  joinRows: (storage) =>
    all(joinRows(storage, '00001', { phrases: { stage: 'words' }, proposals: { stage: 'label' } })),
  ShardRows: (storage) =>
    new ShardRows(storage).read('proposals', 'label', '00001', { start: 39, end: 40, columns: ['key'] }),
  query: (storage) =>
    runQuery(storage, 'select count(*) from proposals', {}, async ({ rows }) => {
      for await (const _ of rows);
    }),
  'stats --exact': (storage) => exactStatistics(storage, { top: 3, vocabulary: undefined }),
}

const failureOf = (work: Promise<unknown>) => work.then(String, (error: Error) => error.message)

afterEach(() => {
  delete process.env.GROUNDMILL_VERIFY
})

describe('a file of a shard that is not the one of its record', () => {
  it.each(Object.entries(readers))('is noticed by %s: a bit of it is another', async (_, read) => {
    const storage = await newDataset()
    const name = await fileOf(storage, 'proposals', 'label', '00001')
    await flip(storage, name)
    const message = await failureOf(read(storage))
    expect(message).toContain(`${storage.path(name)} is damaged or cut short (its SHA-256 is `)
    expect(message).toContain(`\`groundmill check --deep --mend ${storage.url}\``)
  })

  it.each(Object.entries(readers))('is noticed by %s: it is that of another shard', async (_, read) => {
    const storage = await newDataset()
    const [one, other] = await Promise.all(
      shards.map((shard) => fileOf(storage, 'proposals', 'label', shard)),
    )
    await cp(storage.path(one as string), storage.path(other as string))
    expect(await failureOf(read(storage))).toMatch(/00001-[0-9a-f]{16}\.parquet is damaged or cut short \(/)
  })

  it('is mended by the command that its message names, and read as it is where hashes are left out', async () => {
    const storage = await newDataset()
    const name = await fileOf(storage, 'proposals', 'label', '00001')
    await flip(storage, name)
    process.env.GROUNDMILL_VERIFY = 'size'
    await readers.readShard?.(storage)
    const found: string[] = []
    await checkDataset(storage, {
      deep: true,
      mend: true,
      onFinding: ({ kind, name }) => found.push(`${kind} ${name}`),
    })
    expect(found).toEqual([`wrong ${name}`])
    expect(await readCommit(storage, 'proposals', 'label', '00001')).toBeUndefined()
    process.env.GROUNDMILL_VERIFY = 'none'
    expect(await failureOf(all(readShard(storage, 'phrases', 'words', '00000')))).toMatch(
      /GROUNDMILL_VERIFY is "none": `hash`/,
    )
  })

  it('is held against its size each time that it is opened', async () => {
    const storage = await newDataset()
    await readers.readShard?.(storage)
    const path = storage.path(await fileOf(storage, 'proposals', 'label', '00001'))
    const bytes = await readFile(path)
    // As long a footer, at the end of a longer file.
    await writeFile(path, Buffer.concat([bytes.subarray(0, 4), Buffer.alloc(8), bytes.subarray(4)]))
    expect(await failureOf(readers.readShard?.(storage) as Promise<void>)).toContain(
      `(it has ${bytes.length + 8} bytes, its record says ${bytes.length})`,
    )
  })
})

describe('a record of another shard', () => {
  it('is refused by its name, and taken away with --mend', async () => {
    const storage = await newDataset()
    const folder = storage.path('proposals/label')
    await cp(join(folder, '00000.json'), join(folder, '00001.json'))
    for (const read of [...Object.values(readers), datasetFunnel])
      expect(await failureOf(read(storage))).toMatch(
        /label\/00001\.json: it says of itself that it is proposals of "label", shard 00000: `groundmill check --mend /,
      )
    await checkDataset(storage, { deep: false, mend: true, onFinding: () => {} })
    expect(await readCommit(storage, 'proposals', 'label', '00001')).toBeUndefined()
    expect((await readCommit(storage, 'proposals', 'label', '00000'))?.out).toBe(40)
  })
})
