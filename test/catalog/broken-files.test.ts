import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { explainError } from '../../src/base/explain-error.js'
import { UserError } from '../../src/base/user-error.js'
import { check } from '../../src/cli/check.js'
import { query } from '../../src/cli/query.js'
import { round } from '../../src/cli/round.js'
import { stats } from '../../src/cli/stats.js'
import { notePromotion } from '../../src/pipeline/records/note-promotion.js'
import { readRunRecord } from '../../src/pipeline/records/run-record.js'
import { recordPath } from '../../src/rows/family-path.js'
import { committedFile } from '../../src/shards/committed-file.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const never = new AbortController().signal
const record = recordPath('selection', 'dedup', '00000')

/** What files become: cut short by a full disk, emptied by a power cut, another's, or no file. */
const damages: Readonly<Record<string, (bytes: Buffer) => Buffer | string | undefined>> = {
  empty: () => '',
  truncated: (bytes) => bytes.subarray(0, bytes.length >> 1),
  binary: () => Buffer.from([0, 255, 27, 91, 51, 49, 109, 7, 128]),
  list: () => '[]',
  nothing: () => 'null',
  object: () => '{}',
  number: () => '7',
  nested: () => '['.repeat(100_000),
  pointer: () => 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n',
  folder: () => undefined,
}

let run: string
let dataset: string
let storage: Storage
beforeEach(async () => {
  run = await temporaryFolder()
  dataset = join(run, 'd')
  storage = openStorage(dataset)
  await createDataset(storage, { name: 'd', card: null, shards: ['00000'] })
  await putShard(storage, 'selection', 'dedup', '00000', [{ key: 'a', reason: null, duplicate_of: null }])
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockReturnValue(true)
})
afterEach(() => vi.restoreAllMocks())

const readers = {
  stats: () => stats(dataset, { top: 3 }, never),
  'stats --exact': () => stats(dataset, { top: 3, exact: true }, never),
  query: () => query(dataset, 'select count(*) from selection', { format: 'csv', rows: 1 }, never),
  'list of views': () => query(dataset, undefined, { format: 'csv', rows: 1 }, never),
} as const

/** What a command says in the end: the message, where it is one for the user. */
const said = (work: () => Promise<unknown>): Promise<string> =>
  work().then(
    () => 'done',
    (thrown: unknown) => {
      const error = explainError(thrown)
      return error instanceof UserError ? error.message : `not for the user: ${error.stack}`
    },
  )

/** Does something with a file damaged in each way. */
async function withDamages(path: string, use: (damage: string) => Promise<void>) {
  const before = await readFile(path)
  for (const [damage, change] of Object.entries(damages)) {
    const bytes = change(before)
    await rm(path)
    if (bytes === undefined) await mkdir(path)
    else await writeFile(path, bytes)
    await use(damage)
    await rm(path, { recursive: true })
    await writeFile(path, before)
  }
}

describe('a file that is broken', () => {
  it('is named with what it is and what to do: dataset.json', async () => {
    const path = join(dataset, 'dataset.json')
    await withDamages(path, async (damage) => {
      for (const [name, reader] of Object.entries(readers)) {
        const text = await said(reader)
        expect(text, `${damage} ${name}`).toContain(path)
        expect(text, `${damage} ${name}`).toMatch(
          damage === 'folder' ? /is a folder/ : /delete it and run the ingest stage again/,
        )
        expect(text.split('\n'), `${damage} ${name}`).toHaveLength(1)
      }
    })
  })

  it('is named with what it is and what to do: the record of a shard', async () => {
    await withDamages(join(dataset, record), async (damage) => {
      for (const [name, reader] of Object.entries(readers)) {
        const text = await said(reader)
        // A folder is no record: statistics have nothing to add up.
        if (damage === 'folder' && name === 'stats') continue
        expect(text, `${damage} ${name}`).toContain(join(dataset, record))
        expect(text, `${damage} ${name}`).toMatch(
          damage === 'folder'
            ? /is a folder/
            : /is not a commit record \(.+\): delete it, and its shard is made/,
        )
      }
    })
  })

  it('is named with what it is and what to do: the file of a shard', async () => {
    const path = storage.path((await committedFile(storage, 'selection', 'dedup', '00000')).path)
    await withDamages(path, async (damage) => {
      for (const [name, reader] of Object.entries(readers)) {
        // To open DuckDB takes long.
        if (!['truncated', 'folder'].includes(damage) && !(damage === 'binary' && name !== 'query')) continue
        const text = await said(reader)
        if (name === 'stats') expect(text).toBe('done')
        else expect(text, `${damage} ${name}`).toMatch(new RegExp(`${path}.* (?:damaged|is not a file)`))
      }
    })
    await rm(path)
    for (const name of ['stats --exact', 'query', 'list of views'] as const)
      expect(await said(readers[name])).toMatch(/a record names it, and it is not there.*check --mend/)
  })

  it.each(['folder', 'link'])('gives way to a new one where it is no file but a %s', async (what) => {
    const file = (await committedFile(storage, 'selection', 'dedup', '00000')).path
    const outside = join(run, 'outside')
    await writeFile(outside, 'of somebody else')
    for (const aside of [`${file}.damaged`, `${file}.damaged-2`]) {
      await rm(storage.path(file), { force: true })
      if (what === 'link') await symlink(outside, storage.path(file))
      else await mkdir(join(storage.path(file), 'full'), { recursive: true })
      const written = vi.mocked(process.stderr.write)
      written.mockClear()
      expect(await said(() => check(dataset, { mend: true, deep: true }, never))).toBe('done')
      expect(written.mock.calls.map(([text]) => text).join('')).toContain(
        `the next run makes the shard anew; what stood there is ${aside} now`,
      )
      expect(await readFile(outside, 'utf8')).toBe('of somebody else')
      if (what === 'link') expect(await readlink(storage.path(aside))).toBe(outside)
      else expect(await readdir(storage.path(aside))).toEqual(['full'])
      await putShard(storage, 'selection', 'dedup', '00000', [{ key: 'a', reason: null, duplicate_of: null }])
      expect(await said(() => check(dataset, { deep: true }, never))).toBe('done')
    }
    process.exitCode = 0
  })

  it('is named with what it is and what to do: rounds.json', async () => {
    const path = join(run, 'rounds.json')
    const more = () => round('pipelines/self-training.yaml', { dataset: run, count: 1, set: [] }, never)
    await writeFile(path, '{"rounds": 2}')
    await withDamages(path, async (damage) => {
      const text = await said(more)
      expect(text, damage).toContain(path)
      expect(text, damage).toMatch(damage === 'folder' ? /is a folder/ : /: delete it, and say with --count/)
    })
    for (const rounds of ['"2"', '-1', '1.5', 'null', '{}']) {
      await writeFile(path, `{"rounds": ${rounds}}`)
      expect(await said(more), rounds).toMatch(
        /rounds\.json does not say how many rounds \(rounds: .*delete it/,
      )
    }
  })

  it('is no record where a model, an evaluation or a round has it, and check says why', async () => {
    const folder = openStorage(run)
    const made = { stage: 's', configHash: 'c', inputs: {}, result: { ap: 0.5 }, seconds: 1, createdAt: 'x' }
    const name = 'evaluations/a.json'
    await folder.write(name, JSON.stringify(made))
    expect(await readRunRecord(folder, name)).toMatchObject(made)
    const findings = async () => {
      const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
      written.mockClear()
      await check(run, { json: true }, never)
      return written.mock.calls.map(([text]) => text).join('')
    }
    expect(JSON.parse(await findings()).bad).toBe(0)
    await withDamages(join(run, name), async (damage) => {
      if (damage === 'folder') return
      expect(await readRunRecord(folder, name), damage).toBeUndefined()
      expect(await findings(), damage).toMatch(/it is (?:not JSON|no record): /)
      expect(await said(() => stats(run, { top: 3 }, never)), damage).toBe('done')
    })
    for (const file of ['../../../escaped', '/etc/passwd', 'models/../../x', 'a\\..\\b', 'a//b', '']) {
      await folder.write(name, JSON.stringify({ ...made, files: { [file]: 'hash' } }))
      expect(await readRunRecord(folder, name), file).toBeUndefined()
      expect(await findings(), file).toContain('expected names of files in the run')
    }
    // What is no score is not shown as one.
    await folder.write(name, JSON.stringify({ ...made, result: { ap: 'x', attributes: {} } }))
    expect(await said(() => stats(run, { top: 3 }, never))).toBe('done')
    process.exitCode = 0
  })

  it('does not end a promotion without a word: the record of a model', async () => {
    const folder = openStorage(run)
    await folder.write('models/m/README.md', '# m\n')
    await folder.write('models/m/record.json', '{"stage":')
    expect(await said(() => notePromotion(folder, 'models/m', {} as never))).toMatch(
      /models\/m\/record\.json: it is not JSON: .*: delete it, and the next run trains the model again/,
    )
  })
})
