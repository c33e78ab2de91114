import { writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { expect, it, vi } from 'vitest'
import { checkUnfinished } from '../../src/catalog/check-unfinished.js'
import { isBad } from '../../src/catalog/finding.js'
import { readCommit } from '../../src/shards/commit.js'
import { isPartDone, recordOfPart, rowParts } from '../../src/shards/row-parts.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { sweepShards } from '../../src/shards/sweep-shards.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const made = { configHash: 'c', inputs: { images: 'i' } }
const record = 'proposals/label/00000.json'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isText = (value: unknown): value is string => typeof value === 'string'
const collect = async <T>(rows: AsyncIterable<T>) => {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}
const open = async () => openStorage(await temporaryFolder())

it('who goes on finds what was kept, group by group, and goes on behind it', async () => {
  const storage = await open()
  const first = rowParts(storage, record, made, isNumber, 0)
  expect(await collect(first.kept())).toEqual([])
  await first.add([1, 2])
  await first.add([3])
  const second = rowParts(storage, record, made, isNumber, 60_000)
  expect(await collect(second.kept())).toEqual([1, 2, 3])
  await second.add([4])
  // Less than a minute of work: it is kept when the work is stopped.
  expect(await collect(rowParts(storage, record, made, isNumber).kept())).toEqual([1, 2, 3])
  await second.keep()
  expect(await collect(rowParts(storage, record, made, isNumber).kept())).toEqual([1, 2, 3, 4])
  // Of other inputs, or of another configuration, nothing is gone on from.
  for (const other of [
    { ...made, configHash: 'd' },
    { ...made, inputs: { images: 'j' } },
  ])
    expect(await collect(rowParts(storage, record, other, isNumber).kept())).toEqual([])
  await second.remove()
  expect(await storage.list('.')).toEqual([])
})

it('what is damaged, and all behind it, is made again', async () => {
  const storage = await open()
  const parts = rowParts(storage, record, made, isNumber, 0)
  for (const row of [1, 2, 3]) await parts.add([row])
  const [, middle] = await storage.list('.')
  const bytes = Buffer.from((await storage.read(middle as string)) as Uint8Array)
  bytes[bytes.length - 6] = (bytes[bytes.length - 6] as number) ^ 1
  await writeFile(storage.path(middle as string), bytes)
  expect(await collect(rowParts(storage, record, made, isNumber).kept())).toEqual([1])
})

it('a sweep and a check know what is gone on from, and what is left over', async () => {
  const storage = await open()
  const task = { storage, stage: 'label', shard: '00000', ...made }
  const keep = async (of: typeof made, shard = '00000') => {
    await rowParts(storage, `proposals/label/${shard}.json`, of, isNumber, 0).add([1])
  }
  await keep(made)
  await keep(made, '00001')
  expect(await sweepShards(storage, 'proposals', 'label')).toEqual([])
  const seen = async (mend: boolean) => {
    const findings = []
    for await (const file of storage.listFiles('proposals/label'))
      if (recordOfPart(file.name)) findings.push(await checkUnfinished(storage, file, mend))
    return findings.sort((a, b) => ((a?.name ?? '') < (b?.name ?? '') ? -1 : 1))
  }
  expect((await seen(true)).map((finding) => finding && [finding.kind, isBad(finding)])).toEqual([
    ['busy', false],
    ['busy', false],
  ])
  await runShardTask(task, 'proposals', async (write) => ({
    files: { proposals: await write('proposals', [{ key: '0', proposals: [], teacher: 't' }]) },
    ...{ unit: 'phrases', in: 0, out: 0, rejected: {}, stats: emptyStats },
  }))
  // Its process was killed between the commit and the removal; the other shard is not made yet.
  expect((await seen(false)).map((finding) => finding?.kind)).toEqual(['left over', 'busy'])
  // Of another configuration that is being made now, the record is older than the part.
  await keep({ ...made, configHash: 'd' })
  const removed = await sweepShards(storage, 'proposals', 'label')
  expect(removed.map((name) => recordOfPart(name)?.record)).toEqual([record])
  expect((await seen(false)).map((finding) => finding?.kind)).toEqual(['busy', 'busy'])
  const [name = ''] = (await storage.list('proposals/label')).filter(recordOfPart)
  const own = await readCommit(storage, 'proposals', 'label', '00000')
  const modified = Date.parse(own?.createdAt ?? '') - 1
  expect(await isPartDone(storage, { name, modified })).toBe(true)
  // The dataset has lost its shards: nobody will ever go on.
  const file = { name, size: 1, modified: modified + 2 }
  expect(await checkUnfinished(storage, file, false, new Set(['00000']))).toMatchObject({ kind: 'busy' })
  expect(await checkUnfinished(storage, file, true, new Set())).toMatchObject({ mended: 'removed' })
})

it('rows that are none of this work, that are too long, or too many for one text: kept apart, or made again', async () => {
  const storage = await open()
  const parts = rowParts(storage, record, made, isText, 60_000)
  // Of 20 s of a fast teacher one text of JSON would be too long.
  const long = 'x'.repeat(9_000_000)
  for (const row of [long, long, 'c']) await parts.add([row])
  expect((await storage.list('.')).map((name) => name.slice(-7, -5))).toEqual(['00'])
  expect(await collect(rowParts(storage, record, made, isText).kept())).toEqual([long, long])
  expect(await collect(rowParts(storage, record, made, isNumber).kept())).toEqual([])
  const [name = ''] = await storage.list('.')
  for (const text of ['{}', '[]', '[null]', '["a', `["${' '.repeat(7e7)}"]`]) {
    await storage.write(name, gzipSync(text, { level: 1 }))
    expect(await collect(rowParts(storage, record, made, isText).kept())).toEqual([])
  }
})

it('seconds that a kill may lose are given by the environment', async () => {
  vi.stubEnv('GROUNDMILL_KEEP_SECONDS', '0')
  const storage = await open()
  await rowParts(storage, record, made, isNumber).add([1])
  expect(await storage.list('.')).toHaveLength(1)
  vi.stubEnv('GROUNDMILL_KEEP_SECONDS', 'soon')
  expect(() => rowParts(storage, record, made, isNumber)).toThrow(
    'GROUNDMILL_KEEP_SECONDS is "soon": expected the seconds of work that a kill may lose, such as 20.',
  )
  vi.unstubAllEnvs()
})
