import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { tarEnd, tarMember } from '../../src/export/tar-member.js'
import { repeatsWarning } from '../../src/ingest/plan-ingest.js'
import { mostCaptions, mostPairs } from '../../src/ingest/read/join-captions.js'
import { repeatedNames } from '../../src/ingest/read/repeated-names.js'
import type { SourceRow } from '../../src/ingest/read/source-row.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { grain } from '../helpers/odd-images.js'
import { plainRows, planOf, rowsByShards, rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
async function file(ending: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, `list-${count++}${ending}`)
  await writeFile(path, content)
  return path
}
const short = ({ url, captions, problem }: SourceRow) =>
  problem?.reason ?? [url, ...captions.map(({ text }) => text)]

type Pair = readonly [url: string, caption: string]

const db = await (await DuckDBInstance.create()).connect()

/** The same pairs as each kind of list. */
const writers: Readonly<Record<string, (pairs: readonly Pair[]) => Promise<string>>> = {
  tsv: (pairs) => file('.tsv', `url\tcaption\n${pairs.map((pair) => `${pair.join('\t')}\n`).join('')}`),
  csv: (pairs) => file('.csv', `url,caption\n${pairs.map((pair) => `${pair.join(',')}\n`).join('')}`),
  jsonl: (pairs) =>
    file('.jsonl', pairs.map(([url, caption]) => `${JSON.stringify({ url, caption })}\n`).join('')),
  json: (pairs) => file('.json', JSON.stringify(pairs.map(([url, caption]) => ({ url, caption })))),
  parquet: async (pairs) => {
    const path = join(folder, `list-${count++}.parquet`)
    const rows = pairs.map(([url, caption]) => `('${url}', '${caption}')`).join(', ')
    await db.run(`COPY (SELECT * FROM (VALUES ${rows}) t(url, caption)) TO '${path}' (FORMAT parquet)`)
    return path
  },
}

const listed: readonly Pair[] = [
  ['u1', 'a dog'],
  ['u1', 'a brown dog'],
  ['u1', 'a dog'],
  ['u2', 'a cat'],
  ['u1', 'a dog again'],
  ['u3', ''],
  ['u3', 'a cow'],
  ['', 'no address'],
  ['', 'no address'],
]

describe.each(Object.keys(writers))('rows of one address in a %s', (format) => {
  it('are one picture with several captions where they are next to each other', async () => {
    const source = {
      format,
      path: await (writers[format] as (typeof writers)[string])(listed),
      shard_size: 2,
    }
    const rows = await rowsOf(source)
    expect(rows.map(short)).toEqual([
      ['u1', 'a dog', 'a brown dog'],
      ['u2', 'a cat'],
      ['u1', 'a dog again'],
      ['u3', 'a cow'],
      'malformed_row',
      'malformed_row',
    ])
    expect(rows.map(({ pairs }) => pairs)).toEqual([3, 1, 1, 2, 1, 1])
    expect(rows.map(({ dropped }) => dropped).slice(0, 4)).toEqual([
      { repeated_caption: 1 },
      {},
      {},
      { blank_caption: 1 },
    ])
    expect(plainRows(await rowsByShards(source))).toEqual(plainRows(rows))
    const plan = await planOf(source)
    expect(plan.shards.map(({ rows }) => rows)).toEqual([2, 2, 2])
    expect(plan.repeated).toBe(1)
    expect(repeatsWarning(plan)).toMatch(/^1 row names a picture that an earlier row, not next to it,/)
    expect((await planOf({ ...source, part: { to: 1 } })).repeated).toBe(1)
    const apart = { ...source, join: 'no' }
    expect(await rowsOf(apart)).toHaveLength(9)
    expect(plainRows(await rowsByShards(apart))).toEqual(plainRows(await rowsOf(apart)))
    const { repeated, shards } = await planOf(apart)
    expect(repeated).toBeUndefined()
    // Another list that has the same rows in a shard, joined or not, is not taken for it.
    expect(shards[0]?.hash).not.toBe(plan.shards[0]?.hash)
  })

  it('leave shards without any as they were before rows joined', async () => {
    const alone = listed.filter(([url], at) => at === 0 || (url !== '' && listed[at - 1]?.[0] !== url))
    const source = { format, path: await (writers[format] as (typeof writers)[string])(alone), shard_size: 2 }
    const { shards } = await planOf({ ...source, join: 'no' })
    expect((await planOf(source)).shards).toEqual(shards)
  })
})

describe('a long list', () => {
  const cell = fc.constantFrom('u1', 'u1', 'u2', 'http://é/🦓', ' ', '', 'u1\r', '\u2003')
  const line = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(cell, fc.constantFrom('a', 'b', '', '  ')).map((cells) => cells.join('\t')),
    },
    fc.constantFrom('u1', '', 'u1\ta\tb', `u1\t${'x'.repeat(1 << 20)}`, `${'y'.repeat(3 << 19)}\ta`),
  )

  it('is planned by its lines as its rows join', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.constantFrom('\n', '\r\n', '\r\r\n'),
        fc.boolean(),
        async (lines, end, isFirst) => {
          const columns = isFirst ? { url: 0, caption: 1 } : { url: 1, caption: 0 }
          const own = isFirst ? lines : lines.map((one) => one.split('\t').reverse().join('\t'))
          const path = await file('.tsv.gz', gzipSync(`\uFEFF${own.join(end)}${end}`, { level: 1 }))
          const source = { format: 'tsv', header: false, columns, path, shard_size: 2 }
          expect(plainRows(await rowsByShards(source))).toEqual(plainRows(await rowsOf(source)))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('of one picture is bounded', async () => {
    const pairs = Array.from({ length: mostCaptions + 7 }, (_, at): Pair => ['u1', `caption ${at}`])
    const [row, ...more] = await rowsOf({
      format: 'csv',
      path: await (writers.csv as (typeof writers)[string])(pairs),
    })
    expect(more).toEqual([])
    expect(row).toMatchObject({ pairs: mostCaptions + 7, dropped: { excess_caption: 7 } })
    expect(row?.captions).toHaveLength(mostCaptions)
  })

  it.each(['tsv', 'jsonl', 'parquet'])(
    'of a %s makes one picture of so many rows, and the next of those behind',
    async (format) => {
      const count = 2 * mostPairs + 5
      const path = join(folder, `many.${format}`)
      if (format === 'tsv') await writeFile(path, `url\tcaption\n${'u1\ta dog\n'.repeat(count)}`)
      else if (format === 'jsonl') await writeFile(path, '{"url":"u1","caption":"a dog"}\n'.repeat(count))
      else
        await db.run(
          `COPY (SELECT 'u1' url, 'a dog' caption FROM range(${count})) TO '${path}' (FORMAT parquet)`,
        )
      const source = { format, path, shard_size: 1 }
      const rows = await rowsOf(source)
      expect(rows.map(({ pairs }) => pairs)).toEqual([mostPairs, mostPairs, 5])
      expect((await planOf(source)).repeated).toBeUndefined()
      expect(plainRows(await rowsByShards(source))).toEqual(plainRows(rows))
    },
  )

  it('has its limit in pictures', async () => {
    const path = await (writers.tsv as (typeof writers)[string])(listed)
    const { rows, shards } = await planOf({ format: 'tsv', path, limit: 1 })
    expect([rows, shards.length]).toEqual([1, 1])
  })
})

it('counts names that come again among many', () => {
  const names = repeatedNames()
  for (let at = 0; at < 20_000; at++) names.add(`http://host.example/${at}.jpg`)
  for (let at = 0; at < 20_000; at += 2) names.add(`http://host.example/${at}.jpg`)
  expect(names.count).toBe(10_000)
})

it('counts long names by their ends', () => {
  const names = repeatedNames()
  const long = 'x'.repeat(1e6)
  for (const name of [long, `${long}y`, `z${long.slice(1)}`, long, Buffer.from(long)]) names.add(name)
  expect(names.count).toBe(2)
})

describe('ids', () => {
  it('of a column join rows, and are kept', async () => {
    const text = 'image_id\turl\tcaption\n7\ta\tx\n7\tb\ty\n\tb\tz\n\tb\tz\n'
    const columns = { id: 'image_id' }
    for (const format of ['tsv', 'csv']) {
      const path = await file(`.${format}`, format === 'csv' ? text.replaceAll('\t', ',') : text)
      const source = { format, path, columns, shard_size: 1 }
      const rows = await rowsOf(source)
      expect(rows.map(short)).toEqual([
        ['a', 'x', 'y'],
        ['b', 'z'],
        ['b', 'z'],
      ])
      expect(rows[0]?.meta).toEqual({ id: '7' })
      expect(plainRows(await rowsByShards(source))).toEqual(plainRows(rows))
    }
  })

  it('of a Parquet file join pictures that it holds', async () => {
    const bytes = await grain(20, 20).png().toBuffer()
    const blob = `{bytes: from_hex('${bytes.toString('hex')}'), path: NULL}`
    const path = join(folder, 'held.parquet')
    const rows = [1, 1, 2].map((id, at) => `SELECT ${id} AS n, ${blob} AS image, 'c${at}' AS caption`)
    await db.run(`COPY (${rows.join(' UNION ALL ')}) TO '${path}' (FORMAT parquet)`)
    const { images, records } = await ingestAll(join(folder, 'held'), {
      format: 'parquet',
      path,
      columns: { id: 'n' },
    })
    expect(images.map(({ meta, captions }) => [meta, captions.length])).toEqual([
      ['{"id":1}', 2],
      ['{"id":2}', 1],
    ])
    expect(records[0]).toMatchObject({ in: 2, out: 2, stats: { tallies: { joined: { pairs: 1 } } } })
  })
})

describe('a WebDataset', () => {
  it('whose keys come again has one picture with several captions', async () => {
    const picture = await grain(20, 20).png().toBuffer()
    const members = [
      ['a.png', picture],
      ['a.txt', Buffer.from('one')],
      ['a.png', picture],
      ['a.txt', Buffer.from('two')],
      ['b.png', picture],
      ['b.txt', Buffer.from('three')],
    ] as const
    const tar = Buffer.concat([...members.flatMap(([name, bytes]) => tarMember(name, bytes)), tarEnd])
    const path = await file('.tar', tar)
    const dataset = join(folder, 'tar')
    const { images, storage } = await ingestAll(dataset, { format: 'webdataset', path })
    expect(images.map(({ captions }) => captions.map(({ text }) => text))).toEqual([
      ['one', 'two'],
      ['three'],
    ])
    expect(await datasetFunnel(storage)).toMatchObject([{ unit: 'pictures', in: 2, out: 2, joined: 1 }])
    const [row] = await rowsOf({ format: 'webdataset', path, join: 'no' })
    expect(row?.problem?.reason).toBe('duplicate_member')
  })
})
