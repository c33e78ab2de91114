import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { watchZstdWindows } from '../../../src/base/files/zstd-windows.js'
import { readBytes } from '../../../src/formats/read-bytes.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const bytes = (...parts: (number | readonly number[])[]) => Buffer.from(parts.flat())
const magic = [0x28, 0xb5, 0x2f, 0xfd]
const le = (value: number, length: number) =>
  Array.from({ length }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn))
/** Blocks as they are: a whole one, one byte that is repeated twice, and the last. */
const blocks = [...le((3 << 3) | 0, 3), 97, 98, 99, ...le((2 << 3) | 2, 3), 100, ...le((1 << 3) | 1, 3), 10]
/** A frame that is one segment, whose size has so many bytes. */
const segment = (size: number, length: 1 | 2 | 4 | 8, more = 0) =>
  bytes(
    magic,
    0x20 | ([1, 2, 4, 8].indexOf(length) << 6) | more,
    le(length === 2 ? size - 256 : size, length),
    blocks,
  )
/** A frame with a window of its own. */
const windowed = (exponent: number, mantissa: number, more = 0, ...between: number[]) =>
  bytes(magic, more, ((exponent - 10) << 3) | mantissa, between, blocks)
const skippable = bytes([0x5a, 0x2a, 0x4d, 0x18], le(5, 4), [1, 2, 3, 4, 5])

/** Whether a stream is let through, in whatever pieces it comes. */
function passes(...frames: readonly Uint8Array[]): boolean {
  const whole = Buffer.concat(frames)
  const outcomes = [1, 2, 5, 7, whole.length].map((size) => {
    const watch = watchZstdWindows('list.zst')
    try {
      for (let at = 0; at < whole.length; at += size) watch(whole.subarray(at, at + size))
      return true
    } catch (error) {
      expect((error as Error).message).toMatch(/^list\.zst needs \d+ MiB of memory to be unpacked/)
      return false
    }
  })
  expect(new Set(outcomes).size).toBe(1)
  return outcomes[0]!
}

describe('a frame of zstd', () => {
  it('needs its window, and no more than zstd itself takes for one', () => {
    expect(passes(windowed(27, 0))).toBe(true)
    expect(passes(windowed(27, 1))).toBe(false)
    expect(passes(windowed(26, 7))).toBe(true)
    expect(passes(windowed(41, 7))).toBe(false)
  })

  it('that is one segment needs all of it', () => {
    for (const length of [1, 2, 4, 8] as const) expect(passes(segment(255 + length, length))).toBe(true)
    for (const length of [4, 8] as const) {
      expect(passes(segment(2 ** 27, length))).toBe(true)
      expect(passes(segment(2 ** 27 + 1, length))).toBe(false)
    }
    expect(passes(segment(2 ** 60, 8))).toBe(false)
  })

  it('may name a dictionary, and the size of what it holds', () => {
    const dictionaries = [[], [7], le(7, 2), le(7, 4)]
    for (const [flag, dictionary] of dictionaries.entries()) {
      expect(passes(windowed(20, 0, flag, ...dictionary), windowed(28, 0))).toBe(false)
      expect(passes(windowed(20, 0, flag, ...dictionary), windowed(27, 0))).toBe(true)
      const sized = windowed(20, 0, flag | 0x80, ...dictionary, ...le(2 ** 31, 4))
      expect(passes(sized, sized)).toBe(true)
    }
  })

  it('is found behind others, with checksums or without, and behind what is to be skipped', () => {
    const summed = bytes([...windowed(20, 0, 4)], [1, 2, 3, 4])
    expect(passes(summed, skippable, segment(3, 1), summed, windowed(27, 0))).toBe(true)
    expect(passes(summed, skippable, segment(3, 1), summed, windowed(30, 0))).toBe(false)
  })

  it('that is none is left to who unpacks it', () => {
    expect(passes(bytes([1, 2, 3, 4]), windowed(30, 0))).toBe(true)
    expect(passes(bytes(magic.slice(0, 3)))).toBe(true)
  })

  it('that wants too much ends the reading of a list before it has taken that', async () => {
    const path = join(await temporaryFolder(), 'list.jsonl.zst')
    await writeFile(path, Buffer.concat([segment(6, 1), segment(2_000_000_000, 4)]))
    const read = async () => {
      for await (const _ of readBytes(path));
    }
    const before = process.memoryUsage().arrayBuffers
    await expect(read()).rejects.toThrow(`${path} needs 1908 MiB of memory`)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e8)
  })
})
