import { isUtf8 } from 'node:buffer'
import type { CompressionCodec, DecodedArray, Encoding, ParquetType, SchemaElement } from 'hyparquet'
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { byteStreamSplit } from 'hyparquet/src/encoding.js'
import { readPlain } from 'hyparquet/src/plain.js'
import type { TakeMemory } from './memory-budget.js'
import { readDelta32, readDelta64, readDeltaBytes, readDeltaLengths } from './read-delta.js'
import { readHybrid } from './read-hybrid.js'

/** How the values of a leaf column are stored. */
export interface LeafType {
  readonly type: ParquetType
  readonly element: SchemaElement
  readonly codec: CompressionCodec
  /**
   * Whether bytes of which the file does not say that they are text are read as text, as older writers mean
   * them.
   */
  readonly bytesAsText: boolean
}

/**
 * The values of a dictionary page.
 *
 * @throws Error where there are fewer than it says
 */
export const readDictionary = (
  bytes: Uint8Array,
  count: number,
  leaf: LeafType,
  take: TakeMemory,
): DecodedArray => converted(plain(bytes, count, leaf, take), leaf)

/**
 * The values of a page, behind its levels.
 *
 * @throws Error where there are fewer, or the encoding is not one of the type's
 */
export function readValues(
  bytes: Uint8Array,
  encoding: Encoding | undefined,
  count: number,
  leaf: LeafType,
  dictionary: DecodedArray | undefined,
  take: TakeMemory,
): DecodedArray {
  if (count === 0) return []
  if (encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
    if (!dictionary) throw new Error('a page without its dictionary')
    take(12 * count)
    const width = viewOf(bytes).getUint8(0)
    const indices = new Uint32Array(count)
    return chosen(dictionary, width > 0 ? readHybrid(bytes.subarray(1), width, indices) : indices)
  }
  return converted(stored(bytes, encoding, count, leaf, take), leaf)
}

/** Values as they are stored, before they become those of their logical type. */
function stored(
  bytes: Uint8Array,
  encoding: Encoding | undefined,
  count: number,
  leaf: LeafType,
  take: TakeMemory,
): DecodedArray {
  const { type, element } = leaf
  const isBytes = type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY'
  if (encoding === 'PLAIN') return plain(bytes, count, leaf, take)
  if (encoding === 'BYTE_STREAM_SPLIT' && type !== 'BYTE_ARRAY') {
    checkRoom(bytes, count, bitsOf(leaf))
    take(bytes.length)
    return byteStreamSplit({ view: viewOf(bytes), offset: 0 }, count, type, element.type_length)
  }
  take(16 * count)
  if (encoding === 'RLE' && type === 'BOOLEAN') {
    const end = 4 + viewOf(bytes).getUint32(0, true)
    const bits = readHybrid(bytes.subarray(4, end), 1, new Uint8Array(count))
    return Array.from(bits, (bit) => bit === 1)
  }
  if (encoding === 'DELTA_BINARY_PACKED' && type === 'INT32') return readDelta32(bytes, 0, count).values
  if (encoding === 'DELTA_BINARY_PACKED' && type === 'INT64') return readDelta64(bytes, 0, count).values
  if (encoding === 'DELTA_LENGTH_BYTE_ARRAY' && isBytes) return readDeltaLengths(bytes, 0, count).values
  if (encoding === 'DELTA_BYTE_ARRAY' && isBytes) return readDeltaBytes(bytes, count, take)
  throw new Error(`values of ${type} in encoding ${encoding}`)
}

function plain(bytes: Uint8Array, count: number, leaf: LeafType, take: TakeMemory): DecodedArray {
  const { type, element } = leaf
  checkRoom(bytes, count, bitsOf(leaf))
  take(8 * count)
  const reader = { view: viewOf(bytes), offset: 0 }
  const values = readPlain(reader, type, count, element.type_length)
  // Lengths only add up: where the last value ends within the page, all do.
  if (reader.offset > bytes.length) throw new Error('a value goes beyond its page')
  return values
}

/** The least that a plain value of the type takes. */
function bitsOf({ type, element }: LeafType): number {
  if (type === 'BOOLEAN') return 1
  if (type === 'INT32' || type === 'FLOAT' || type === 'BYTE_ARRAY') return 32
  if (type === 'INT96') return 96
  if (type !== 'FIXED_LEN_BYTE_ARRAY') return 64
  const { type_length: length = 0 } = element
  if (!(length > 0)) throw new Error(`values of ${length} bytes`)
  return 8 * length
}

function checkRoom(bytes: Uint8Array, count: number, bits: number) {
  if (Math.ceil((count * bits) / 8) > bytes.length) throw new Error(`a page has not ${count} values`)
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
/**
 * A text may begin with the mark U+FEFF, of which hyparquet's own parser would take one away. What is not UTF-8
 * stays bytes.
 */
const parsers = {
  ...DEFAULT_PARSERS,
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && (isUtf8(bytes) ? decoder.decode(bytes) : bytes),
} as typeof DEFAULT_PARSERS

/** Far beyond what is a number to JavaScript. hyparquet takes a time for them that grows with the square. */
const mostDecimalBytes = 512

function converted(values: DecodedArray, { element, bytesAsText }: LeafType): DecodedArray {
  if (element.converted_type === 'DECIMAL') {
    for (const value of values) {
      if (value instanceof Uint8Array && value.length > mostDecimalBytes) {
        throw new Error(`a decimal of ${value.length} bytes`)
      }
    }
    return Array.from(values, (value) => decimalOf(value, element.scale ?? 0))
  }
  return convert(values, { element, parsers, utf8: bytesAsText } as Parameters<typeof convert>[1])
}

/** The number nearest to a decimal; a whole one that no number is equal to stays whole. */
function decimalOf(value: unknown, scale: number): number | bigint {
  const digits = value instanceof Uint8Array ? wholeOf(value) : BigInt(value as number | bigint)
  const number = Number(`${digits}e${-scale}`)
  return scale > 0 || Number.isSafeInteger(number) ? number : digits
}

/** Big-endian, in two's complement. */
const wholeOf = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))

function chosen(dictionary: DecodedArray, indices: Uint32Array): DecodedArray {
  const { length } = dictionary
  for (let at = 0; at < indices.length; at++)
    if ((indices[at] as number) >= length) throw new Error('a dictionary has fewer values')
  if (dictionary instanceof Float32Array || dictionary instanceof Int32Array) {
    // As words of 32 bits, whatever they stand for: a loop over one kind of array takes a third of the time.
    const words = new Int32Array(indices.length)
    const from = new Int32Array(dictionary.buffer, dictionary.byteOffset, length)
    for (let at = 0; at < words.length; at++) words[at] = from[indices[at] as number] as number
    return dictionary instanceof Float32Array ? new Float32Array(words.buffer) : words
  }
  const values = new Array<unknown>(indices.length)
  for (let at = 0; at < values.length; at++) values[at] = dictionary[indices[at] as number]
  return values
}

/** Room for as many values of the same kind. */
export function emptyLike(values: DecodedArray, length: number): DecodedArray {
  if (values instanceof Float32Array) return new Float32Array(length)
  if (values instanceof Int32Array) return new Int32Array(length)
  return new Array(length)
}

export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)
