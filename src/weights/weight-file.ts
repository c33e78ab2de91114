import { type Shape, sizeOf } from '../graph/ops/tensor.js'

/** A tensor of a file, read when it is asked for. */
export interface StoredTensor {
  readonly name: string
  readonly shape: Shape
  readonly type: ElementType
  /** Its values in row-major order, rounded to float32. */
  read(): Promise<Float32Array>
}

/** A file of weights that is open; `close` frees its handle, after which nothing can be read. */
export interface WeightFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>
  /** Names of what lies beside the weights and is not read, such as the state of an optimiser. */
  readonly others: readonly string[]
  /** What the file says of itself. */
  readonly metadata: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** Element types by the names that safetensors gives them. */
export type ElementType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL'

/** Bytes of one element. */
export const elementBytes: Readonly<Record<ElementType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
}

export function isElementType(name: unknown): name is ElementType {
  return typeof name === 'string' && Object.hasOwn(elementBytes, name)
}

/** Whether a value read from a file is a list of whole numbers from 0 on. */
export function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0)
}

/** Whether a shape read from a file can be one: counts, and of a size in bytes that numbers hold exactly. */
export function isShape(value: unknown): value is number[] {
  return isCounts(value) && Number.isSafeInteger(8 * sizeOf(value))
}

/**
 * Little-endian bytes as float32. Float16 and bfloat16 are exact; float64 and integers are rounded to the
 * nearest.
 *
 * @param bytes whole elements; shared with the result where it is float32 and aligned
 */
export function toFloats(type: ElementType, bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, byteLength } = bytes
  if (type === 'F32' && byteOffset % 4 === 0) return new Float32Array(buffer, byteOffset, byteLength / 4)
  const view = new DataView(buffer, byteOffset, byteLength)
  const size = elementBytes[type]
  const floats = new Float32Array(byteLength / size)
  const read = readers[type]
  for (let index = 0; index < floats.length; index++) floats[index] = read(view, index * size)
  return floats
}

const readers: Readonly<Record<ElementType, (view: DataView, at: number) => number>> = {
  F64: (view, at) => view.getFloat64(at, true),
  F32: (view, at) => view.getFloat32(at, true),
  F16: (view, at) => halfToNumber(view.getUint16(at, true)),
  BF16: (view, at) => bfloatToNumber(view.getUint16(at, true)),
  I64: (view, at) => Number(view.getBigInt64(at, true)),
  I32: (view, at) => view.getInt32(at, true),
  I16: (view, at) => view.getInt16(at, true),
  I8: (view, at) => view.getInt8(at),
  U8: (view, at) => view.getUint8(at),
  BOOL: (view, at) => (view.getUint8(at) ? 1 : 0),
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const word = new DataView(new ArrayBuffer(4))

/** The upper half of a float32. */
function bfloatToNumber(bits: number): number {
  word.setUint32(0, bits * 65536)
  return word.getFloat32(0)
}
