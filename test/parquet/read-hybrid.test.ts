import fc from 'fast-check'
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js'
import { describe, expect, it } from 'vitest'
import { readHybrid } from '../../src/parquet/read-hybrid.js'

/** Runs of one value or of eight bit-packed ones a group, as Parquet's Encodings.md has them. */
function encode(
  runs: readonly { readonly packed: boolean; readonly values: readonly number[] }[],
  width: number,
): Uint8Array {
  const bytes: number[] = []
  const varint = (value: number) => {
    let rest = value
    for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
    bytes.push(rest)
  }
  for (const { packed, values } of runs) {
    if (!packed) {
      varint(values.length << 1)
      for (let byte = 0; byte < Math.ceil(width / 8); byte++) bytes.push((values[0] >> (8 * byte)) & 255)
      continue
    }
    varint(((values.length / 8) << 1) | 1)
    const bits = values.flatMap((value) => Array.from({ length: width }, (_, bit) => (value >> bit) & 1))
    for (let at = 0; at < bits.length; at += 8) {
      bytes.push(bits.slice(at, at + 8).reduce((byte, bit, place) => byte | (bit << place), 0))
    }
  }
  return Uint8Array.from(bytes)
}

// Levels have one or two bits.
const widths = fc.oneof(fc.integer({ min: 1, max: 24 }), fc.constantFrom(1, 2))
const encoded = widths.chain((width) => {
  const value = fc.nat(2 ** width - 1)
  const same = fc
    .tuple(value, fc.integer({ min: 1, max: 300 }))
    .map(([one, count]) => ({ packed: false, values: new Array<number>(count).fill(one) }))
  const packed = fc
    .integer({ min: 1, max: 5 })
    .chain((groups) => fc.array(value, { minLength: groups * 8, maxLength: groups * 8 }))
    .map((values) => ({ packed: true, values }))
  return fc.array(fc.oneof(same, packed), { minLength: 1, maxLength: 6 }).map((runs) => ({ runs, width }))
})

describe("Parquet's hybrid of runs and packed bits", () => {
  it('is decoded to the values that were encoded, as hyparquet does', () => {
    fc.assert(
      fc.property(encoded, ({ runs, width }) => {
        const values = runs.flatMap((run) => run.values)
        const bytes = encode(runs, width)
        expect(Array.from(readHybrid(bytes, width, new Uint32Array(values.length)))).toEqual(values)
        if (width <= 8)
          expect(Array.from(readHybrid(bytes, width, new Uint8Array(values.length)))).toEqual(values)
        const theirs = new Array<number>(values.length)
        readRleBitPackedHybrid({ view: new DataView(bytes.buffer), offset: 0 }, width, theirs, bytes.length)
        expect(theirs).toEqual(values)
      }),
    )
  })

  it('may have padding behind the last value', () => {
    const bytes = encode([{ packed: true, values: [1, 0, 1, 0, 0, 0, 0, 0] }], 1)
    expect(Array.from(readHybrid(bytes, 1, new Uint8Array(3)))).toEqual([1, 0, 1])
  })

  it('is refused where it is cut short or says more than there is room for', () => {
    fc.assert(
      fc.property(encoded, ({ runs, width }) => {
        const count = runs.reduce((sum, run) => sum + run.values.length, 0)
        const bytes = encode(runs, width)
        const short = bytes.subarray(0, bytes.length - 1)
        expect(() => readHybrid(short, width, new Uint32Array(count))).toThrow(/run/)
      }),
    )
    const long = Uint8Array.from([0xfe, 0xff, 0xff, 0xff, 0x0f, 1])
    expect(() => readHybrid(long, 1, new Uint8Array(100))).toThrow('a run of 2147483647')
    expect(() => readHybrid(Uint8Array.from([0, 1]), 1, new Uint8Array(1))).toThrow('a run of 0')
    expect(() => readHybrid(new Uint8Array(9), 32, new Uint32Array(1))).toThrow('values of 32 bits')
    expect(() => readHybrid(Uint8Array.from([6, 5]), 2, new Uint8Array(3))).toThrow('a run of 5 in 2 bits')
    const endless = new Uint8Array(9).fill(255)
    expect(() => readHybrid(endless, 1, new Uint8Array(1))).toThrow('a run without a length')
  })
})
