import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openPartFile } from '../../src/export/part-file.js'

it('takes bytes that change afterwards, pieces longer than a lot, and texts across its end', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'groundmill-test-'))
  try {
    const path = join(folder, 'file')
    const ends: number[] = []
    const file = await openPartFile(path, 0, { onWritten: (end) => ends.push(end) })
    const expected: Buffer[] = []
    const piece = Buffer.alloc(300_000)
    for (let round = 0; round < 12; round++) {
      piece.fill(round)
      expected.push(Buffer.from(piece))
      await file.write(piece)
      const text = `größe ${round} 🐶 ${'é'.repeat(150_000)}\n`
      expected.push(Buffer.from(text))
      await file.write(text)
    }
    const long = Buffer.alloc(3_500_000, 'long')
    expected.push(Buffer.from(long))
    await file.write(long)
    long.fill(0)
    const all = Buffer.concat(expected)
    expect(file.length()).toBe(all.length)
    await file.flush()
    expect(Buffer.compare(await readFile(path), all)).toBe(0)
    expect(ends.at(-1)).toBe(all.length)
    await file.write('more')
    await file.flush()
    await file.close()
    expect((await readFile(path)).length).toBe(all.length + 4)
    // Gone on with from where a checkpoint was.
    const again = await openPartFile(path, 10)
    await again.write('end')
    await again.flush()
    await again.close()
    expect((await readFile(path)).equals(Buffer.concat([all.subarray(0, 10), Buffer.from('end')]))).toBe(true)
  } finally {
    await rm(folder, { recursive: true })
  }
})
