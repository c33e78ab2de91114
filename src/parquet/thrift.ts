/**
 * Thrift's compact protocol, in which Parquet writes its footers and page headers, without any knowledge of
 * what the fields mean: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */

/** A value by its type in the compact protocol. Whole numbers are safe integers. */
export type ThriftValue =
  | { readonly type: 1 | 2 }
  | { readonly type: 3 | 4 | 5 | 6; readonly value: number }
  | { readonly type: 7 | 8; readonly value: Uint8Array }
  | { readonly type: 9; readonly of: number; readonly items: readonly ThriftValue[] }
  | { readonly type: 12; readonly fields: ThriftStruct }

/** Fields by their numbers. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>

export const i32 = (value: number): ThriftValue => ({ type: 5, value })
export const i64 = (value: number): ThriftValue => ({ type: 6, value })
export const text = (value: string): ThriftValue => ({ type: 8, value: Buffer.from(value) })
export const list = (of: number, items: readonly ThriftValue[]): ThriftValue => ({ type: 9, of, items })
export const struct = (fields: Readonly<Record<number, ThriftValue>>): ThriftValue => ({
  type: 12,
  fields: new Map(Object.entries(fields).map(([id, value]) => [Number(id), value])),
})

/** The number that a field holds; undefined where there is none. */
export function numberOf(fields: ThriftStruct, id: number): number | undefined {
  const value = fields.get(id)
  return value && value.type >= 3 && value.type <= 6 ? (value as { readonly value: number }).value : undefined
}

/** The text that a field holds; undefined where there is none. */
export function textOf(fields: ThriftStruct, id: number): string | undefined {
  const value = fields.get(id)
  return value?.type === 8 ? Buffer.from(value.value).toString() : undefined
}

/** The struct that a field holds; undefined where there is none. */
export function structOf(fields: ThriftStruct, id: number): ThriftStruct | undefined {
  const value = fields.get(id)
  return value?.type === 12 ? value.fields : undefined
}

/** The values of a list that a field holds; empty where there is none. */
export function listOf(fields: ThriftStruct, id: number): readonly ThriftValue[] {
  const value = fields.get(id)
  return value?.type === 9 ? value.items : []
}

/**
 * The structs of a list that a field holds; empty where there is none. Throws an Error where it is of other
 * values.
 */
export function structsOf(fields: ThriftStruct, id: number): readonly ThriftStruct[] {
  return listOf(fields, id).map((item) => {
    if (item.type !== 12) throw new Error(`field ${id} of a Thrift struct is not a list of structs`)
    return item.fields
  })
}

/** Parquet's own structs are nested about six deep. */
const mostNested = 64

/**
 * Reads a struct. It takes no more memory than some constant times the bytes, whatever they say.
 *
 * @throws Error where the bytes end within it or hold a type that Parquet does not use
 */
export const readThrift = (bytes: Uint8Array): ThriftStruct => readThriftAt(bytes, 0).fields

/** As `readThrift`, from a place on; gives the place behind the struct, too. */
export function readThriftAt(
  bytes: Uint8Array,
  start: number,
): { readonly fields: ThriftStruct; readonly end: number } {
  const reader = { bytes, at: start, nested: 0 }
  const fields = readFields(reader)
  return { fields, end: reader.at }
}

interface Reader {
  readonly bytes: Uint8Array
  at: number
  nested: number
}

// Not closures of a read: there is one for every page, and to make them costs more than most headers.

function readFields(reader: Reader): ThriftStruct {
  const fields = new Map<number, ThriftValue>()
  for (let id = 0, head = readByte(reader); head !== 0; head = readByte(reader)) {
    id = head >> 4 === 0 ? readSigned(reader) : id + (head >> 4)
    fields.set(id, readValue(reader, head & 15))
  }
  return fields
}

function readValue(reader: Reader, type: number): ThriftValue {
  switch (type) {
    case 1:
    case 2:
      return { type }
    case 3:
      return { type, value: readByte(reader) }
    case 4:
    case 5:
    case 6:
      return { type, value: readSigned(reader) }
    case 7:
      return { type, value: takeBytes(reader, 8) }
    case 8:
      return { type, value: takeBytes(reader, readVarint(reader)) }
    case 9:
    case 12: {
      if (++reader.nested > mostNested) throw new Error('a Thrift struct is nested too deeply')
      const value: ThriftValue = type === 9 ? readList(reader) : { type, fields: readFields(reader) }
      reader.nested--
      return value
    }
    default:
      throw new Error(`Thrift type ${type} is not known`)
  }
}

function readList(reader: Reader): ThriftValue {
  const head = readByte(reader)
  const [of, size] = [head & 15, head >> 4 === 15 ? readVarint(reader) : head >> 4]
  // Each takes a byte at least. Without this a few bytes could ask for any amount of memory.
  if (size > reader.bytes.length - reader.at) throw new Error('a Thrift struct is cut short')
  const items: ThriftValue[] = []
  // A list's booleans are bytes of their own.
  for (let index = 0; index < size; index++) {
    items.push(of <= 2 ? { type: readByte(reader) as 1 | 2 } : readValue(reader, of))
  }
  return { type: 9, of, items }
}

function readByte(reader: Reader): number {
  const value = reader.bytes[reader.at++]
  if (value === undefined) throw new Error('a Thrift struct is cut short')
  return value
}

function readVarint(reader: Reader): number {
  let value = 0
  for (let factor = 1; factor < 2 ** 70; factor *= 128) {
    const part = readByte(reader)
    value += (part & 127) * factor
    if (part < 128) return value
  }
  throw new Error('a number of a Thrift struct is too long')
}

/** Zigzag: even numbers are positive. */
function readSigned(reader: Reader): number {
  const value = readVarint(reader)
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

function takeBytes(reader: Reader, length: number): Uint8Array {
  reader.at += length
  if (reader.at > reader.bytes.length) throw new Error('a Thrift struct is cut short')
  return reader.bytes.slice(reader.at - length, reader.at)
}

/** A struct's bytes, its fields in the order of their numbers. */
export function writeThrift(struct: ThriftStruct): Uint8Array {
  const out: number[] = []
  const varint = (value: number) => {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128)
    out.push(rest)
  }
  const signed = (value: number) => varint(value >= 0 ? value * 2 : -value * 2 - 1)
  const add = (bytes: Uint8Array) => {
    for (const byte of bytes) out.push(byte)
  }
  const write = (value: ThriftValue) => {
    switch (value.type) {
      case 3:
        out.push(value.value)
        break
      case 4:
      case 5:
      case 6:
        signed(value.value)
        break
      case 7:
        add(value.value)
        break
      case 8:
        varint(value.value.length)
        add(value.value)
        break
      case 9: {
        const size = value.items.length
        out.push((Math.min(size, 15) << 4) | value.of)
        if (size >= 15) varint(size)
        for (const item of value.items) {
          if (value.of <= 2) out.push(item.type)
          else write(item)
        }
        break
      }
      case 12:
        fields(value.fields)
    }
  }
  const fields = (given: ThriftStruct) => {
    let before = 0
    for (const [id, value] of [...given].sort(([a], [b]) => a - b)) {
      const step = id - before
      if (step < 16) out.push((step << 4) | value.type)
      else {
        out.push(value.type)
        signed(id)
      }
      write(value)
      before = id
    }
    out.push(0)
  }
  fields(struct)
  return Uint8Array.from(out)
}
