import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, it } from 'vitest'
import type { SourceRow } from '../../src/ingest/read/source-row.js'
import { rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0

/** A folder of files: what is no text is a picture, which nobody looks into here. */
async function holding(files: Readonly<Record<string, string | null>>): Promise<string> {
  const path = join(folder, String(count++))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    await writeFile(join(path, name), text ?? 'x')
  }
  return path
}
const short = ({ captions, problem }: SourceRow) => problem?.reason ?? captions.map(({ text }) => text)
const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

it.each([
  ['text', ['one', 'two']],
  ['caption', ['one', 'two']],
  ['captions', ['one', 'two']],
])('metadata.jsonl has captions under %s, a text or a list', async (key, texts) => {
  const path = await holding({
    'a.jpg': null,
    'b.jpg': null,
    'metadata.jsonl': lines([
      { file_name: 'a.jpg', [key]: texts },
      { file_name: 'b.jpg', [key]: 'alone', by: 'me', n: 7, licence: 'CC0' },
      { file_name: 'a.jpg', [key]: ['two', 'three'] },
    ]),
  })
  const rows = await rowsOf({ format: 'folder', path, columns: undefined })
  expect(rows.map(short)).toEqual([['one', 'two', 'three'], ['alone']])
  expect(rows[0]?.dropped).toEqual({ repeated_caption: 1 })
})

it('metadata.csv of each folder names files from there, and what else is asked for is kept', async () => {
  const path = await holding({
    'train/a.jpg': null,
    'train/deep/b.jpg': null,
    'test/a.jpg': null,
    'test/c.jpg': null,
    'train/metadata.csv':
      'file_name,caption,image_id,by\na.jpg,"a dog, brown",7,me\ndeep\\b.jpg,a cat,8,you\nlost.jpg,x,9,z\n',
    'test/metadata.csv': 'image_id,file_name,caption,by\n17,./a.jpg,a cow,him\n18,c.jpg,,her\n',
  })
  const columns = { id: 'image_id', license: 'by', meta: ['by'] }
  const rows = await rowsOf({ format: 'folder', path, columns })
  expect(rows.map(short)).toEqual([['a cow'], 'empty_caption', ['a dog, brown'], ['a cat'], 'missing_file'])
  expect(rows.map(({ meta, license }) => [meta, license]).slice(0, 4)).toEqual([
    [{ file_name: 'test/a.jpg', id: '17', by: 'him' }, 'him'],
    [{ file_name: 'test/c.jpg', id: '18', by: 'her' }, 'her'],
    [{ file_name: 'train/a.jpg', id: '7', by: 'me' }, 'me'],
    [{ file_name: 'train/deep/b.jpg', id: '8', by: 'you' }, 'you'],
  ])
  expect(rows.at(-1)?.problem?.detail).toMatch(
    /train\/metadata\.csv:4: there is no picture .*train\/lost\.jpg/,
  )
  await expect(rowsOf({ format: 'folder', path, columns: { caption: 'words' } })).rejects.toThrow(
    /metadata\.csv:2 has no key "words"; it has: image_id, file_name, caption, by\. Name another in columns\.caption/,
  )
})

it('names that a list has in another way than the folder, empty lines, rows without a caption', async () => {
  const path = await holding({ 'cafe\u0301.jpg': null, 'a b.jpg': null, 'c.jpg': null })
  const rows = [
    { file_name: 'caf\u00e9.jpg', text: 'accent' },
    { file_name: `${path.split('/').at(-1)}/a%20b.jpg`, text: ['', 'two words'] },
    { file_name: join(path, 'c.jpg'), text: 'whole path' },
    { file_name: ' c.jpg', text: ' ' },
    { file_name: '../c.jpg', text: 'elsewhere' },
    { file_name: ['c.jpg'], text: 'a list' },
  ]
  await writeFile(join(path, 'metadata.jsonl'), `\ufeff\r\n${lines(rows).replaceAll('\n', '\r\n\r\n')}`)
  const found = await rowsOf({ format: 'folder', path })
  expect(found.map(short)).toEqual([
    ['two words'],
    ['whole path'],
    ['accent'],
    ...['missing_file', 'malformed_row'],
  ])
  // As rows of a list of pairs are counted.
  expect(found[1]?.dropped).toEqual({ blank_caption: 1 })
})

it('all lists of a folder are read; one without captions where there are others', async () => {
  const labels = { 'metadata.csv': 'file_name,id\n\na.jpg,7\n' }
  const columns = { id: 'id' }
  const both = await holding({
    ...{ 'a.jpg': null, 'b.jpg': null, ...labels },
    'captions.jsonl': lines([{ file_name: 'a.jpg', text: 'a dog', id: null }]),
    'metadata.jsonl': lines([{ file_name: 'b.jpg', text: 'a cat', id: 8 }]),
  })
  expect((await rowsOf({ format: 'folder', path: both, columns })).map(short)).toEqual([['a dog'], ['a cat']])
  const alone = await holding({ 'a.jpg': null, ...labels })
  const refused = /metadata\.csv:3 has no key "caption"; .* put captions into text files .* or give `names`/
  await expect(rowsOf({ format: 'folder', path: alone, columns })).rejects.toThrow(refused)
  const [asked] = await rowsOf({ format: 'folder', path: alone, columns, names: ['dog'] })
  expect(asked).toMatchObject({ captions: [{ text: 'dog' }], meta: { id: '7' }, dropped: {} })
  await writeFile(join(alone, 'a.txt'), 'beside it')
  expect((await rowsOf({ format: 'folder', path: alone, columns })).map(short)).toEqual([['beside it']])
  const parted = await holding({ 'a.jpg': null, 'metadata.csv': 'file_name;caption\na.jpg;x\n' })
  await expect(rowsOf({ format: 'folder', path: parted })).rejects.toThrow(
    'parted by ";": save it with commas',
  )
  const dangling = await holding({ 'a.jpg': null })
  await symlink('/nowhere/at/all', join(dangling, 'metadata.csv'))
  await expect(rowsOf({ format: 'folder', path: dangling })).rejects.toThrow(
    'metadata.csv is a link that leads nowhere',
  )
})

it('metadata.parquet is read as well, its captions in lists', async () => {
  const path = await holding({ 'a.jpg': null, 'b.jpg': null })
  const db = await (await DuckDBInstance.create()).connect()
  const query =
    "SELECT * FROM (VALUES ('a.jpg', ['one', 'two'], 5), ('b.jpg', ['three'], 6)) t(file_name, captions, id)"
  await db.run(`COPY (${query}) TO '${join(path, 'metadata.parquet')}' (FORMAT parquet)`)
  const rows = await rowsOf({ format: 'folder', path, columns: { id: 'id' } })
  expect(rows.map(short)).toEqual([['one', 'two'], ['three']])
  expect(rows[1]?.meta).toEqual({ file_name: 'b.jpg', id: 6 })
})

it.each(['jsonl', 'json'])('captions of a %s may be lists under `captions`', async (format) => {
  const rows = [
    { url: 'u1', captions: ['one', 'two'] },
    { url: 'u2', captions: 'three' },
  ]
  const path = join(folder, `list.${format}`)
  await writeFile(path, format === 'json' ? JSON.stringify(rows) : lines(rows))
  expect((await rowsOf({ format, path })).map(short)).toEqual([['one', 'two'], ['three']])
})

it('pictures without a caption are asked for the names that the stage gives, in as many prompts as they need', async () => {
  const path = await holding({ 'a.jpg': null, 'b.jpg': null, 'b.txt': 'a dog\n' })
  const many = Array.from({ length: 150 }, (_, at) => `thing ${at}`)
  const [few] = await rowsOf({ format: 'folder', path, names: ['traffic_light', 'dog'] })
  expect(few).toMatchObject({ problem: null, captions: [{ text: 'traffic light. dog', kind: 'categories' }] })
  const [all, own] = await rowsOf({ format: 'folder', path, names: many })
  expect(own?.captions).toEqual([{ text: 'a dog', kind: 'web' }])
  expect(all?.captions.length).toBeGreaterThan(1)
  expect(all?.captions.flatMap(({ text }) => text.split('. '))).toEqual(many)
})
