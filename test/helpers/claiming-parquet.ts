import { i32, i64, list, struct, type ThriftValue, text, writeThrift } from '../../src/parquet/thrift.js'

const bytesOf = (value: ThriftValue) =>
  writeThrift((value as Extract<ThriftValue, { readonly type: 12 }>).fields)

/** A struct without the fields that are undefined. */
const sparse = (fields: Readonly<Record<number, ThriftValue | undefined>>) => {
  const there = Object.entries(fields).filter(
    (field): field is [string, ThriftValue] => field[1] !== undefined,
  )
  return struct(Object.fromEntries(there))
}

/** A number in groups of seven bits, the lowest first. */
export function varint(value: number): number[] {
  const out: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest]
    out.push((rest % 128) + 128)
  }
}

/** A run of one level or index of at most eight bits, behind the length of its bytes. */
export function levels(count: number, value: number): Buffer {
  const run = [...varint(count * 2), value]
  return Buffer.from([run.length, 0, 0, 0, ...run])
}

/** A page's header and its bytes as they lie in the file. */
export interface PageClaim {
  /** Of `PageHeader.type`: 0 data, 2 dictionary. */
  readonly type?: 0 | 2
  readonly bytes: Uint8Array
  /** What the header says that they are unpacked; as they lie by default. */
  readonly unpacked?: number
  /** What the header says that the page holds. */
  readonly values: number
  /** 0 plain, 8 indexes of a dictionary. */
  readonly encoding?: number
}

function pageOf({ type = 0, bytes, unpacked = bytes.length, values, encoding = 0 }: PageClaim): Buffer {
  const header = sparse({
    1: i32(type),
    2: i32(unpacked),
    3: i32(bytes.length),
    5: type === 0 ? struct({ 1: i32(values), 2: i32(encoding), 3: i32(3), 4: i32(3) }) : undefined,
    7: type === 2 ? struct({ 1: i32(values), 2: i32(0) }) : undefined,
  })
  return Buffer.concat([bytesOf(header), bytes])
}

/** A leaf column, with what the footer says of it. */
export interface ColumnClaim {
  readonly path: readonly string[]
  readonly pages: readonly PageClaim[]
  /** Of `CompressionCodec`: 0 none, 2 gzip, 6 zstd. */
  readonly codec?: number
  /** Values and nulls; what its pages of data say by default. */
  readonly entries?: number
}

/** An element of the schema below its root. */
export interface ElementClaim {
  readonly name: string
  /** 0 required, 1 optional, 2 repeated. */
  readonly repetition: 0 | 1 | 2
  /** How many elements behind it are its children; a leaf of texts where there are none. */
  readonly children?: number
  /** Of `ConvertedType`: 0 UTF8, 3 LIST. */
  readonly converted?: number
}

/** What a file says. */
export interface ParquetClaim {
  readonly elements: readonly ElementClaim[]
  /** How many of them are at the top; all that are no children by default. */
  readonly top?: number
  readonly columns: readonly ColumnClaim[]
  readonly rows: number
  /** Rows of its one group; as those of the file by default. */
  readonly group?: number
}

/** A Parquet file of one row group that says whatever is wanted, whether it is so or not. */
export function claimingParquet({ elements, top, columns, rows, group = rows }: ParquetClaim): Buffer {
  const parts: Buffer[] = [Buffer.from('PAR1')]
  let at = 4
  const chunks = columns.map(({ path, pages, codec = 0, entries }) => {
    const start = at
    const bytes = Buffer.concat(pages.map(pageOf))
    parts.push(bytes)
    at += bytes.length
    const isDictionary = pages[0]?.type === 2
    const values = pages.reduce((sum, { type = 0, values }) => sum + (type === 0 ? values : 0), 0)
    const first = isDictionary && pages[0] ? pageOf(pages[0]).length : 0
    return struct({
      2: i64(0),
      3: sparse({
        1: i32(6),
        2: list(5, [i32(0), i32(3), i32(8)]),
        3: list(
          8,
          path.map((name) => text(name)),
        ),
        4: i32(codec),
        5: i64(entries ?? values),
        6: i64(pages.reduce((sum, page) => sum + (page.unpacked ?? page.bytes.length), 0)),
        7: i64(bytes.length),
        9: i64(start + first),
        11: isDictionary ? i64(start) : undefined,
      }),
    })
  })
  const children = elements.reduce((sum, element) => sum + (element.children ?? 0), 0)
  const footer = bytesOf(
    struct({
      1: i32(1),
      2: list(12, [
        struct({ 4: text('schema'), 5: i32(top ?? elements.length - children) }),
        ...elements.map(({ name, repetition, children: inner, converted = inner ? undefined : 0 }) =>
          sparse({
            1: inner === undefined ? i32(6) : undefined,
            3: i32(repetition),
            4: text(name),
            5: inner === undefined ? undefined : i32(inner),
            6: converted === undefined ? undefined : i32(converted),
          }),
        ),
      ]),
      3: i64(rows),
      4: list(12, [struct({ 1: list(12, chunks), 2: i64(at - 4), 3: i64(group) })]),
    }),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return Buffer.concat([...parts, footer, length, Buffer.from('PAR1')])
}
