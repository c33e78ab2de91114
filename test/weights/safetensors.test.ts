import { open as openFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { openWeightFile } from '../../src/weights/open-weight-file.js'
import { openSafetensors, readSafetensors, writeSafetensors } from '../../src/weights/safetensors.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

/** A file of a header and bytes that belong to it, or not. */
async function written(
  name: string,
  header: unknown,
  values: Uint8Array = new Uint8Array(0),
): Promise<string> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const path = join(folder, name)
  await writeFile(path, Buffer.concat([length, json, values]))
  return path
}

const refusalOf = async (path: string): Promise<string> => {
  const refusal = await openWeightFile(path).catch((error: Error) => error)
  expect(refusal).toBeInstanceOf(UserError)
  expect((refusal as Error).message).toContain(path)
  return (refusal as Error).message
}

describe('safetensors', () => {
  it('come back as they were written', async () => {
    const path = join(folder, 'round.safetensors')
    const array = fc
      .tuple(
        fc.string(),
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
        fc.infiniteStream(fc.float()),
      )
      .filter(([name]) => name !== '__metadata__')
      .map(([name, shape, values]) => {
        const size = shape.reduce((product, side) => product * side, 1)
        return { name, shape, data: Float32Array.from(values.take(size)) }
      })
    const arrays = fc.uniqueArray(array, { selector: ({ name }) => name, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(arrays, fc.dictionary(fc.string(), fc.string()), async (tensors, metadata) => {
        const places = await writeSafetensors(path, tensors, metadata)
        const read = await readSafetensors(path)
        expect([...read.tensors.keys()].sort()).toEqual(tensors.map(({ name }) => name).sort())
        for (const { name, shape, data } of tensors) {
          expect(read.tensors.get(name)).toEqual({ name, shape, data })
          const { offset, length } = places.get(name)!
          const bytes = (await readFile(path)).subarray(offset, offset + length)
          expect(Buffer.compare(bytes, new Uint8Array(data.buffer))).toBe(0)
        }
        expect(read.metadata).toEqual({ format: 'pt', ...metadata })
      }),
      { numRuns: 100 },
    )
  })

  it('are made as they are written, and not written at all where one fails', async () => {
    const path = join(folder, 'lazy.safetensors')
    const alive: string[] = []
    const lazy = (name: string, size: number) => ({
      name,
      shape: [2],
      read: async () => {
        alive.push(name)
        return new Float32Array(size).fill(alive.length)
      },
    })
    await writeSafetensors(path, [lazy('a', 2), lazy('b', 2)])
    expect(alive).toEqual(['a', 'b'])
    expect((await readSafetensors(path)).tensors.get('b')?.data).toEqual(Float32Array.of(2, 2))
    const before = await readFile(path)
    await expect(writeSafetensors(path, [lazy('a', 2), lazy('b', 3)])).rejects.toThrow(/b has 3 values/)
    expect(await readFile(path)).toEqual(before)
    await expect(writeSafetensors(path, [lazy('a', 2), lazy('a', 2)])).rejects.toThrow(
      /two tensors are named a/,
    )
  })

  it('of every element type are read as float32', async () => {
    const values = Buffer.alloc(40)
    values.writeDoubleLE(1 / 3, 0)
    values.writeFloatLE(-2.5, 8)
    values.writeUInt16LE(0x3c01, 12) // float16: 1 + 2^-10
    values.writeUInt16LE(0xbf80, 14) // bfloat16: -1
    values.writeBigInt64LE(-(2n ** 40n), 16)
    values.writeInt32LE(-7, 24)
    values.writeInt16LE(-300, 28)
    values.writeInt8(-3, 30)
    values.writeUInt8(200, 31)
    values.writeUInt8(1, 32)
    values.writeFloatLE(9, 36)
    const types = { F64: 0, F32: 8, F16: 12, BF16: 14, I64: 16, I32: 24, I16: 28, I8: 30, U8: 31, BOOL: 32 }
    const ends = [8, 12, 14, 16, 24, 28, 30, 31, 32, 33]
    const entries = Object.entries(types).map(([dtype, start], index) => [
      dtype,
      { dtype, shape: [], data_offsets: [start, ends[index]] },
    ])
    const path = await written('types', Object.fromEntries(entries), values.subarray(0, 33))
    const file = await openSafetensors(path)
    const read = await Promise.all([...file.tensors.values()].map(async (tensor) => (await tensor.read())[0]))
    await file.close()
    expect(read).toEqual([Math.fround(1 / 3), -2.5, 1 + 2 ** -10, -1, -(2 ** 40), -7, -300, -3, 200, 1])
  })

  it('of large files are read at their place, and no more of the file', async () => {
    // 400 MB that take no room: only the last value is written.
    const size = 100_000_000
    const entry = (start: number, end: number) => ({
      dtype: 'F32',
      shape: [(end - start) / 4],
      data_offsets: [start, end],
    })
    const path = await written('large', { a: entry(0, 4 * size), b: entry(4 * size, 4 * size + 4) })
    const { size: start } = await stat(path)
    const handle = await openFile(path, 'r+')
    await handle.write(new Uint8Array(Float32Array.of(2.5).buffer), 0, 4, start + 4 * size)
    await handle.close()
    const file = await openSafetensors(path)
    const before = process.memoryUsage().arrayBuffers
    expect(await file.tensors.get('b')?.read()).toEqual(Float32Array.of(2.5))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6)
    expect(file.tensors.get('a')?.shape).toEqual([size])
    await file.close()
  })

  it('that are damaged are refused with what is wrong', async () => {
    const entry = (start: number, end: number, shape = [(end - start) / 4], dtype = 'F32') => ({
      dtype,
      shape,
      data_offsets: [start, end],
    })
    const four = new Uint8Array(4)
    const twice = `{"a":${JSON.stringify(entry(0, 4))},"a":${JSON.stringify(entry(4, 8))}}`
    const cases: readonly (readonly [unknown, Uint8Array, RegExp])[] = [
      ['{"a":', four, /its header is not a JSON object/],
      ['[]', four, /its header is not a JSON object/],
      [{ a: null }, four, /type of a is missing; read are F64/],
      [{ a: entry(0, 4, [1], 'F8_E4M3') }, four, /type of a is "F8_E4M3"; read are F64, F32/],
      [{ a: entry(0, 4, [-1]) }, four, /entry of a is damaged/],
      [{ a: entry(0, 4, [2 ** 60]) }, four, /entry of a is damaged/],
      [{ a: { ...entry(0, 4), data_offsets: [0] } }, four, /entry of a is damaged/],
      [{ a: entry(0, 4, [2]) }, four, /a is F32 \[2\], which is not the 4 bytes/],
      [{ a: entry(0, 8) }, four, /cut short: 4 bytes of values where its header announces 8/],
      [{}, four, /4 bytes at its end belong to no tensor/],
      [twice, new Uint8Array(8), /a leaves a gap \(are two tensors of one name\?\) at byte 0/],
      [{ a: entry(0, 4), b: entry(0, 4) }, four, /b overlaps another tensor at byte 4/],
    ]
    for (const [header, values, message] of cases)
      expect(await refusalOf(await written('damaged', header, values))).toMatch(message)
    const path = join(folder, 'short')
    await writeFile(path, 'abc')
    expect(await refusalOf(path)).toMatch(/it has 3 bytes/)
    await writeFile(path, Buffer.alloc(9, 0xff))
    expect(await refusalOf(path)).toMatch(/announces a header of/)
    expect(await refusalOf(join(folder, 'nowhere'))).toMatch(/Cannot read/)
  })

  it('in shards are read through their index, by folder', async () => {
    const shards = await temporaryFolder()
    const one = (name: string, value: number) => ({ name, shape: [1], data: Float32Array.of(value) })
    await writeSafetensors(join(shards, 'model-1.safetensors'), [one('a', 1), one('b', 2)])
    await writeSafetensors(join(shards, 'model-2.safetensors'), [one('c', 3)])
    const index = join(shards, 'model.safetensors.index.json')
    const map = { a: 'model-1.safetensors', b: 'model-1.safetensors', c: 'model-2.safetensors' }
    await writeFile(index, JSON.stringify({ metadata: {}, weight_map: map }))
    const file = await openWeightFile(shards)
    expect([...file.tensors.keys()]).toEqual(['a', 'b', 'c'])
    expect(await file.tensors.get('c')?.read()).toEqual(Float32Array.of(3))
    await file.close()

    const cases: readonly (readonly [unknown, RegExp])[] = [
      [{ ...map, d: 'model-2.safetensors' }, /says that d is in model-2\.safetensors, where it is not/],
      [{ a: map.a, c: map.c }, /does not say that b is in model-1\.safetensors/],
      [{ a: '../model-1.safetensors' }, /does not name files beside it/],
      [{}, /does not name files beside it/],
    ]
    for (const [weight_map, message] of cases) {
      await writeFile(index, JSON.stringify({ weight_map }))
      expect(await refusalOf(index)).toMatch(message)
    }
  })
})
