import { expect, it } from 'vitest'
import { ByteCopies } from '../../../src/base/files/byte-copies.js'
import { random } from '../../../src/base/random.js'

it('keeps copies as they were until they are given up, in memory that is used again', () => {
  const draw = random('copies', 'byte copies')
  const copies = new ByteCopies()
  const held: { copy: Uint8Array; value: number }[] = []
  const buffers = new Set<ArrayBufferLike>()
  let dropped = 0
  for (let round = 0; round < 600; round++) {
    const value = round % 251
    const length = round % 150 === 7 ? 5_000_000 : Math.floor(draw.between(0, 60_000))
    const bytes = new Uint8Array(length).fill(value)
    const copy = copies.add(bytes)
    bytes.fill(255)
    held.push({ copy, value })
    buffers.add(copy.buffer)
    expect(copy.length).toBe(length)
    while (held.length > 100) {
      const { copy: oldest, value: wanted } = held.shift()!
      expect(Buffer.alloc(oldest.length, wanted).equals(oldest)).toBe(true)
      copies.dropFirst(++dropped)
    }
  }
  expect(copies.count).toBe(600)
  // 40 MB went through it.
  expect(buffers.size).toBeLessThan(12)
})
