import type { TakeMemory } from './memory-budget.js'

/**
 * Decoders of Parquet's three delta encodings:
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/
 *
 * hyparquet has them too, but there a damaged header makes one go round without an end, or take any amount of
 * memory.
 */

/** Numbers, and where their bytes end. */
interface Unpacked<Values> {
  readonly values: Values
  readonly end: number
}

/** DELTA_BINARY_PACKED of 32 bits; what overflows wraps. */
export function readDelta32(bytes: Uint8Array, start: number, count: number): Unpacked<Int32Array> {
  const values = new Int32Array(count)
  let [value, least] = [0, 0]
  const end = unpack(bytes, start, count, {
    first(whole) {
      value = Number(BigInt.asIntN(32, whole))
      values[0] = value
    },
    block(whole) {
      least = Number(BigInt.asIntN(32, whole))
    },
    next(index, low) {
      value = (value + least + low) | 0
      values[index] = value
    },
  })
  return { values, end }
}

/** DELTA_BINARY_PACKED of 64 bits; what overflows wraps. */
export function readDelta64(bytes: Uint8Array, start: number, count: number): Unpacked<BigInt64Array> {
  const values = new BigInt64Array(count)
  let [value, least] = [0n, 0n]
  const end = unpack(bytes, start, count, {
    first(whole) {
      value = whole
      values[0] = value
    },
    block(whole) {
      least = whole
    },
    next(index, low, high) {
      const step = high === 0 ? BigInt(low >>> 0) : (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
      value = BigInt.asIntN(64, value + least + step)
      values[index] = value
    },
  })
  return { values, end }
}

/** DELTA_LENGTH_BYTE_ARRAY: lengths, then all bytes one behind another. The values are views. */
export function readDeltaLengths(bytes: Uint8Array, start: number, count: number): Unpacked<Uint8Array[]> {
  const { values: lengths, end } = readDelta32(bytes, start, count)
  let at = end
  const values = Array.from(lengths, (length) => {
    if (!(length >= 0 && length <= bytes.length - at)) throw new Error(`a value of ${length} bytes`)
    at += length
    return bytes.subarray(at - length, at)
  })
  return { values, end: at }
}

/** DELTA_BYTE_ARRAY: how much of the value before each begins with, and what comes behind that. */
export function readDeltaBytes(bytes: Uint8Array, count: number, take: TakeMemory): Uint8Array[] {
  const { values: shared, end } = readDelta32(bytes, 0, count)
  const { values: rests } = readDeltaLengths(bytes, end, count)
  let before: Uint8Array = new Uint8Array(0)
  return rests.map((rest, index) => {
    const length = shared[index] ?? 0
    if (!(length >= 0 && length <= before.length)) throw new Error(`a value that shares ${length} bytes`)
    if (length === 0) {
      before = rest
      return rest
    }
    // Each may repeat the whole of the one before it: some bytes can stand for a great many.
    take(length + rest.length)
    const value = new Uint8Array(length + rest.length)
    value.set(before.subarray(0, length))
    value.set(rest, length)
    before = value
    return value
  })
}

interface Sink {
  first(value: bigint): void
  /** The least step of the values that come next. */
  block(least: bigint): void
  /** A later value: how much its step is above the least, in two halves of 32 bits. */
  next(index: number, low: number, high: number): void
}

/** Goes through the blocks of DELTA_BINARY_PACKED; gives where they end. */
function unpack(bytes: Uint8Array, start: number, count: number, sink: Sink): number {
  const reader = { bytes, at: start }
  const [blockValues, miniblocks, total] = [varint(reader), varint(reader), varint(reader)].map(Number) as [
    number,
    number,
    number,
  ]
  const values = blockValues / miniblocks
  // The values of a miniblock end with a byte, and there are no more widths than bytes.
  if (!(miniblocks > 0 && values > 0 && values % 8 === 0 && miniblocks <= bytes.length)) {
    throw new Error(`a block of ${blockValues} values in ${miniblocks} parts`)
  }
  if (total < count) throw new Error(`${total} of ${count} values`)
  const first = zigzag(varint(reader))
  if (count > 0) sink.first(first)
  for (let done = 1; done < count; ) {
    sink.block(zigzag(varint(reader)))
    const widths = bytes.subarray(reader.at, reader.at + miniblocks)
    if (widths.length < miniblocks) throw new Error('a block is cut short')
    reader.at += miniblocks
    for (let part = 0; part < miniblocks && done < count; part++) {
      const width = widths[part] ?? 0
      const here = Math.min(values, count - done)
      if (width > 64 || Math.ceil((here * width) / 8) > bytes.length - reader.at) {
        throw new Error('a block is cut short')
      }
      for (let index = 0; index < here; index++) {
        const bit = index * width
        const low = bitsAt(bytes, reader.at, bit, Math.min(width, 32))
        const high = width > 32 ? bitsAt(bytes, reader.at, bit + 32, width - 32) : 0
        sink.next(done + index, low, high)
      }
      done += here
      // What pads the last part is there, the parts behind it are not.
      reader.at += (values * width) / 8
    }
  }
  return reader.at
}

/** Up to 32 bits from a bit on, the lowest first; as a signed number where all 32 are asked for. */
function bitsAt(bytes: Uint8Array, from: number, bit: number, width: number): number {
  let at = from + Math.floor(bit / 8)
  let shift = bit % 8
  let value = 0
  for (let done = 0; done < width; ) {
    const here = Math.min(8 - shift, width - done)
    value |= (((bytes[at] ?? 0) >> shift) & ((1 << here) - 1)) << done
    done += here
    shift = 0
    at++
  }
  return value
}

/** Seven bits a byte, the lowest first, at most 64. */
function varint(reader: { readonly bytes: Uint8Array; at: number }): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.bytes[reader.at++]
    if (byte === undefined) break
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return value
  }
  throw new Error('a number without an end')
}

/** Even numbers are positive. */
const zigzag = (value: bigint): bigint => BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
