/** The safetensors format: a JSON header with shapes and offsets, then the raw values. */

import type { FileHandle } from 'node:fs/promises'
import { readExactly } from '../base/files/read-exactly.js'
import { unreadable } from '../base/files/read-file.js'
import { openRegularFile } from '../base/files/regular-file.js'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'
import { shownName, shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { type Shape, sizeOf } from '../graph/ops/tensor.js'
import {
  elementBytes,
  isCounts,
  isElementType,
  isShape,
  type StoredTensor,
  toFloats,
  type WeightFile,
} from './weight-file.js'

export interface NamedArray {
  readonly name: string
  readonly shape: Shape
  readonly data: Float32Array
}

/** An array that is made when it is about to be written, so that a large model never lies in memory whole. */
export interface LazyArray {
  readonly name: string
  readonly shape: Shape
  read(): Promise<Float32Array>
}

export interface TensorPlace {
  readonly shape: Shape
  /** First byte in the file. */
  readonly offset: number
  /** Bytes. */
  readonly length: number
}

/**
 * A model of a thousand tensors has some 100 KB, one of a hundred thousand 12 MB. The reference implementation
 * reads up to 100 MB, which as JSON may stand for fifty times as much memory.
 */
const longestHeader = 2 ** 24

/**
 * Writes float32 tensors one after another and says where each lies in the file. The file appears whole or
 * not at all. Throws where two tensors have one name or an array is not of its shape.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly (NamedArray | LazyArray)[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, TensorPlace>> {
  const offsets = new Map<string, { readonly shape: Shape; readonly start: number; readonly end: number }>()
  let end = 0
  for (const { name, shape } of tensors) {
    if (offsets.has(name) || name === '__metadata__') throw new Error(`two tensors are named ${name}`)
    const start = end
    end += 4 * sizeOf(shape)
    offsets.set(name, { shape, start, end })
  }
  const entries = [...offsets].map(([name, { shape, start, end }]): [string, unknown] => [
    name,
    { dtype: 'F32', shape, data_offsets: [start, end] },
  ])
  const header = Object.fromEntries([['__metadata__', { format: 'pt', ...metadata }], ...entries])
  const json = Buffer.from(JSON.stringify(header))
  // Spaces behind the header bring the values to a multiple of eight.
  const first = Math.ceil((8 + json.length) / 8) * 8
  const head = Buffer.alloc(first, ' ')
  head.writeBigUInt64LE(BigInt(first - 8))
  json.copy(head, 8)

  const parts = async function* () {
    yield head
    for (const tensor of tensors) {
      const data = 'data' in tensor ? tensor.data : await tensor.read()
      if (data.length !== sizeOf(tensor.shape))
        throw new Error(`${tensor.name} has ${data.length} values for the shape [${tensor.shape.join(', ')}]`)
      yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    }
  }
  await writeFileAtomic(path, parts())
  return new Map(
    [...offsets].map(([name, place]) => [
      name,
      { shape: place.shape, offset: first + place.start, length: place.end - place.start },
    ]),
  )
}

/**
 * Opens a file; tensors are read when they are asked for. Throws a UserError where it is no safetensors file,
 * is cut short, or has bytes that belong to no tensor or to two (as when two tensors have one name).
 */
export async function openSafetensors(path: string): Promise<WeightFile> {
  const file = await openRegularFile(path).catch(unreadable(path))
  try {
    const { header, start, size } = await readHeader(file, path)
    const { __metadata__: metadata, ...entries } = header
    const places = Object.entries(entries).map(([name, entry]) => placeOf(name, entry, path))
    checkCoverage(places, size - start, path)
    const tensors = places.map(({ name, shape, type, offsets }): [string, StoredTensor] => [
      name,
      {
        name,
        shape,
        type,
        read: async () =>
          toFloats(type, await readExactly(file, start + offsets[0], offsets[1] - offsets[0])),
      },
    ])
    return {
      tensors: new Map(tensors),
      others: [],
      metadata: (metadata ?? {}) as Record<string, string>,
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Where each tensor of a file lies in it. Throws as `openSafetensors` does. */
export async function readTensorPlaces(path: string): Promise<ReadonlyMap<string, TensorPlace>> {
  const file = await openRegularFile(path).catch(unreadable(path))
  try {
    const { header, start } = await readHeader(file, path)
    const { __metadata__: _, ...entries } = header
    return new Map(
      Object.entries(entries).map(([key, entry]) => {
        const { name, shape, offsets } = placeOf(key, entry, path)
        return [name, { shape, offset: start + offsets[0], length: offsets[1] - offsets[0] }]
      }),
    )
  } finally {
    await file.close()
  }
}

/** Reads all tensors of a file at once. */
export async function readSafetensors(
  path: string,
): Promise<Pick<WeightFile, 'metadata'> & { readonly tensors: ReadonlyMap<string, NamedArray> }> {
  const file = await openSafetensors(path)
  try {
    const tensors = new Map<string, NamedArray>()
    for (const tensor of file.tensors.values()) {
      const { name, shape } = tensor
      tensors.set(name, { name, shape, data: await tensor.read() })
    }
    return { metadata: file.metadata, tensors }
  } finally {
    await file.close()
  }
}

async function readHeader(
  file: FileHandle,
  path: string,
): Promise<{ readonly header: Record<string, unknown>; readonly start: number; readonly size: number }> {
  const { size } = await file.stat()
  if (size < 8) throw new UserError(`${path} is not a safetensors file: it has ${size} bytes.`)
  const length = Number(Buffer.from(await readExactly(file, 0, 8)).readBigUInt64LE())
  if (length > longestHeader && length <= size - 8)
    throw new UserError(
      `${path} announces a header of ${length} bytes, and no more than ${longestHeader} are read: no model needs them.`,
    )
  if (length > size - 8)
    throw new UserError(
      `${path} is not a safetensors file, or is cut short: it has ${size} bytes and announces a header of ${length}.`,
    )
  const json = Buffer.from(await readExactly(file, 8, length)).toString()
  let header: unknown
  try {
    header = JSON.parse(json)
  } catch {}
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new UserError(`${path} is not a safetensors file: its header is not a JSON object.`)
  return { header: header as Record<string, unknown>, start: 8 + length, size }
}

interface Place {
  readonly name: string
  readonly shape: Shape
  readonly type: StoredTensor['type']
  /** First byte and the one after the last, behind the header. */
  readonly offsets: readonly [number, number]
}

function placeOf(name: string, entry: unknown, path: string): Place {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>
  if (!isElementType(dtype))
    throw new UserError(
      `${path}: the type of ${shownName(name)} is ${shownValue(dtype)}; read are ${Object.keys(elementBytes).join(', ')}. Save it as F32.`,
    )
  const [start, end, ...more] = isCounts(offsets) ? offsets : []
  if (!isShape(shape) || start === undefined || end === undefined || more.length > 0)
    throw new UserError(`${path}: the header's entry of ${shownName(name)} is damaged.`)
  if (end - start !== elementBytes[dtype] * sizeOf(shape))
    throw new UserError(
      `${path}: ${shownName(name)} is ${dtype} [${shape.join(', ')}], which is not the ${end - start} bytes that it has.`,
    )
  return { name, shape, type: dtype, offsets: [start, end] }
}

/** The format demands that the tensors cover the file without a gap. */
function checkCoverage(places: readonly Place[], length: number, path: string): void {
  let end = 0
  for (const { name, offsets } of places.toSorted(
    (a, b) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1],
  )) {
    if (offsets[0] !== end) {
      const what =
        offsets[0] > end ? 'leaves a gap (are two tensors of one name?)' : 'overlaps another tensor'
      throw new UserError(`${path} is damaged: ${shownName(name)} ${what} at byte ${end} of its values.`)
    }
    end = offsets[1]
  }
  if (end > length)
    throw new UserError(`${path} is cut short: ${length} bytes of values where its header announces ${end}.`)
  if (end < length)
    throw new UserError(`${path} is damaged: ${length - end} bytes at its end belong to no tensor.`)
}
