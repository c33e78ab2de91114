import {
  type Data,
  DataType,
  type FixedSizeList,
  type List,
  makeData,
  Precision,
  RecordBatch,
  type Schema,
  Struct,
} from 'apache-arrow'

type Row = Readonly<Record<string, unknown>>

/**
 * One record batch of rows whose columns are those of the schema. Built by hand: Arrow's own builders copy
 * picture bytes one by one.
 *
 * @param nullable paths of the columns of strings, bytes, numbers and lists that may be null, whatever the
 * schema says; a value that is not there is null
 * @throws TypeError naming the column where a value is missing or cannot be held by it
 */
export function recordBatch(
  schema: Schema,
  nullable: ReadonlySet<string>,
  rows: readonly Row[],
): RecordBatch {
  const children = schema.fields.map(({ name, type }) =>
    columnData(
      type,
      rows.map((row) => row[name]),
      name,
      nullable,
    ),
  )
  const type = new Struct(schema.fields)
  return new RecordBatch(schema, makeData({ type, length: rows.length, nullCount: 0, children }))
}

function columnData(
  type: DataType,
  values: readonly unknown[],
  where: string,
  nullable: ReadonlySet<string>,
): Data {
  const length = values.length
  const wrong = (index: number, expected: string) =>
    new TypeError(`column ${where}, value ${index}: expected ${expected}, got ${String(values[index])}`)
  const check = (isGood: (value: unknown) => boolean, expected: string) => {
    const index = values.findIndex((value) => !isGood(value))
    if (index >= 0) throw wrong(index, expected)
  }
  const mayBeNull = nullable.has(where)
  const valid = mayBeNull ? validity(values) : {}
  if (DataType.isBinary(type)) {
    check((value) => value instanceof Uint8Array || (mayBeNull && isNull(value)), 'bytes')
    const { offsets, data } = joined((values as (Uint8Array | null)[]).map((value) => value ?? empty))
    return makeData({ type, length, nullCount: 0, ...valid, valueOffsets: offsets, data })
  }
  if (DataType.isUtf8(type)) {
    check((value) => typeof value === 'string' || (mayBeNull && isNull(value)), 'a string')
    const { offsets, data } = joinedTexts(values.map((value) => (value as string | null) ?? ''))
    return makeData({ type, length, nullCount: 0, ...valid, valueOffsets: offsets, data })
  }
  if (DataType.isInt(type)) {
    check((value) => isInt32(value) || (mayBeNull && isNull(value)), 'an int32')
    const data = new Int32Array(length)
    for (let index = 0; index < length; index++) data[index] = (values[index] as number | null) ?? 0
    return makeData({ type, length, nullCount: 0, ...valid, data })
  }
  if (DataType.isFloat(type)) {
    check((value) => Number.isFinite(value) || (mayBeNull && isNull(value)), 'a finite number')
    const data = type.precision === Precision.DOUBLE ? new Float64Array(length) : new Float32Array(length)
    for (let index = 0; index < length; index++) data[index] = (values[index] as number | null) ?? 0
    return makeData({ type, length, nullCount: 0, ...valid, data })
  }
  if (DataType.isBool(type)) {
    check((value) => typeof value === 'boolean', 'true or false')
    return makeData({ type, length, nullCount: 0, data: bits(values, (value) => value === true) })
  }
  if (DataType.isStruct(type)) {
    check((value) => typeof value === 'object' && value !== null, 'an object')
    const children = type.children.map((child) =>
      columnData(
        child.type,
        (values as Row[]).map((value) => value[child.name]),
        `${where}.${child.name}`,
        nullable,
      ),
    )
    return makeData({ type: type as Struct, length, nullCount: 0, children })
  }
  const item = type.children[0]!.type
  const lists = values as readonly (readonly unknown[])[]
  if (DataType.isFixedSizeList(type)) {
    const size = type.listSize
    check((value) => Array.isArray(value) && value.length === size, `${size} values`)
    const child = columnData(item, lists.flat(1), where, nullable)
    return makeData({ type: type as FixedSizeList, length, nullCount: 0, child })
  }
  check((value) => Array.isArray(value) || (mayBeNull && isNull(value)), 'a list')
  const valueOffsets = offsetsOf(lists.map((list) => list?.length ?? 0))
  // A list in which nothing can be null has the same path as its items: theirs must be there.
  const items = lists.flatMap((list) => list ?? [])
  const child = columnData(item, items, where, mayBeNull ? new Set() : nullable)
  return makeData({ type: type as List, length, nullCount: 0, ...valid, valueOffsets, child })
}

const isNull = (value: unknown) => value === null || value === undefined
const isInt32 = (value: unknown) => Number.isInteger(value) && value === ((value as number) | 0)

const empty = new Uint8Array(0)

function joined(parts: readonly Uint8Array[]): { offsets: Int32Array; data: Uint8Array } {
  const offsets = offsetsOf(parts.map((part) => part.length))
  const data = new Uint8Array(offsets[parts.length]!)
  parts.forEach((part, index) => {
    data.set(part, offsets[index])
  })
  return { offsets, data }
}

/** UTF-8 of texts, encoded together: a call for each would cost more than its letters. */
function joinedTexts(texts: readonly string[]): { offsets: Int32Array; data: Uint8Array } {
  const data = Buffer.from(texts.join(''))
  const length = texts.reduce((sum, text) => sum + text.length, 0)
  const isAscii = data.length === length
  const lengths = texts.map((text) => (isAscii ? text.length : Buffer.byteLength(text)))
  const offsets = offsetsOf(lengths)
  // Half a character at the end of one text and half at the start of the next must not become a whole one.
  if (offsets[texts.length] === data.length) return { offsets, data }
  return joined(texts.map((text) => Buffer.from(text)))
}

function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1)
  lengths.forEach((length, index) => {
    offsets[index + 1] = offsets[index]! + length
  })
  return offsets
}

/** Which values are there. */
function validity(values: readonly unknown[]): { nullCount: number; nullBitmap: Uint8Array } {
  const nullCount = values.filter(isNull).length
  return { nullCount, nullBitmap: bits(values, (value) => !isNull(value)) }
}

/** One bit a value, the lowest first: set where it passes. */
function bits(values: readonly unknown[], isSet: (value: unknown) => boolean): Uint8Array {
  const bitmap = new Uint8Array((values.length + 7) >> 3)
  values.forEach((value, index) => {
    const at = index >> 3
    if (isSet(value)) bitmap[at] = (bitmap[at] ?? 0) | (1 << (index & 7))
  })
  return bitmap
}
