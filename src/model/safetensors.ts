/** The safetensors format: a JSON header with shapes and offsets, then the raw values. */
import { open } from 'node:fs/promises'
import { type Shape, sizeOf } from '../graph/tensor.js'
import { UserError } from '../user-error.js'

export interface NamedArray {
  readonly name: string
  readonly shape: Shape
  readonly data: Float32Array
}

export interface TensorPlace {
  readonly shape: Shape
  /** First byte in the file. */
  readonly offset: number
  /** Bytes. */
  readonly length: number
}

/** The bytes of a file of float32 tensors, and where each lies in it. */
export function encodeSafetensors(
  tensors: readonly NamedArray[],
  metadata: Readonly<Record<string, string>> = {},
): { readonly bytes: Uint8Array; readonly places: ReadonlyMap<string, TensorPlace> } {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt', ...metadata } }
  let length = 0
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [length, length + data.byteLength] }
    length += data.byteLength
  }
  const json = Buffer.from(JSON.stringify(header))
  // Spaces behind the header bring the values to a multiple of eight.
  const start = Math.ceil((8 + json.length) / 8) * 8
  const bytes = new Uint8Array(start + length).fill(32, 8, start)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true)
  bytes.set(json, 8)
  const places = new Map<string, TensorPlace>()
  let at = start
  for (const { name, shape, data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    places.set(name, { shape, offset: at, length: data.byteLength })
    at += data.byteLength
  }
  return { bytes, places }
}

export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, NamedArray>
}

/** Reads a file of float32 tensors. Throws a UserError where it is none or is cut short. */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await open(path).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  try {
    const { size } = await file.stat()
    const head = Buffer.alloc(8)
    await file.read(head, 0, 8, 0)
    const headerLength = Number(head.readBigUInt64LE())
    if (size < 8 || headerLength > Math.min(size - 8, 100_000_000))
      throw new UserError(`${path} is not a safetensors file.`)
    const json = Buffer.alloc(headerLength)
    await file.read(json, 0, headerLength, 8)
    const header = parseHeader(json.toString(), path)
    const tensors = new Map<string, NamedArray>()
    for (const [name, entry] of Object.entries(header)) {
      if (name === '__metadata__') continue
      const { dtype, shape, data_offsets } = entry as {
        dtype: string
        shape: number[]
        data_offsets: [number, number]
      }
      if (dtype !== 'F32') throw new UserError(`${path}: ${name} is ${dtype}, only F32 is read.`)
      const [start, end] = data_offsets.map((offset) => 8 + headerLength + offset)
      if (end > size || end - start !== 4 * sizeOf(shape))
        throw new UserError(`${path}: ${name} is cut short.`)
      const data = new Float32Array(sizeOf(shape))
      await file.read(new Uint8Array(data.buffer), 0, end - start, start)
      tensors.set(name, { name, shape, data })
    }
    return { metadata: (header.__metadata__ ?? {}) as Record<string, string>, tensors }
  } finally {
    await file.close()
  }
}

function parseHeader(json: string, path: string): Record<string, unknown> {
  try {
    return JSON.parse(json)
  } catch {
    throw new UserError(`${path} is not a safetensors file: its header is not JSON.`)
  }
}
