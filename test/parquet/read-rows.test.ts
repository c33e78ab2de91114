import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { describe, expect, it } from 'vitest'
import { assembleRows } from '../../src/parquet/assemble-rows.js'
import { leafKey } from '../../src/parquet/read-columns.js'
import { fixtureFolder, openedBytes, parquetFixtures, parquetRows } from '../helpers/parquet-fixtures.js'

const files = await parquetFixtures()

/** As the fixtures' JSON has it. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Date) return { date: value.toISOString() }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(plain)
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
  return value ?? null
}

/** hyparquet multiplies the digits of a decimal by a power of ten, which is rounded. */
const rounded = (row: unknown) =>
  Object.fromEntries(
    Object.entries(row as object).map(([column, value]) => [
      column,
      column.startsWith('decimal') && typeof value === 'number' ? Number(value.toPrecision(12)) : value,
    ]),
  )

describe('a Parquet file of pyarrow', () => {
  it.each(files)('$name gives the rows that were written', async ({ name, bytes }) => {
    const json = new URL(name.replace(/(-[12]\.0)?\.parquet$/, '.json'), fixtureFolder)
    const expected = JSON.parse(await readFile(json, 'utf8')) as Record<string, unknown>[]
    const rows = (await parquetRows(bytes)).map(plain) as Record<string, unknown>[]
    expect(rows).toHaveLength(expected.length)
    for (const [at, row] of rows.entries()) {
      const there = expected[at] as Record<string, unknown>
      expect(Object.keys(row)).toEqual(Object.keys(there))
      for (const [column, value] of Object.entries(row)) {
        const wrote = there[column]
        expect(value, `${column} of row ${at}`).toEqual(wrote)
      }
    }
  })

  // LZ4 writes an empty dictionary as one byte, of which hyparquet makes an error.
  const others = files.filter(({ name }) => !name.startsWith('lz4'))
  it.each(others)('$name gives in any range what hyparquet gives', async ({ bytes }) => {
    const { file } = openedBytes(bytes)
    const place = fc.integer({ min: 0, max: 50 })
    await fc.assert(
      fc.asyncProperty(place, place, fc.boolean(), async (start, count, bytesAsText) => {
        const end = start + count
        const theirs = await parquetReadObjects({
          ...{ file, compressors, utf8: bytesAsText, rowStart: start, rowEnd: end },
        })
        const ours = await parquetRows(bytes, { start, end, bytesAsText })
        expect(ours.map(plain).map(rounded)).toEqual(theirs.map(plain).map(rounded))
      }),
      { numRuns: 12 },
    )
  })

  it('gives only the columns that are asked for, in the order of the file', async () => {
    const { bytes } = files.find(({ name }) => name === 'nested-2.0.parquet') as (typeof files)[number]
    const whole = await parquetRows(bytes)
    const some = await parquetRows(bytes, { columns: ['map', 'captions'], start: 15, end: 30 })
    expect(some).toEqual(whole.slice(15, 30).map(({ captions, map }) => ({ captions, map })))
  })
})

it('rows have as many columns as a file says, whatever their names are', () => {
  // More than a function may have parameters, or room for local variables of; every third is a list.
  const names = Array.from({ length: 20_000 }, (_, at) => (at === 5 ? '__proto__' : `column "${at}"\n`))
  const isList = (at: number) => at % 3 === 0
  const children = names.map((name, at) => ({
    element: { name, repetition_type: isList(at) ? 'REPEATED' : 'REQUIRED' },
    ...{ children: [], path: [name] },
  }))
  const leaf = (at: number) =>
    isList(at)
      ? { values: [at, -at], entries: 2, repetitions: Uint8Array.of(0, 1), firstRow: 0 }
      : { values: [at], entries: 1, firstRow: 0 }
  const leaves = new Map(names.map((name, at) => [leafKey([name]), leaf(at)]))
  const [row] = assembleRows({ children } as never, leaves as never, { start: 0, end: 1, rows: 1 })
  expect(Object.keys(row ?? {})).toEqual(names)
  expect(Object.values(row ?? {})).toEqual(names.map((_, at) => (isList(at) ? [at, -at] : at)))
})
