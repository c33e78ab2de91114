import { Field, Schema } from 'apache-arrow'
import {
  i32,
  i64,
  list,
  numberOf,
  readThrift,
  struct,
  structOf,
  structsOf,
  type ThriftStruct,
  type ThriftValue,
  text,
  writeThrift,
} from './thrift.js'

/** A picture's struct as rows have it; null where there is none. */
export interface Picture {
  readonly bytes: Uint8Array | null
  readonly path: string | null
}

/**
 * A column of a row group: the pieces of its bytes, and what the footer says of it with places from the
 * file's start.
 */
export interface ColumnPieces {
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
  readonly column: ThriftValue
}

// Numbers of the fields of parquet.thrift, version 2.10.
const footer = { rows: 3, groups: 4 } as const
const group = { columns: 1, bytes: 2, rows: 3, offset: 5, compressed: 6, ordinal: 7 } as const
const chunk = { offset: 2, meta: 3, indexes: [4, 5, 6, 7] } as const
const meta = { path: 3, uncompressed: 6, compressed: 7, dataPage: 9, dictionaryPage: 11 } as const

const isPicture = ({ name }: Field) => name === 'image'

/** The schema without the pictures, which parquet-wasm is given. */
export const besidePictures = (schema: Schema): Schema =>
  new Schema(
    schema.fields
      .filter((field) => !isPicture(field))
      .map((field) => new Field(field.name, field.type, true)),
    schema.metadata,
  )

/**
 * A file in the making of which parquet-wasm makes all but the pictures. It would copy each of them several
 * times; here their bytes are pieces of the file as they are.
 *
 * @param whole an empty file of the whole schema, by which the footer is made
 */
export function pictureFile(schema: Schema, whole: Uint8Array) {
  const head = footerOf(whole)
  const place = schema.fields.findIndex(isPicture)
  /** Columns of the file that stand before the pictures'. */
  const before = leavesOf(schema.fields.slice(0, place))
  const groups: ThriftValue[] = []
  let at = magic.length
  let rows = 0
  return {
    begin: () => magic,
    /** Pieces of a row group: its pictures, and the file of one group in which all else of it is. */
    group(pictures: readonly Picture[], rest: Uint8Array): Uint8Array[] {
      const start = at
      const values = pictures.map(({ bytes }) => bytes)
      const bytes = pictureColumn(values, 'bytes', at)
      at += bytes.bytes
      const paths = pictures.map(({ path }) => (path === null ? null : Buffer.from(path)))
      const path = pictureColumn(paths, 'path', at)
      at += path.bytes
      const columns = [bytes, path]
      const [fields = new Map<number, ThriftValue>()] = structsOf(footerOf(rest), footer.groups)
      // Behind its own magic number, up to its page indexes and footer, the other file's bytes are taken as
      // they are.
      const pages = pagesOf(fields)
      const shift = at - pages.start
      const others = structsOf(fields, group.columns).map((column) => moved(column, shift))
      at += pages.end - pages.start
      const sizes = [...columns.map(({ column }) => column), ...others].map((column) => sizesOf(column))
      const sum = (name: 'uncompressed' | 'compressed') =>
        sizes.reduce((total, size) => total + size[name], 0)
      groups.push(
        struct({
          [group.columns]: list(12, [
            ...others.slice(0, before),
            ...columns.map(({ column }) => column),
            ...others.slice(before),
          ]),
          [group.bytes]: i64(sum('uncompressed')),
          [group.rows]: i64(pictures.length),
          [group.offset]: i64(start),
          [group.compressed]: i64(sum('compressed')),
          [group.ordinal]: { type: 4, value: groups.length & 0x7fff },
        }),
      )
      rows += pictures.length
      return [...columns.flatMap(({ pieces }) => pieces), rest.subarray(pages.start, pages.end)]
    },
    end(): Uint8Array[] {
      const fields = new Map(head)
      fields.set(footer.rows, i64(rows))
      fields.set(footer.groups, list(12, groups))
      const bytes = writeThrift(fields)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(bytes.length)
      return [bytes, length, magic]
    },
  }
}

const magic = Buffer.from('PAR1')

const leavesOf = (fields: readonly Field[]): number =>
  fields.reduce((sum, { type }) => sum + (type.children?.length ? leavesOf(type.children) : 1), 0)

function footerOf(file: Uint8Array): ThriftStruct {
  const end = file.length - 8
  const length = new DataView(file.buffer, file.byteOffset + end, 4).getUint32(0, true)
  return readThrift(file.subarray(end - length, end))
}

const metaOf = (column: ThriftStruct) => structOf(column, chunk.meta) ?? new Map<number, ThriftValue>()

/** Where the pages of a group's columns begin and end. */
function pagesOf(fields: ThriftStruct) {
  const parts = structsOf(fields, group.columns).map((column) => {
    const own = metaOf(column)
    const start = numberOf(own, meta.dictionaryPage) ?? (numberOf(own, meta.dataPage) as number)
    return { start, end: start + (numberOf(own, meta.compressed) as number) }
  })
  return {
    start: Math.min(...parts.map(({ start }) => start)),
    end: Math.max(...parts.map(({ end }) => end)),
  }
}

function sizesOf(column: ThriftValue) {
  const own = metaOf((column as { readonly fields: ThriftStruct }).fields)
  return {
    uncompressed: numberOf(own, meta.uncompressed) as number,
    compressed: numberOf(own, meta.compressed) as number,
  }
}

/** A column whose pages lie `shift` bytes further on. Page indexes stay behind: readers do without. */
function moved(column: ThriftStruct, shift: number): ThriftValue {
  const own = new Map(metaOf(column))
  for (const id of [meta.dataPage, meta.dictionaryPage]) {
    const place = numberOf(own, id)
    if (place !== undefined) own.set(id, i64(place + shift))
  }
  const fields = new Map(column)
  for (const id of chunk.indexes) fields.delete(id)
  const offset = numberOf(fields, chunk.offset)
  if (offset) fields.set(chunk.offset, i64(offset + shift))
  fields.set(chunk.meta, { type: 12, fields: own })
  return { type: 12, fields }
}

/** Pages of so many bytes at most, or of one value: a reader holds a page in memory. */
const pageBytes = 1 << 20

/**
 * One of the two columns of a struct of pictures, in plain pages: a length and the bytes of each value that
 * is there.
 */
function pictureColumn(values: readonly (Uint8Array | null)[], name: string, at: number): ColumnPieces {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for (let from = 0; from < values.length; ) {
    let [to, size] = [from, 0]
    while (to < values.length && (to === from || size < pageBytes)) size += 4 + (values[to++]?.length ?? 0)
    const page = values.slice(from, to)
    const levels = levelsOf(page)
    const lengths = Buffer.alloc(4 * page.length)
    const parts = page.flatMap((value, index) => {
      if (value === null) return []
      lengths.writeUInt32LE(value.length, 4 * index)
      return [lengths.subarray(4 * index, 4 * index + 4), value]
    })
    const length = levels.length + parts.reduce((sum, part) => sum + part.length, 0)
    // PageHeader: a data page whose values are plain and whose levels are run lengths.
    const data = struct({ 1: i32(page.length), 2: i32(plain), 3: i32(runs), 4: i32(runs) })
    const header = writeThrift(
      (struct({ 1: i32(0), 2: i32(length), 3: i32(length), 5: data }) as { readonly fields: ThriftStruct })
        .fields,
    )
    pieces.push(header, levels, ...parts)
    bytes += header.length + length
    from = to
  }
  const own = struct({
    1: i32(byteArray),
    2: list(5, [i32(plain), i32(runs)]),
    [meta.path]: list(8, [text('image'), text(name)]),
    4: i32(0),
    5: i64(values.length),
    [meta.uncompressed]: i64(bytes),
    [meta.compressed]: i64(bytes),
    [meta.dataPage]: i64(at),
  })
  return { pieces, bytes, column: struct({ [chunk.offset]: i64(0), [chunk.meta]: own }) }
}

const [byteArray, plain, runs] = [6, 0, 3]

/**
 * Definition levels as runs of one byte each, behind their length: 2 where there is a value, 1 where only its
 * struct is.
 */
function levelsOf(page: readonly (Uint8Array | null)[]): Uint8Array {
  const out: number[] = [0, 0, 0, 0]
  for (let from = 0; from < page.length; ) {
    const isThere = page[from] !== null
    let to = from
    while (to < page.length && (page[to] !== null) === isThere) to++
    for (let rest = (to - from) * 2; ; rest >>= 7) {
      out.push(rest >= 128 ? (rest & 127) | 128 : rest)
      if (rest < 128) break
    }
    out.push(isThere ? 2 : 1)
    from = to
  }
  const levels = Buffer.from(out)
  levels.writeUInt32LE(out.length - 4)
  return levels
}
