import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openParquet } from '../../src/parquet/open-parquet.js'
import { readRows } from '../../src/parquet/read-rows.js'
import { i32, i64, list, struct, type ThriftValue, text, writeThrift } from '../../src/parquet/thrift.js'
import { rowsByShards } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const bytesOf = (value: ThriftValue) =>
  writeThrift((value as Extract<ThriftValue, { readonly type: 12 }>).fields)

/** A number in groups of seven bits, the lowest first. */
function varint(value: number): number[] {
  const out: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest]
    out.push((rest % 128) + 128)
  }
}

/** A file whose columns are null in every row: a run length says it in a few bytes. */
async function nulls(rows: number, said: { readonly rows?: number; readonly group?: number } = {}) {
  // Levels of one bit: a run of `rows` zeros, behind its length.
  const run = [...varint(rows * 2), 0]
  const levels = Buffer.from([run.length, 0, 0, 0, ...run])
  const header = bytesOf(
    struct({
      1: i32(0),
      2: i32(levels.length),
      3: i32(levels.length),
      5: struct({ 1: i32(rows), 2: i32(0), 3: i32(3), 4: i32(3) }),
    }),
  )
  const page = Buffer.concat([header, levels])
  const names = ['url', 'caption']
  const file = Buffer.concat([Buffer.from('PAR1'), ...names.map(() => page)])
  const columns = names.map((name, index) =>
    struct({
      2: i64(0),
      3: struct({
        1: i32(6),
        2: list(5, [i32(0), i32(3)]),
        3: list(8, [text(name)]),
        4: i32(0),
        5: i64(rows),
        6: i64(page.length),
        7: i64(page.length),
        9: i64(4 + index * page.length),
      }),
    }),
  )
  const footer = bytesOf(
    struct({
      1: i32(1),
      2: list(12, [
        struct({ 4: text('schema'), 5: i32(names.length) }),
        ...names.map((name) => struct({ 1: i32(6), 3: i32(1), 4: text(name), 6: i32(0) })),
      ]),
      3: i64(said.rows ?? rows),
      4: list(12, [
        struct({ 1: list(12, columns), 2: i64(2 * page.length), 3: i64(said.group ?? said.rows ?? rows) }),
      ]),
    }),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  const path = join(folder, `nulls-${rows}-${said.rows ?? ''}-${said.group ?? ''}.parquet`)
  await writeFile(path, Buffer.concat([file, footer, length, Buffer.from('PAR1')]))
  return path
}

describe('a file of a few bytes', () => {
  it('may hold some rows of nulls', async () => {
    const file = await openParquet(await nulls(50))
    const rows: unknown[] = []
    for await (const row of readRows(file)) rows.push(row)
    await file.close()
    expect(rows).toEqual(Array.from({ length: 50 }, () => ({ url: null, caption: null })))
  })

  it('is not believed to hold millions', async () => {
    const path = await nulls(30_000_000)
    await expect(openParquet(path)).rejects.toThrow(
      /nulls-30000000--\.parquet says that it has 30000000 rows in \d+ bytes, and no more than 41\d{5} are read of so few/,
    )
    await expect(rowsByShards({ format: 'parquet', path, shard_size: 1000 })).rejects.toThrow(
      'says that it has 30000000 rows',
    )
  })

  it('says one number of rows everywhere', async () => {
    await expect(openParquet(await nulls(50, { rows: 60, group: 50 }))).rejects.toThrow(
      '60 rows, and 50 in its row groups',
    )
    await expect(openParquet(await nulls(50, { rows: 60 }))).rejects.toThrow(
      'a row group of 60 rows and 50 values of url',
    )
    await expect(openParquet(await nulls(50, { rows: 2 ** 50 }))).rejects.toThrow('says that it has')
  })

  it('of a million rows is planned and read in pieces', async () => {
    const path = await nulls(1_000_000)
    const before = process.memoryUsage().heapUsed
    const file = await openParquet(path)
    let [count, most] = [0, 0]
    for await (const _ of readRows(file)) {
      if (count++ % 100_000 === 0) most = Math.max(most, process.memoryUsage().heapUsed - before)
    }
    await file.close()
    expect(count).toBe(1_000_000)
    expect(most).toBeLessThan(300e6)
  })
})
