import { execFile } from 'node:child_process'
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { checkDataset } from '../../src/catalog/check-dataset.js'
import { exactStatistics } from '../../src/query/exact-statistics.js'
import { runQuery } from '../../src/query/run-query.js'
import { recordPath } from '../../src/rows/family-path.js'
import { committedFile } from '../../src/shards/committed-file.js'
import { createDataset, readDataset } from '../../src/shards/dataset.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const record = recordPath('selection', 'dedup', '00000')
const rows = (key: string) => [{ key, reason: null, duplicate_of: null }]

let storage: Storage
/** A shard of another dataset, which is nobody's business. */
let secret: string
beforeEach(async () => {
  const folder = await temporaryFolder()
  const dataset = async (name: string, key: string) => {
    const made = openStorage(join(folder, name))
    await createDataset(made, { name: 'd', card: null, shards: ['00000'] })
    await putShard(made, 'selection', 'dedup', '00000', rows(key))
    return made
  }
  const other = await dataset('other', 'secret')
  secret = other.path((await committedFile(other, 'selection', 'dedup', '00000')).path)
  storage = await dataset('strangers', 'own')
})

/** Every way of reading the shard: what each threw. */
async function readings(): Promise<unknown[]> {
  const options = { top: 5, minTail: 1 } as Parameters<typeof exactStatistics>[1]
  const all = async (source: AsyncIterable<unknown>) => {
    for await (const _ of source);
  }
  const ways = [
    () => all(readShard(storage, 'selection', 'dedup', '00000')),
    () => all(joinRows(storage, '00000', { selection: { stage: 'dedup' } })),
    () => runQuery(storage, 'select * from selection', {}, async ({ rows }) => all(rows)),
    () => exactStatistics(storage, options),
  ]
  return Promise.all(
    ways.map((way) =>
      way().then(
        () => 'read',
        (error: unknown) => error,
      ),
    ),
  )
}

describe('a record of a stranger', () => {
  const change = async (by: (record: { files: { selection: { path: string } } }) => void) => {
    const value = JSON.parse(await readFile(storage.path(record), 'utf8'))
    by(value)
    await writeFile(storage.path(record), JSON.stringify(value))
  }

  it('names files of its own folder only', async () => {
    expect(await readings()).toEqual(['read', 'read', 'read', 'read'])
    const own = (await committedFile(storage, 'selection', 'dedup', '00000')).path
    await putShard(storage, 'selection', 'other', '00000', rows('other'))
    const paths = [
      '../other/selection/dedup/x.parquet',
      `../../..${secret}`,
      secret,
      `selection/dedup/../../../other/${own}`,
      'https://127.0.0.1:1/x.parquet',
      's3://bucket/x.parquet',
      'selection/dedup/http://127.0.0.1/x.parquet',
      'selection/dedup/*.parquet',
      'selection/dedup/a/b.parquet',
      'selection/other/x.parquet',
      'selection\\dedup\\x.parquet',
      'selection/dedup/.hidden.parquet',
      'selection/dedup/00000.json',
      'dataset.json',
      '',
    ]
    for (const path of paths) {
      await change(({ files }) => {
        files.selection.path = path
      })
      for (const error of await readings()) {
        expect(error, path).toBeInstanceOf(UserError)
        expect((error as Error).message, path).toMatch(
          /00000\.json is not a commit record \(files\.selection\.path: expected a file in selection\/dedup\/, not .*\): delete it/,
        )
      }
    }
    const findings: unknown[] = []
    await checkDataset(storage, { deep: true, mend: false, onFinding: (one) => findings.push(one) })
    expect(findings).toContainEqual(expect.objectContaining({ kind: 'wrong', name: record }))
  })

  it('names stages and shards that are plain names', async () => {
    const names = ['../../x', '/etc', 'a/b', '', '.', '..', '\u001b[31m', 'a b']
    for (const name of names) {
      await change((value) => Object.assign(value, { stage: name }))
      for (const error of await readings())
        expect((error as Error).message, name).toMatch(/\(stage: expected/)
    }
    const info = { schemaVersion: 2, name: 'd', card: null, shards: ['00000'] }
    for (const name of names) {
      await writeFile(storage.path('dataset.json'), JSON.stringify({ ...info, shards: [name] }))
      await expect(readDataset(storage), name).rejects.toThrow(/shards\.0: expected up to 128 letters/)
      await writeFile(storage.path('dataset.json'), JSON.stringify({ ...info, name }))
      await expect(readDataset(storage), name).rejects.toThrow(/name: expected up to 128 letters/)
    }
  })

  it('has no file that is a link to another place, and none that is no file', async () => {
    const own = storage.path((await committedFile(storage, 'selection', 'dedup', '00000')).path)
    await rm(own)
    await symlink(secret, own)
    for (const error of await readings()) {
      expect(error).toBeInstanceOf(UserError)
      expect((error as Error).message).toMatch(/is a link to .*, outside of the dataset/)
    }
    await rm(own)
    await promisify(execFile)('mkfifo', [own])
    for (const error of await readings()) expect((error as Error).message).toMatch(/is not a file, and a/)
    const findings: { what: string }[] = []
    await checkDataset(storage, { deep: true, mend: false, onFinding: (one) => findings.push(one) })
    expect(findings.map(({ what }) => what)).toContainEqual(expect.stringMatching(/is not a file/))
    // Nobody waits for a pipe in the place of a record either.
    await rm(storage.path(record))
    await promisify(execFile)('mkfifo', [storage.path(record)])
    await expect(committedFile(storage, 'selection', 'dedup', '00000')).rejects.toThrow(
      /00000\.json is no file, where a file is needed/,
    )
  })

  it('may lie in folders that the owner has linked to another disk', async () => {
    const folder = dirname(storage.path(record))
    const elsewhere = join(await temporaryFolder(), 'big')
    await mkdir(dirname(elsewhere), { recursive: true })
    await rename(folder, elsewhere)
    await symlink(elsewhere, folder)
    const found = []
    for await (const { key } of readShard(storage, 'selection', 'dedup', '00000')) found.push(key)
    expect(found).toEqual(['own'])
  })
})

it('keys of rows that cannot be names of files are refused where families are joined', async () => {
  for (const key of ['../../escaped', '/etc/passwd', 'a/b', '', '..', 'a\u001b[31m']) {
    await putShard(storage, 'selection', 'dedup', '00000', rows(key))
    const join = async () => {
      for await (const _ of joinRows(storage, '00000', { selection: { stage: 'dedup' } }));
    }
    await expect(join(), key).rejects.toThrow(/row 0: ".*" cannot be the key of a picture/)
  }
})

it('a storage reads and writes nothing outside of its folder', async () => {
  for (const name of ['..', '../x', 'a/../../x', 'selection/../../other/dataset.json', '../strangers2/x']) {
    for (const use of [
      async () => storage.path(name),
      async () => storage.read(name),
      async () => storage.write(name, 'x'),
      async () => storage.remove(name),
      async () => storage.list(name),
    ])
      await expect(use(), name).rejects.toThrow(/leads out of .*: nothing there is read or written/)
  }
  expect(storage.path('a/../b')).toBe(storage.path('b'))
})
