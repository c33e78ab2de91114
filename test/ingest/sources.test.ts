import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import fc from 'fast-check'
import * as parquet from 'parquet-wasm'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { ingestConfig } from '../../src/ingest/config.js'
import type { SourceRow } from '../../src/ingest/read/source-row.js'
import { claimingParquet } from '../helpers/claiming-parquet.js'
import { planOf, rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
async function file(extension: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, `list-${count++}.${extension}`)
  await writeFile(path, content)
  return path
}
const short = ({ url, captions, problem }: SourceRow) => problem?.reason ?? [url, captions[0].text]

describe('a TSV', () => {
  it('takes each line as it is written', async () => {
    const lines = [
      '\uFEFFcaption\turl\textra',
      '"quoted" and \'half\tu1\tx',
      'no extra\tu2',
      '  spaces kept \tu3\t\t\tmore',
      '',
      'only caption',
      '\tu4',
      'crlf 🦓 é\tu5\r',
      'last without end\tu6',
    ]
    const path = await file('tsv', lines.join('\n'))
    const rows = await rowsOf({ format: 'tsv', path })
    expect(rows.map(short)).toEqual([
      ['u1', '"quoted" and \'half'],
      ['u2', 'no extra'],
      ['u3', '  spaces kept '],
      'malformed_row',
      'malformed_row',
      'empty_caption',
      ['u5', 'crlf 🦓 é'],
      ['u6', 'last without end'],
    ])
    expect(rows[4].problem?.detail).toBe(`${path}:6: 1 column, 2 needed`)
  })

  it('has rejects for lines that are too long or not UTF-8', async () => {
    const long = `${'x'.repeat(1 << 20)}\tu`
    const path = await file(
      'tsv',
      Buffer.concat([Buffer.from(`${long}\ncaf\xe9\tu\n`, 'latin1'), Buffer.from('c\tu')]),
    )
    const rows = await rowsOf({ format: 'tsv', path, header: false, columns: { caption: 0, url: 1 } })
    expect(rows.map(({ problem }) => problem?.detail.split(': ')[1])).toEqual([
      'line over 1 MiB',
      'not UTF-8',
      undefined,
    ])
    expect(rows.map(({ mark }) => mark.line)).toEqual([1, 2, 3])
  })

  it('says what it has instead of a column', async () => {
    const path = await file('tsv', 'link\ttext\na\tb')
    const read = (columns: object, header = true) => rowsOf({ format: 'tsv', path, columns, header })
    await expect(read({ url: 'link', caption: 'words' })).rejects.toThrow(
      `${path} has no column "words"; it has: link, text.`,
    )
    await expect(read({ url: 0, caption: 2 })).rejects.toThrow('has no column "2"; it has: link, text.')
    await expect(read({ url: 'link', caption: 1 }, false)).rejects.toThrow('name its columns by number')
    expect((await read({ url: 0, caption: 'text' })).map(short)).toEqual([['a', 'b']])
  })

  it('without rows is said to have none', async () => {
    for (const text of ['url\tcaption', 'url\tcaption\n']) {
      const path = await file('tsv', text)
      await expect(planOf({ format: 'tsv', path })).rejects.toThrow(`${path} has no rows`)
    }
  })
})

describe('a JSONL', () => {
  it('is read with a byte order mark, and its keys are its own', async () => {
    const path = await file(
      'jsonl',
      '\uFEFF{"url": "u", "caption": "c"}\n"text"\n{"url": 5, "caption": "c"}\n',
    )
    expect((await rowsOf({ format: 'jsonl', path })).map(short)).toEqual([
      ['u', 'c'],
      'malformed_row',
      'malformed_row',
    ])
    const columns = { url: 'constructor', caption: 'caption' }
    await expect(rowsOf({ format: 'jsonl', path, columns })).rejects.toThrow('has no key "constructor"')
  })
})

describe('a Parquet file', () => {
  it('written by another program is read, group by group', async () => {
    const path = join(folder, 'duck.parquet')
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    await connection.run(
      `COPY (SELECT {'w': i, 'h': [i]} AS size, 'u' || i AS "URL",
        CASE WHEN i % 1000 = 7 THEN NULL WHEN i % 1000 = 8 THEN 'é🦓' ELSE 'c' || i END AS "TEXT"
        FROM range(7000) t(i)) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
    )
    connection.closeSync()
    const source = { format: 'parquet', path, columns: { url: 'URL', caption: 'TEXT' } }
    const rows = await rowsOf(source)
    expect(rows.length).toBe(7000)
    expect(rows.slice(5005, 5010).map(short)).toEqual([
      ['u5005', 'c5005'],
      ['u5006', 'c5006'],
      'empty_caption',
      ['u5008', 'é🦓'],
      ['u5009', 'c5009'],
    ])
    const later = await rowsOf(source, rows[5000].mark)
    expect(later).toEqual(rows.slice(5000))
    const numbered = await rowsOf({ ...source, columns: { url: 1, caption: 2 } }, rows[6990].mark)
    expect(numbered).toEqual(rows.slice(6990))
    await expect(rowsOf({ format: 'parquet', path })).rejects.toThrow(
      `${path} has no column "url"; it has: size, URL, TEXT.`,
    )
  })

  it('that is cut or damaged is named', async () => {
    const table = tableFromArrays({ url: ['u'], caption: ['c'.repeat(50)] })
    const bytes = parquet.writeParquet(parquet.Table.fromIPCStream(tableToIPC(table, 'stream')))
    const cut = await file('parquet', bytes.subarray(0, bytes.length >> 1))
    const broken = await file('parquet', Buffer.from(bytes).fill(255, 4, 40))
    for (const path of [cut, broken]) {
      const read = rowsOf({ format: 'parquet', path })
      await expect(read).rejects.toThrow(UserError)
      await expect(read).rejects.toThrow(`${path} is damaged`)
      await expect(read).rejects.not.toThrow('record')
    }
    await expect(rowsOf({ format: 'parquet', path: join(folder, 'no.parquet') })).rejects.toThrow(
      /Cannot read/,
    )
  })

  it('is told of in one line, whatever its columns are called', async () => {
    const page = { bytes: Buffer.from([1, 0, 0, 0, 97]), values: 1 }
    const names = ['url', `cap\r\n${'t'.repeat(3000)}ions`] as const
    const bytes = claimingParquet({
      elements: names.map((name) => ({ name, repetition: 0 as const })),
      columns: [{ path: ['url'], pages: [page] }],
      rows: 1,
    })
    const path = await file('parquet', bytes)
    const { message } = (await rowsOf({ format: 'parquet', path, columns: { caption: names[1] } }).catch(
      (error: unknown) => error,
    )) as Error
    expect(message).toMatch(/is damaged: column cap t+… is missing$/)
    expect(message.length).toBeLessThan(400)
  })
})

describe('a folder', () => {
  it('has captions beside its pictures and in a list', async () => {
    const path = join(folder, 'pictures')
    await mkdir(join(path, 'deep'), { recursive: true })
    for (const name of ['b.jpg', 'deep/c.PNG', 'd.webp']) await writeFile(join(path, name), 'x')
    await writeFile(join(path, 'b.txt'), 'a red wall\n\nanother caption\n')
    await writeFile(
      join(path, 'metadata.jsonl'),
      [
        '{"file_name": "deep/c.PNG", "text": "listed"}',
        'nonsense',
        '{"file_name": "b.jpg", "text": "listed too"}',
        '{"file_name": "lost.jpg", "text": "lost"}',
        '{"file_name": "b.jpg"}',
      ].join('\n'),
    )
    const rows = await rowsOf({ format: 'folder', path })
    expect(rows.map((row) => row.problem?.reason ?? row.captions.map(({ text }) => text))).toEqual([
      ['listed too', 'a red wall', 'another caption'],
      'empty_caption',
      ['listed'],
      'malformed_row',
      'missing_file',
    ])
    expect(rows[0].dropped).toEqual({ blank_caption: 1 })
    expect(rows[3].problem?.detail).toContain('metadata.jsonl:2')
    expect(await rowsOf({ format: 'folder', path }, rows[2].mark)).toEqual(rows.slice(2))

    await writeFile(join(path, 'e.bmp'), 'x')
    await writeFile(join(path, 'e.txt'), 'of a Mac\rand of\r\r\nWindows')
    expect((await rowsOf({ format: 'folder', path }))[3].captions.map(({ text }) => text)).toEqual([
      'of a Mac',
      'and of',
      'Windows',
    ])

    const columns = { url: 'file_name', caption: 'words' }
    await expect(rowsOf({ format: 'folder', path, columns })).rejects.toThrow(
      /metadata\.jsonl:1 has no key "words"; it has: file_name, text/,
    )
    await expect(rowsOf({ format: 'folder', path: join(folder, 'none') })).rejects.toThrow(/Cannot read/)
  })
})

describe('a plan', () => {
  it('cuts any list into shards that read what the whole reads', async () => {
    const cell = fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .map((text) => text.replaceAll(/[\t\r\n]/g, ' '))
    const line = fc.oneof(
      fc.tuple(cell, cell).map((cells) => cells.join('\t')),
      cell,
    )
    const end = fc.constantFrom('\n', '\r\n')
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 30 }),
        end,
        fc.boolean(),
        fc.integer({ min: 1, max: 7 }),
        async (lines, newline, closed, shard_size) => {
          const path = await file(
            'tsv',
            `url\tcaption${newline}${lines.join(newline)}${closed ? newline : ''}`,
          )
          const config = ingestConfig.parse({ format: 'tsv', path, shard_size })
          const whole = await rowsOf(config)
          fc.pre(whole.length > 0)
          const plan = await planOf(config)
          expect(plan.rows).toBe(whole.length)
          const parts: SourceRow[] = []
          for (const { mark, rows } of plan.shards) parts.push(...(await rowsOf(config, mark)).slice(0, rows))
          expect(parts).toEqual(whole)
          // Each row's mark is where its line begins.
          const bytes = await readFile(path)
          for (const { mark } of whole) expect(bytes[mark.at - 1]).toBe(10)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('refuses shards whose keys would need more digits', () => {
    expect(ingestConfig.safeParse({ shard_size: 10_000 }).success).toBe(true)
    expect(ingestConfig.safeParse({ shard_size: 10_001 }).success).toBe(false)
  })
})
