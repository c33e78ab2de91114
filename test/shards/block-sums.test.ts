import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { blockSums, wholeRanges } from '../../src/shards/block-sums.js'

const piece = 16 * 1024
function bytesOf(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at++) bytes[at] = at * 7 + (at >> 9)
  return bytes
}

function sumsOf(bytes: Uint8Array, size = bytes.length, step = bytes.length) {
  const sums = blockSums()
  for (let at = 0; at < bytes.length; at += step) sums.add(bytes.subarray(at, at + step))
  return sums.end(size)
}

const numbersOf = (sums: string | undefined) => {
  const bytes = Buffer.from(sums ?? '', 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32LE(4 * at))
}

describe('the sums of the blocks of a file', () => {
  it('are the CRC-32 of each piece, however its bytes arrive', () => {
    const bytes = bytesOf(2 * piece + 100)
    const expected = [0, piece, 2 * piece].map((at) => crc32(bytes.subarray(at, at + piece)))
    for (const step of [bytes.length, piece, 1000, piece + 1])
      expect(numbersOf(sumsOf(bytes, bytes.length, step))).toEqual(expected)
    expect(numbersOf(sumsOf(bytes.subarray(0, 2 * piece)))).toEqual(expected.slice(0, 2))
  })

  it('are none of a file that is one block', () => {
    expect(sumsOf(bytesOf(piece))).toBeUndefined()
    expect(numbersOf(sumsOf(bytesOf(piece + 1)))).toHaveLength(2)
    expect(blockSums().end(0)).toBeUndefined()
  })

  it('are at most 256, of more pieces each in a larger file', () => {
    const bytes = bytesOf(256 * piece + 1)
    const whole = numbersOf(sumsOf(bytes.subarray(0, -1)))
    expect(whole).toHaveLength(256)
    const each = numbersOf(sumsOf(bytes))
    expect(each).toHaveLength(129)
    expect(each[0]).toBe(crc32(Buffer.from(Uint32Array.from(whole.slice(0, 2)).buffer)))
    // Of a file that is cut short the blocks are as large as they were.
    expect(numbersOf(sumsOf(bytes.subarray(0, 4 * piece), bytes.length))).toEqual(each.slice(0, 2))
  })
})

describe('ranges of a damaged file', () => {
  const bytes = bytesOf(4 * piece)
  const before = sumsOf(bytes)
  const other = Buffer.from(bytes)
  other[piece + 5]! ^= 1

  it('are whole where all blocks that they touch are', () => {
    const isWhole = wholeRanges(before, sumsOf(other), bytes.length)
    expect(isWhole(0, piece)).toBe(true)
    expect(isWhole(0, piece + 1)).toBe(false)
    expect(isWhole(piece - 1, piece)).toBe(true)
    expect(isWhole(piece, piece + 1)).toBe(false)
    expect(isWhole(2 * piece - 1, 2 * piece)).toBe(false)
    expect(isWhole(2 * piece, 4 * piece)).toBe(true)
    expect(isWhole(0, 4 * piece)).toBe(false)
    expect(isWhole(3 * piece, 4 * piece + 1)).toBe(false)
  })

  it('are not where the file ends before them', () => {
    const cut = wholeRanges(before, sumsOf(bytes.subarray(0, 3 * piece), bytes.length), bytes.length)
    expect([cut(2 * piece, 3 * piece), cut(3 * piece, 4 * piece)]).toEqual([true, false])
  })

  it('are not where nothing is known of them', () => {
    expect(wholeRanges(undefined, before, bytes.length)(0, 1)).toBe(false)
    expect(wholeRanges(before, undefined, bytes.length)(0, 1)).toBe(false)
  })

  it('are told in blocks of several pieces too', () => {
    const size = 256 * piece + 1
    const large = bytesOf(size)
    const changed = Buffer.from(large)
    changed[2 * piece] ^= 1
    const isWhole = wholeRanges(sumsOf(large), sumsOf(changed), size)
    expect([isWhole(0, 2 * piece), isWhole(3 * piece, 3 * piece + 1)]).toEqual([true, false])
    expect(isWhole(4 * piece, size)).toBe(true)
  })
})
