import { randomBytes } from 'node:crypto'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lotWriter } from '../../../src/base/files/write-pieces.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

describe('lots that are written while more are made', () => {
  const lots = Array.from({ length: 9 }, (_, at) => [randomBytes(1000 * at), randomBytes(5)])
  const sizeOf = (lot: readonly Buffer[]) => lot.reduce((sum, { length }) => sum + length, 0)

  it('lie one behind the other, and are told in their order', async () => {
    const path = join(await temporaryFolder(), 'file')
    const file = await open(path, 'w')
    const ends: number[] = []
    const writer = lotWriter(file, 3, (end) => ends.push(end))
    // None is waited for by itself, as of a writer that is in a hurry.
    await Promise.all(lots.map((lot) => writer.send(lot, sizeOf(lot))))
    await writer.written()
    await file.close()
    expect((await readFile(path)).subarray(3)).toEqual(Buffer.concat(lots.flat()))
    let end = 3
    expect(ends).toEqual(lots.map((lot) => (end += sizeOf(lot))))
  })

  it('end where one cannot be written, which is told at once and thrown', async () => {
    const path = join(await temporaryFolder(), 'file')
    await writeFile(path, '')
    const file = await open(path, 'r')
    const writer = lotWriter(file, 0)
    const failed = new Promise<void>((resolve) => void writer.send(lots[1]!, 1005, resolve))
    await failed
    const others = async () => {
      for (const lot of lots) await writer.send(lot, sizeOf(lot))
    }
    await expect(others()).rejects.toThrow('EBADF')
    await expect(writer.written()).rejects.toThrow('EBADF')
    await file.close()
  })
})
