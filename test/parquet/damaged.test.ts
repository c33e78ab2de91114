import { brotliCompressSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import {
  i32,
  i64,
  list,
  readThrift,
  struct,
  type ThriftValue,
  text,
  writeThrift,
} from '../../src/parquet/thrift.js'
import { inBounds } from '../helpers/in-bounds.js'
import { type ParquetFixture, parquetFixtures, parquetRows } from '../helpers/parquet-fixtures.js'

const files = await parquetFixtures()
const peakBefore = process.resourceUsage().maxRSS

/** The most memory that this process had, in MB more than before the tests. */
const peak = () => (process.resourceUsage().maxRSS - peakBefore) / 1024

afterAll(() => {
  // What a row group may take, however small it is, and what the process takes besides.
  expect(peak()).toBeLessThan(900)
})

/** Reads it, which gives rows or an Error, in bounded time. */
async function outcome(bytes: Uint8Array): Promise<'rows' | Error> {
  const read = () =>
    parquetRows(bytes).then(
      () => 'rows' as const,
      (error: unknown) => error as Error,
    )
  const found = await inBounds(read)
  if (found !== 'rows') expect(found).toBeInstanceOf(Error)
  return found
}

describe('a damaged file', () => {
  it.each(files)(
    '$name ends in rows or an error, whatever bytes are wrong',
    async ({ bytes }: ParquetFixture) => {
      const outcomes = new Set<string>()
      const change = fc.tuple(fc.nat(bytes.length - 9), fc.nat(255))
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          const damaged = bytes.slice()
          for (const [at, byte] of changes) damaged[at] = byte
          outcomes.add(String(await outcome(damaged)).slice(0, 4))
        }),
        { numRuns: 40 },
      )
      expect([...outcomes]).not.toHaveLength(0)
    },
  )

  // These two bytes keep a decoder in JavaScript going for ever.
  it('of Brotli ends where wrong bytes lead nowhere', async () => {
    const bytes = files.find(({ name }) => name === 'brotli-1.0.parquet')!.bytes.slice()
    bytes[5429] = 224
    bytes[1703] = 61
    expect(await outcome(bytes)).toBeInstanceOf(Error)
  })

  it('that is cut short within its pages is refused', async () => {
    for (const { bytes } of files) {
      const footer = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true) + 8
      const short = Buffer.concat([bytes.subarray(0, 40), bytes.subarray(bytes.length - footer)])
      expect(await outcome(short)).toBeInstanceOf(Error)
    }
  })
})

const types = { INT32: 1, INT64: 2, BYTE_ARRAY: 6 } as const
const codecs = { UNCOMPRESSED: 0, SNAPPY: 1, GZIP: 2, BROTLI: 4, LZ4: 5, ZSTD: 6, LZ4_RAW: 7 } as const
const encodings = { PLAIN: 0, RLE_DICTIONARY: 8, DELTA_BINARY_PACKED: 5, DELTA_BYTE_ARRAY: 7 } as const

interface Made {
  readonly type?: keyof typeof types
  readonly codec?: keyof typeof codecs
  readonly encoding?: keyof typeof encodings
  readonly isOptional?: boolean
  /** How many values the header and the footer say there are. */
  readonly count: number
  readonly page: readonly number[]
  /** Size of the page that its header says it has, decompressed. */
  readonly size?: number
  readonly dictionary?: readonly number[]
  /** What is stored of a dictionary and of a page of no values: the page stands before and behind them. */
  readonly blank?: readonly number[]
  /** More elements behind the schema's own. */
  readonly scheme?: readonly ThriftValue[]
}

const fieldsOf = (value: ThriftValue) => (value as Extract<ThriftValue, { type: 12 }>).fields

/** A file of one column of one page, that says of itself what it is told to say. */
function fileOf(made: Made): Uint8Array {
  const { type = 'INT32', codec = 'UNCOMPRESSED', encoding = 'PLAIN', isOptional = false, count, page } = made
  const about = struct({ 1: i32(count), 2: i32(encodings[encoding]), 3: i32(3), 4: i32(3) })
  const { size = page.length, dictionary } = made
  const header = struct({ 1: i32(0), 2: i32(size), 3: i32(page.length), 5: about })
  const pages: number[] = []
  if (dictionary) {
    const own = struct({ 1: i32(1), 2: i32(0) })
    const before = struct({ 1: i32(2), 2: i32(dictionary.length), 3: i32(dictionary.length), 7: own })
    pages.push(...writeThrift(fieldsOf(before)), ...dictionary)
  }
  const whole = [...writeThrift(fieldsOf(header)), ...page]
  if (made.blank) {
    const { blank } = made
    const none = { 1: i32(0), 2: i32(encodings[encoding]), 3: i32(3), 4: i32(3) }
    const of = (kind: number, about: Readonly<Record<number, ThriftValue>>) =>
      writeThrift(fieldsOf(struct({ 1: i32(kind), 2: i32(0), 3: i32(blank.length), ...about })))
    pages.push(...of(2, { 7: struct(none) }), ...blank, ...whole, ...of(0, { 5: struct(none) }), ...blank)
  }
  pages.push(...whole)
  const rows = made.blank ? 2 * count : count
  const meta = struct({
    ...{ 1: i32(types[type]), 2: list(5, [i32(0)]), 3: list(8, [text('x')]), 4: i32(codecs[codec]) },
    ...{ 5: i64(rows), 6: i64(pages.length), 7: i64(pages.length), 9: i64(4) },
  })
  const scheme = made.scheme ?? [
    struct({ 4: text('root'), 5: i32(1) }),
    struct({ 1: i32(types[type]), 3: i32(isOptional ? 1 : 0), 4: text('x') }),
  ]
  const group = struct({ 1: list(12, [struct({ 2: i64(4), 3: meta })]), 2: i64(0), 3: i64(rows) })
  const footer = writeThrift(
    fieldsOf(struct({ 1: i32(1), 2: list(12, scheme), 3: i64(rows), 4: list(12, [group]) })),
  )
  const end = Buffer.alloc(4)
  end.writeUInt32LE(footer.length)
  return Buffer.concat([Buffer.from('PAR1'), Uint8Array.from(pages), footer, end, Buffer.from('PAR1')])
}

/** 2^31 - 1 times the same, as a run length of it. */
const longest = [0xfe, 0xff, 0xff, 0xff, 0x0f]

describe('a file that asks for too much', () => {
  it('is made by these tests as files are', async () => {
    expect(await parquetRows(fileOf({ count: 2, page: [1, 0, 0, 0, 2, 0, 0, 0] }))).toEqual([
      { x: 1 },
      { x: 2 },
    ])
    const nulls = { isOptional: true, count: 3, page: [2, 0, 0, 0, 6, 0] }
    expect(await parquetRows(fileOf(nulls))).toEqual([{ x: null }, { x: null }, { x: null }])
    const dictionary = { dictionary: [7, 0, 0, 0], encoding: 'RLE_DICTIONARY', count: 3, page: [0] } as const
    expect(await parquetRows(fileOf(dictionary))).toEqual([{ x: 7 }, { x: 7 }, { x: 7 }])
    const snappy = { codec: 'SNAPPY', size: 4, count: 1, page: [4, 12, 9, 0, 0, 0] } as const
    expect(await parquetRows(fileOf(snappy))).toEqual([{ x: 9 }])
    // Blocks as Hadoop frames them, of four bytes as they are, and one without its frame.
    const four = (value: number) => [0x40, value, 0, 0, 0]
    const framed = (value: number) => [0, 0, 0, 4, 0, 0, 0, 5, ...four(value)]
    const hadoop = { codec: 'LZ4', size: 8, count: 2, page: [...framed(9), ...framed(8)] } as const
    expect(await parquetRows(fileOf(hadoop))).toEqual([{ x: 9 }, { x: 8 }])
    const bare = { codec: 'LZ4', size: 4, count: 1, page: four(7) } as const
    expect(await parquetRows(fileOf(bare))).toEqual([{ x: 7 }])
    // One block of one byte four times.
    const zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x23, 0, 0, 1]
    const repeated = { codec: 'ZSTD', size: 4, count: 1, page: zstd } as const
    expect(await parquetRows(fileOf(repeated))).toEqual([{ x: 0x01010101 }])
    // Blocks of 128 values in 4 parts, 2 values, first 5, least step 3, no bits.
    const delta = {
      encoding: 'DELTA_BINARY_PACKED',
      count: 2,
      page: [128, 1, 4, 2, 10, 6, 0, 0, 0, 0],
    } as const
    expect(await parquetRows(fileOf(delta))).toEqual([{ x: 5 }, { x: 8 }])
  })

  const zstdOfNothing = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0]
  it.each([
    ['UNCOMPRESSED', []],
    ['SNAPPY', [0]],
    ['GZIP', [...gzipSync('')]],
    ['BROTLI', [...brotliCompressSync('')]],
    ['LZ4', [0]],
    ['LZ4', [0, 0, 0, 0, 0, 0, 0, 1, 0]],
    ['LZ4_RAW', [0]],
    ['ZSTD', zstdOfNothing],
  ] as const)('may have pages of nothing, of %s as %j', async (codec, blank) => {
    // Three nulls, whose levels are 6 bytes.
    const page = { isOptional: true, count: 3, size: 6 }
    const levels = [2, 0, 0, 0, 6, 0]
    const stored = {
      UNCOMPRESSED: levels,
      SNAPPY: [6, 20, ...levels],
      GZIP: [...gzipSync(Buffer.from(levels))],
      BROTLI: [...brotliCompressSync(Buffer.from(levels))],
      LZ4: [0x60, ...levels],
      LZ4_RAW: [0x60, ...levels],
      ZSTD: [0x28, 0xb5, 0x2f, 0xfd, 0x20, 6, 6 * 8 + 1, 0, 0, ...levels],
    }[codec]
    const file = fileOf({ ...page, codec, blank, page: stored })
    expect(await parquetRows(file)).toEqual(Array.from({ length: 6 }, () => ({ x: null })))
  })

  const count = 2 ** 31 - 1
  // Blocks of 128 values in 4 parts of no bits, as many as are said, all of them the same step.
  const same = (values: number, first: number, step: number) => {
    const varint = (value: number): number[] =>
      value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
    const blocks = Array.from({ length: Math.ceil((values - 1) / 128) }, () => [2 * step, 0, 0, 0, 0]).flat()
    return [...varint(128), 4, ...varint(values), ...varint(2 * first), ...blocks]
  }
  const shared = 40_000
  const cases: Readonly<Record<string, readonly [Made, RegExp]>> = {
    'a run of nulls': [{ isOptional: true, count, page: [6, 0, 0, 0, ...longest, 0] }, /ask for more/],
    'a run of one value': [
      { dictionary: [7, 0, 0, 0], encoding: 'RLE_DICTIONARY', count, page: [1, ...longest, 0] },
      /ask for more/,
    ],
    'values of no bits': [
      { dictionary: [7, 0, 0, 0], encoding: 'RLE_DICTIONARY', count, page: [0] },
      /ask for more/,
    ],
    'plain values': [{ count, page: [1, 0, 0, 0] }, /has not 2147483647 values/],
    'a Snappy page': [
      { codec: 'SNAPPY', size: 2 ** 30, count: 1, page: [4, 12, 9, 0, 0, 0] },
      /ask for more/,
    ],
    'a Snappy stream of another size': [
      { codec: 'SNAPPY', size: 4, count: 1, page: [255, 255, 255, 127, 12, 9, 0, 0, 0] },
      /not of the 4 bytes that it says/,
    ],
    'a Zstandard frame of another size': [
      {
        codec: 'ZSTD',
        size: 4,
        count: 1,
        page: [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x7f, 0x23, 0, 0, 1],
      },
      /not of the 4 bytes that it says/,
    ],
    // A megabyte of zeros.
    'a gzip stream of more than it says': [
      { codec: 'GZIP', size: 4, count: 1, page: [...gzipSync(new Uint8Array(2 ** 20))] },
      /not compressed as it says/,
    ],
    'a Brotli stream of more than it says': [
      { codec: 'BROTLI', size: 4, count: 1, page: [...brotliCompressSync(new Uint8Array(2 ** 20))] },
      /not compressed as it says/,
    ],
    // A block that makes nothing and takes 8 bytes less than nothing, which leads back to where it stands.
    'a block of LZ4 that leads backwards': [
      {
        codec: 'LZ4',
        size: 4,
        count: 1,
        page: [0, 0, 0, 0, 255, 255, 255, 248, ...new Array<number>(9).fill(0)],
      },
      /not compressed as it says/,
    ],
    'parts of a block without an end': [
      { encoding: 'DELTA_BINARY_PACKED', count: 2, page: [128, 1, 255, 255, 255, 255, 15, 2, 10, 6] },
      /a block of 128 values/,
    ],
    'a block of no parts': [
      { encoding: 'DELTA_BINARY_PACKED', count: 200, page: [128, 1, 0, 200, 1, 10, 6, 0, 0] },
      /a block of 128 values in 0 parts/,
    ],
    'a number without an end': [
      { encoding: 'DELTA_BINARY_PACKED', count: 200, page: new Array<number>(100_000).fill(128) },
      /a number without an end/,
    ],
    // The n-th value begins with the n - 1 bytes of the one before it: 40,000 bytes stand for 800 MB.
    'values that share all before them': [
      {
        ...{ type: 'BYTE_ARRAY', encoding: 'DELTA_BYTE_ARRAY', count: shared },
        page: [...same(shared, 0, 1), ...same(shared, 1, 0), ...new Array<number>(shared).fill(65)],
      },
      /ask for more/,
    ],
    'a schema without an end': [
      { count: 1, page: [], scheme: new Array<ThriftValue>(200).fill(struct({ 4: text('x'), 5: i32(1) })) },
      /more than 100 levels/,
    ],
    'a schema that leads backwards': [
      {
        count: 1,
        page: [],
        scheme: [struct({ 4: text('root'), 5: i32(1) }), struct({ 4: text('x'), 5: i32(-1) })],
      },
      /-1 children/,
    ],
  }

  it.each(Object.entries(cases))('%s is refused', async (_, [made, message]) => {
    const found = await outcome(fileOf(made))
    expect(found).toBeInstanceOf(Error)
    expect((found as Error).message).toMatch(message)
  })

  it('a list without an end is refused before there is memory for it', () => {
    // Lists in lists that say to have 2^24 items each.
    const bytes = Buffer.concat([...Array.from({ length: 30 }, () => Buffer.from([0xf9, 128, 128, 128, 8]))])
    expect(() => readThrift(Buffer.concat([Buffer.from([0x19]), bytes]))).toThrow('cut short')
  })
})
