import { readdir, readFile, rename, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { csvLine, jsonValue, tableCell } from '../../src/query/format-rows.js'
import { listViews, type QueryOptions, runQuery } from '../../src/query/run-query.js'
import { recordPath } from '../../src/rows/family-path.js'
import { committedFile } from '../../src/shards/committed-file.js'
import { createDataset } from '../../src/shards/dataset.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { startGroundmill } from '../helpers/groundmill.js'
import { putShard } from '../helpers/put-shard.js'
import { runCommand } from '../helpers/run-command.js'
import { s3Server } from '../helpers/s3-server.js'
import { makeSmallDataset } from '../helpers/small-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let url: string
let storage: Storage
beforeAll(async () => {
  const made = await makeSmallDataset()
  url = made.url
  storage = made.storage
})

const ask = (sql: string, options: QueryOptions = {}, of = storage) =>
  runQuery(of, sql, options, async ({ columns, rows }) => {
    const all: Record<string, unknown>[] = []
    for await (const chunk of rows)
      for (const row of chunk)
        all.push(Object.fromEntries(columns.map((name, at) => [name, jsonValue(row[at])])))
    return all
  })

const shards = ['00000', '00001', '00002']
const waiting = { timeout: 60_000, interval: 20 }

/**
 * Hundredths of a second for which a process had a processor. Where the system has no /proc, as if it had had
 * one.
 */
async function processorTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat === undefined) return performance.now() / 10
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

describe('views', () => {
  it('have what the shards have: captions, phrases, proposals, regions with their words, rejects', async () => {
    const expected = []
    for (const shard of shards) {
      const grounding = readShard(storage, 'grounding', 'round-1', shard)
      for await (const { key, captions } of readShard(storage, 'images', null, shard)) {
        const row = (await grounding.next()).value
        for (const { caption, phrase, start, end, xyxy, score, origin } of row?.regions ?? []) {
          const text = [...captions[caption].text].slice(start, end).join('')
          const [x1, y1, x2, y2] = xyxy
          expected.push({ key, caption, phrase, start, end, score, origin, area: null, x1, y1, x2, y2, text })
        }
      }
      expect((await grounding.next()).done).toBe(true)
    }
    const order = 'order by key, caption, phrase, score desc, x1, y2'
    const found = await ask(`select * from grounding_round_1 ${order}`)
    expect(expected.length).toBeGreaterThan(50)
    expect(found.length).toBe(expected.length)
    for (const row of expected) expect(found).toContainEqual(row)
    const all = await ask(
      'select stage, count(*) as regions, max(score) as best from grounding group by stage order by stage',
    )
    expect(all.map(({ stage }) => stage)).toEqual(['round-1', 'round-2', 's'])
    expect(all[0].regions).toBe(expected.length)

    const [{ images, captions }] = await ask(
      'select (select count(*) from images) as images, (select count(*) from captions) as captions',
    )
    expect(images).toBe(30)
    expect(captions).toBeGreaterThan(30)
    // A phrase is its caption's words.
    const wrong = await ask(
      'select * from phrases p join captions c using (key, caption) where p.text <> substring(c.text, p.start + 1, p."end" - p.start)',
    )
    expect(wrong).toEqual([])
    const proposals = await ask(
      'select stage, teacher, min(phrase) as least from proposals group by all order by 1',
    )
    expect(proposals).toEqual([
      { stage: 'label-1', teacher: 'guesser-1', least: 0 },
      { stage: 'label-2', teacher: 'guesser-2', least: 0 },
    ])
    const [{ reasons }] = await ask(
      "select list_sort(list(distinct reason)) as reasons from rejects where stage = 'round-1'",
    )
    expect(reasons).toEqual(['score'])
  })

  it('say of rejects how many they are, which is what the funnel says', async () => {
    const counted = await ask(
      'select stage, reason, sum(count) as count, count(*) as rows from rejects group by all order by all',
    )
    const told = (await datasetFunnel(storage)).flatMap(({ stage, rejected }) =>
      Object.entries(rejected).map(([reason, count]) => ({ stage, reason, count })),
    )
    expect(counted.map(({ rows: _, count, ...reject }) => ({ ...reject, count: Number(count) }))).toEqual(
      told.sort((a, b) => (`${a.stage} ${a.reason}` < `${b.stage} ${b.reason}` ? -1 : 1)),
    )
    // A filter has a row a picture and rule.
    expect(
      counted.some(({ stage, rows, count }) => stage === 'round-1' && Number(rows) < Number(count)),
    ).toBe(true)
  })

  it('have the boxes that evaluation passes over, a row each, also where a file has no such column', async () => {
    const folder = openStorage(await temporaryFolder())
    await createDataset(folder, { name: 'data', card: null, shards: ['00000'] })
    const crowd = { text: 'dog', xyxy: [0, 0.5, 10, 20] as const, area: 99.5, crowd: true }
    const rows = [
      { key: 'a', regions: [], ignored: [crowd, { ...crowd, text: 'cat', crowd: false }] },
      { key: 'b', regions: [] },
    ]
    await putShard(folder, 'grounding', 'gold', '00000', rows)
    const sql = 'select * from ignored_gold order by text'
    expect(await ask(sql, {}, folder)).toEqual([
      { key: 'a', text: 'cat', x1: 0, y1: 0.5, x2: 10, y2: 20, area: 99.5, crowd: false },
      { key: 'a', text: 'dog', x1: 0, y1: 0.5, x2: 10, y2: 20, area: 99.5, crowd: true },
    ])
    const file = (await committedFile(folder, 'grounding', 'gold', '00000')).path
    const connection = await (await DuckDBInstance.create()).connect()
    const path = folder.path(file)
    await connection.run(`copy (select key, regions from '${path}') to '${path}.old' (format parquet)`)
    await rename(`${path}.old`, path)
    expect(await ask(sql, {}, folder)).toEqual([])
  })

  it('have the bytes of pictures only where they are asked for', async () => {
    await expect(ask('select image from images')).rejects.toThrow(/column "image" not found/)
    const [{ bytes }] = await ask("select image.bytes as bytes from images where key = '000000003'", {
      withImages: true,
    })
    expect(Buffer.from(String(bytes), 'base64').subarray(0, 3).toString('hex')).toMatch(/ffd8ff|89504e/)
    const columns = async (withImages: boolean) =>
      (await listViews(storage, { withImages }))
        .find(({ name }) => name === 'images')
        ?.columns.map(({ name }) => name)
    expect(await columns(false)).not.toContain('image')
    expect(await columns(true)).toContain('image')
  })

  it('read only shards that have a record, and those of older versions too', async () => {
    const record = storage.path(recordPath('proposals', 'label-2', '00001'))
    const kept = await readFile(record)
    const count = async () => (await ask('select count(*) as n from proposals_label_2'))[0].n as number
    const all = await count()
    await unlink(record)
    const without = await count()
    await writeFile(record, kept)
    expect(without).toBeLessThan(all)
    expect(await count()).toBe(all)
  })

  it('work in a folder whose name has signs that patterns have', async () => {
    const folder = join(await temporaryFolder(), "it's [a] *?")
    await symlink(url, folder)
    expect(await ask('select count(*) as n from images', {}, openStorage(folder))).toEqual([{ n: 30 }])
  })
})

describe('a query', () => {
  it('reads nothing else and changes nothing', async () => {
    const shard = storage.path((await committedFile(storage, 'images', null, '00000')).path)
    const outside = join(await temporaryFolder(), 'secret.csv')
    await writeFile(outside, 'a\nsecret\n')
    const before = await stat(shard)
    const refused = [
      `select * from '${outside}'`,
      `select * from read_csv('${outside}')`,
      `select * from read_text('${outside}')`,
      `select content from read_blob('${outside}')`,
      `select * from glob('${outside}')`,
      "select * from read_parquet('https://127.0.0.1:1/x.parquet')",
      // A file of the dataset that has nothing to do with the query.
      `select * from read_text('${storage.path('dataset.json')}')`,
      `copy (select * from images) to '${shard}'`,
      `copy images to '${outside}'`,
      `explain analyze copy (select 1) to '${shard}'`,
      `export database '${outside}'`,
      `attach '${outside}.db'`,
      'create table images2 as select * from images',
      'insert into images values (1)',
      'drop view images',
      'set enable_external_access = true',
      'pragma enable_external_access',
      'reset lock_configuration',
      'load httpfs',
      'install httpfs',
      'call pragma_version()',
      'select 1; drop view images',
      '',
      'selec 1',
      'select nothing from images',
      'select * from nothing',
      'select cast(key as date) from images',
      'select error(key) from images',
    ]
    for (const sql of refused) {
      const error = await ask(sql).catch((thrown: unknown) => thrown)
      expect(error, sql).toBeInstanceOf(UserError)
      expect((error as Error).message, sql).not.toMatch(/secret\n/)
    }
    expect(await readFile(outside, 'utf8')).toBe('a\nsecret\n')
    expect((await stat(shard)).mtimeMs).toBe(before.mtimeMs)
    await expect(ask('select * from nothing')).rejects.toThrow(
      /Table with name nothing does not exist!\nLINE 1.*\n.*\nViews: images, captions, phrases, phrases_/,
    )
  })

  it('that fails quotes what is in the dataset without what would do something to a terminal', async () => {
    // Of one row: of several, DuckDB's threads may quote any.
    const first = '(select min(key) as key from images)'
    const hostile = `select cast(chr(27) || ']0;title' || chr(8238) || key as integer) from ${first}`
    const error = await ask(hostile).catch((thrown: Error) => thrown)
    expect(error).toBeInstanceOf(UserError)
    expect((error as Error).message).toMatch(
      /Could not convert string '\ufffd\]0;title\ufffd00000.*'[^\n]*\nLINE 1: /,
    )
  })

  it('that fails on a late row fails, whatever it has given before', async () => {
    const late =
      'select cast(case when i = 300000 then key else i::varchar end as integer) from images, range(20000) r(i)'
    const odd = late.replace('key', "'no number'").replace('range(20000)', 'range(300001)')
    let seen = 0
    const counted = (sql: string) =>
      runQuery(storage, sql, {}, async ({ rows }) => {
        for await (const chunk of rows) seen += chunk.length
      })
    await counted(late)
    expect(seen).toBe(600_000)
    seen = 0
    await expect(counted(`${odd} where key = '000000000' -- so far; and no further`)).rejects.toThrow(
      /^The query cannot be run: Conversion Error: Could not convert string 'no number'/,
    )
    expect(seen).toBeGreaterThan(0)
  })

  it('gives rows while it makes them, and stops where it is told to', async () => {
    const million = 'select a.key from images a, images b, images c, images d, images e'
    const stop = new AbortController()
    let seen = 0
    const running = runQuery(storage, million, { signal: stop.signal }, async ({ rows }) => {
      for await (const chunk of rows) {
        seen += chunk.length
        if (seen > 5000) stop.abort(new Error('enough'))
      }
    })
    await expect(running).rejects.toThrow('enough')
    expect(seen).toBeLessThan(1_000_000)
  })
})

describe('groundmill query', () => {
  it('prints a table, CSV, JSON, or a line of JSON a row', async () => {
    const sql = 'select key, captions, 0.5::float as half, null as nothing from images order by key limit 2'
    const table = await runCommand('query', url, sql)
    expect(table).toMatchObject({ code: 0, err: '' })
    expect(table.out).toMatch(/^ *key +captions +half +nothing\n─/)
    expect(table.out.split('\n')).toHaveLength(5)
    const one = JSON.parse((await runCommand('query', url, sql, '--json')).out)
    expect(one).toMatchObject([{ key: '000000000', half: 0.5, nothing: null }, { key: '000000001' }])
    const lines = (await runCommand('query', url, sql, '--format', 'jsonl')).out.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(one)
    const { out } = await runCommand('query', url, sql, '--format', 'csv')
    expect(out.split('\r\n')[0]).toBe('key,captions,half,nothing')
    expect(out.split('\r\n')[1]).toMatch(/^000000000,"\[\{""text"":"".*\}\]",0\.5,$/)
    const short = await runCommand('query', url, 'select * from phrases', '--rows', '3')
    expect(short.out.split('\n')).toHaveLength(6)
    expect(short.err).toMatch(/These are the first 3 rows/)
    const views = await runCommand('query', url)
    expect(views.out).toMatch(/\ngrounding_round_1 +grounding of round-1 +key, caption, /)
  })

  it('says in one message what is wrong, and ends with 2', async () => {
    const wrong = await runCommand('query', url, 'select * from nothing')
    expect(wrong).toMatchObject({ code: 2, out: '' })
    expect(wrong.err).toMatch(/^groundmill: The query cannot be run: Catalog Error: Table with name nothing/)
  })

  it('is interrupted by Ctrl-C', async () => {
    const endless = 'select count(*) from range(100000000000) a, images b where a.range % 7 = 3'
    // The query runs once DuckDB has its folder for temporary files, and works on for a while after that.
    const folder = await temporaryFolder()
    const running = startGroundmill(['query', url, endless], { env: { ...process.env, TMPDIR: folder } })
    const pid = running.child.pid as number
    await vi.waitUntil(async () => (await readdir(folder)).some((name) => name.includes('duckdb')), waiting)
    const before = await processorTicks(pid)
    await vi.waitUntil(async () => (await processorTicks(pid)) > before + 20, waiting)
    running.signal('SIGINT')
    const { code, out } = await running.ended
    expect({ code, out }).toEqual({ code: 130, out: '' })
  })
})

describe('a dataset of a bucket', () => {
  it('is not queried, with words that say what to do', async () => {
    const server = await s3Server()
    const bucket = openStorage(server.url('data'))
    await createDataset(bucket, { name: 'data', card: null, shards: [] })
    await expect(ask('select 1', {}, bucket)).rejects.toThrow(/not on this machine.*aws s3 sync/)
  })
})

describe('cells', () => {
  it('do nothing to a terminal, and go through CSV and JSON unchanged', () => {
    expect(tableCell('\u001b[31mred\u202e\n')).toBe('\ufffd[31mred\ufffd\ufffd')
    expect(tableCell('x'.repeat(100))).toBe(`${'x'.repeat(59)}…`)
    expect(tableCell(0.123456789)).toBe('0.123457')
    expect(csvLine(['a,b', 'say "x"', 'two\nlines', null, 2n, [1, 'x']])).toBe(
      '"a,b","say ""x""","two\nlines",,2,"[1,""x""]"\r\n',
    )
    expect(
      jsonValue({ big: 2n ** 60n, bad: Number.NaN, at: new Date(0), bytes: new Uint8Array([1, 2]) }),
    ).toEqual({
      ...{ big: '1152921504606846976', bad: null },
      ...{ at: '1970-01-01T00:00:00.000Z', bytes: 'AQI=' },
    })
  })
})
