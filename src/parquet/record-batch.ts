import {
  type Data,
  DataType,
  type FixedSizeList,
  type Float,
  type List,
  makeData,
  Precision,
  RecordBatch,
  type Schema,
  Struct,
} from 'apache-arrow'
import { LruCache } from '../base/lru-cache.js'

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
    columnData(type, membersOf(rows, name, name), name, nullable),
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
  const wrong = (index: number, expected: string) => wrongValue(where, index, expected, values[index])
  const mayBeNull = nullable.has(where)
  const check = (isGood: (value: unknown) => boolean, expected: string, allowsNull = mayBeNull) => {
    for (let index = 0; index < length; index++)
      if (!isGood(values[index]) && !(allowsNull && isNull(values[index]))) throw wrong(index, expected)
  }
  const valid = mayBeNull ? validity(values) : {}
  if (DataType.isBinary(type)) {
    check((value) => value instanceof Uint8Array, 'bytes')
    const { offsets, data } = joined((values as (Uint8Array | null)[]).map((value) => value ?? empty))
    return makeData({ type, length, nullCount: 0, ...valid, valueOffsets: offsets, data })
  }
  if (DataType.isUtf8(type)) {
    check((value) => typeof value === 'string', 'a string')
    const { offsets, data } = joinedTexts(values.map((value) => (value as string | null) ?? ''))
    return makeData({ type, length, nullCount: 0, ...valid, valueOffsets: offsets, data })
  }
  if (DataType.isInt(type)) {
    const data = new Int32Array(length)
    for (let index = 0; index < length; index++) {
      const value = values[index]
      if (typeof value === 'number' && value === (value | 0)) data[index] = value
      else if (!(mayBeNull && isNull(value))) throw wrong(index, 'an int32')
    }
    return makeData({ type, length, nullCount: 0, ...valid, data })
  }
  if (DataType.isFloat(type)) {
    return makeData({
      type,
      length,
      nullCount: 0,
      ...valid,
      data: floatsOf(type, [values], where, mayBeNull),
    })
  }
  if (DataType.isBool(type)) {
    check((value) => typeof value === 'boolean', 'true or false', false)
    return makeData({ type, length, nullCount: 0, data: bits(values, (value) => value === true) })
  }
  if (DataType.isStruct(type)) {
    check((value) => typeof value === 'object' && value !== null, 'an object', false)
    const children = type.children.map((child) => {
      const path = `${where}.${child.name}`
      return columnData(child.type, membersOf(values as readonly Row[], child.name, path), path, nullable)
    })
    return makeData({ type: type as Struct, length, nullCount: 0, children })
  }
  const item = type.children[0]!.type
  const lists = values as Lists
  if (DataType.isFixedSizeList(type)) {
    const size = type.listSize
    check((value) => Array.isArray(value) && value.length === size, `${size} values`, false)
    const child = itemData(item, lists, where, nullable)
    return makeData({ type: type as FixedSizeList, length, nullCount: 0, child })
  }
  check((value) => Array.isArray(value), 'a list')
  const valueOffsets = offsetsOf(lists.map((list) => list?.length ?? 0))
  // A list in which nothing can be null has the same path as its items: theirs must be there.
  const child = itemData(item, lists, where, mayBeNull ? new Set() : nullable)
  return makeData({ type: type as List, length, nullCount: 0, ...valid, valueOffsets, child })
}

const wrongValue = (where: string, index: number, expected: string, value: unknown) =>
  new TypeError(`column ${where}, value ${index}: expected ${expected}, got ${String(value)}`)

type Lists = readonly (readonly unknown[] | null | undefined)[]

/** The items of all lists, one behind another. */
function itemData(item: DataType, lists: Lists, where: string, nullable: ReadonlySet<string>): Data {
  if (!DataType.isFloat(item) || nullable.has(where)) return columnData(item, itemsOf(lists), where, nullable)
  // Straight from the lists: boxes have four each, and an array of all would be garbage at once.
  const data = floatsOf(item, lists, where, false)
  return makeData({ type: item, length: data.length, nullCount: 0, data })
}

/** The numbers of all lists, one behind another, 0 where there is none and none need be. */
function floatsOf(type: Float, lists: Lists, where: string, mayBeNull: boolean): Float32Array | Float64Array {
  let length = 0
  for (const list of lists) length += list?.length ?? 0
  const data = type.precision === Precision.DOUBLE ? new Float64Array(length) : new Float32Array(length)
  let index = 0
  for (const list of lists)
    for (let at = 0; list && at < list.length; at++) {
      const value = list[at]
      if (typeof value === 'number' && Number.isFinite(value)) data[index] = value
      else if (!(mayBeNull && isNull(value))) throw wrongValue(where, index, 'a finite number', value)
      index++
    }
  return data
}

type Members = (values: readonly Row[]) => unknown[]

/** By their paths, of which the schemas of a process have some dozen. */
const members = new LruCache<string, Members>({ maxSize: 1000 })

/**
 * The values of a name. There is a function for each path: one for all would look the name up anew in every object,
 * where this knows the few shapes that objects of its path have.
 */
function membersOf(values: readonly Row[], name: string, path: string): unknown[] {
  // A name may hold dots, as paths do.
  const key = `${path}\0${name}`
  const known = members.get(key)
  if (known) return known(values)
  const taken = JSON.stringify(name)
  const made = new Function('values', `return values.map((value) => value[${taken}])`) as Members
  members.set(key, made)
  return made(values)
}

function itemsOf(lists: Lists): unknown[] {
  const items: unknown[] = []
  // Unlike `flat`, which asks each of them for more than it has.
  for (const list of lists) if (list) for (let at = 0; at < list.length; at++) items.push(list[at])
  return items
}

const isNull = (value: unknown) => value === null || value === undefined

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
  let nullCount = 0
  for (const value of values) if (isNull(value)) nullCount++
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
