import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openParquet } from '../../src/parquet/open-parquet.js'
import { readRows } from '../../src/parquet/read-rows.js'
import { claimingParquet, levels } from '../helpers/claiming-parquet.js'
import { rowsByShards } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
/** A file whose columns are null in every row: a run length says it in a few bytes. */
async function nulls(rows: number, said: { readonly rows?: number; readonly group?: number } = {}) {
  const names = ['url', 'caption']
  const bytes = claimingParquet({
    elements: names.map((name) => ({ name, repetition: 1 })),
    // Levels of one bit: a run of `rows` zeros.
    columns: names.map((name) => ({ path: [name], pages: [{ bytes: levels(rows, 0), values: rows }] })),
    rows: said.rows ?? rows,
    ...(said.group !== undefined && { group: said.group }),
  })
  const path = join(folder, `nulls-${rows}-${said.rows ?? ''}-${said.group ?? ''}.parquet`)
  await writeFile(path, bytes)
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
