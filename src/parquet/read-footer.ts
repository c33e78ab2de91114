import type { CompressionCodec, LogicalType, ParquetType, SchemaElement, SchemaTree } from 'hyparquet'
import {
  CompressionCodecs,
  ConvertedTypes,
  FieldRepetitionTypes,
  ParquetTypes,
} from 'hyparquet/src/constants.js'
import { markGeoColumns } from 'hyparquet/src/geoparquet.js'
import { parquetSchema } from 'hyparquet/src/metadata.js'
import { listOf, numberOf, readThrift, structOf, structsOf, type ThriftStruct, textOf } from './thrift.js'

/** What the footer of a Parquet file says, as far as rows are read by it. */
export interface ParquetFooter {
  readonly schema: SchemaTree
  readonly rows: number
  readonly groups: readonly RowGroup[]
  /** What the writer has noted besides, by its key. */
  readonly notes: ReadonlyMap<string, string>
}

export interface RowGroup {
  readonly rows: number
  readonly chunks: readonly ColumnChunk[]
}

/** The pages of one leaf column in a row group. */
export interface ColumnChunk {
  readonly type: ParquetType
  /** Names from the top of the schema down to the leaf. */
  readonly path: readonly string[]
  readonly codec: CompressionCodec
  /** Values and nulls, and one for each empty list. */
  readonly entries: number
  /** Where its bytes begin in the file, and where they end. */
  readonly start: number
  readonly end: number
}

/** Names of the columns at the top of the schema. */
export const columnNames = ({ schema }: ParquetFooter): string[] =>
  schema.children.map(({ element }) => element.name)

/**
 * Reads the struct `FileMetaData` of parquet.thrift. Statistics and indexes are left alone: nothing is read
 * by them, and hyparquet, which converts them to their types, can be kept busy for minutes by a damaged one.
 *
 * @throws Error where the bytes are none, or say what cannot be
 */
export function readFooter(bytes: Uint8Array): ParquetFooter {
  const fields = readThrift(bytes)
  const elements = structsOf(fields, 2).map(elementOf)
  checkTree(elements)
  const notes = structsOf(fields, 5).map((note) => ({ key: textOf(note, 1) ?? '', value: textOf(note, 2) }))
  markGeoColumns(elements, notes)
  return {
    schema: parquetSchema({ schema: elements }),
    rows: countOf(fields, 3),
    groups: structsOf(fields, 4).map((group) => ({
      rows: countOf(group, 3),
      chunks: structsOf(group, 1).map(chunkOf),
    })),
    notes: new Map(notes.map(({ key, value = '' }) => [key, value])),
  }
}

/** A schema is nested as its rows are. hyparquet keeps the whole path of every element. */
const mostDepth = 100

/**
 * Holds that the elements are a tree: hyparquet steps over children by their number, and so back by a
 * negative one.
 */
function checkTree(elements: readonly SchemaElement[]) {
  if (elements.length === 0) throw new Error('no schema')
  /** For each open element, how many children are still to come. */
  const open: number[] = []
  for (const { num_children = 0 } of elements) {
    if (!(num_children >= 0 && num_children < elements.length)) {
      throw new Error(`an element of the schema with ${num_children} children`)
    }
    while (open.at(-1) === 0) open.pop()
    if (open.length > 0) open.push((open.pop() as number) - 1)
    open.push(num_children)
    if (open.length > mostDepth) throw new Error(`a schema of more than ${mostDepth} levels`)
  }
  if (open.some((children) => children > 0)) throw new Error('a schema with fewer elements than it counts')
}

function elementOf(fields: ThriftStruct): SchemaElement {
  return {
    type: ParquetTypes[numberOf(fields, 1) ?? -1],
    type_length: numberOf(fields, 2),
    repetition_type: FieldRepetitionTypes[numberOf(fields, 3) ?? -1],
    name: textOf(fields, 4) ?? '',
    num_children: numberOf(fields, 5),
    converted_type: ConvertedTypes[numberOf(fields, 6) ?? -1],
    scale: numberOf(fields, 7),
    precision: numberOf(fields, 8),
    field_id: numberOf(fields, 9),
    logical_type: logicalTypeOf(structOf(fields, 10)),
  }
}

/** Logical types of which there is nothing more to say, by their fields' numbers. */
const plainLogicalTypes: Readonly<Record<number, LogicalType>> = {
  1: { type: 'STRING' },
  2: { type: 'MAP' },
  3: { type: 'LIST' },
  4: { type: 'ENUM' },
  6: { type: 'DATE' },
  11: { type: 'NULL' },
  12: { type: 'JSON' },
  13: { type: 'BSON' },
  14: { type: 'UUID' },
  15: { type: 'FLOAT16' },
  16: { type: 'VARIANT' },
  17: { type: 'GEOMETRY' },
  18: { type: 'GEOGRAPHY' },
}

/** The union `LogicalType` of parquet.thrift, of which one field is there. */
function logicalTypeOf(fields: ThriftStruct | undefined): LogicalType | undefined {
  const [id] = fields?.keys() ?? []
  if (!fields || id === undefined) return undefined
  const plain = plainLogicalTypes[id]
  if (plain) return plain
  const about: ThriftStruct = structOf(fields, id) ?? new Map()
  const isTrue = (flag: number) => about.get(flag)?.type === 1
  switch (id) {
    case 5:
      return { type: 'DECIMAL', scale: numberOf(about, 1) ?? 0, precision: numberOf(about, 2) ?? 0 }
    case 7:
      return { type: 'TIME', isAdjustedToUTC: isTrue(1), unit: unitOf(structOf(about, 2)) }
    case 8:
      return { type: 'TIMESTAMP', isAdjustedToUTC: isTrue(1), unit: unitOf(structOf(about, 2)) }
    case 10:
      return { type: 'INTEGER', bitWidth: numberOf(about, 1) ?? 0, isSigned: isTrue(2) }
    default:
      return undefined
  }
}

function unitOf(fields: ThriftStruct | undefined) {
  if (fields?.has(1)) return 'MILLIS'
  if (fields?.has(2)) return 'MICROS'
  if (fields?.has(3)) return 'NANOS'
  throw new Error('a time without its unit')
}

function chunkOf(fields: ThriftStruct): ColumnChunk {
  if (textOf(fields, 1)) throw new Error('a column lies in another file')
  const about = structOf(fields, 3)
  const type = ParquetTypes[(about && numberOf(about, 1)) ?? -1]
  if (!about || !type) throw new Error('a column of a row group is not described')
  const codec = CompressionCodecs[numberOf(about, 4) ?? -1]
  if (!codec) throw new Error(`a codec that is not known (${numberOf(about, 4)})`)
  const path = listOf(about, 3).map((name) => (name.type === 8 ? Buffer.from(name.value).toString() : ''))
  const start = numberOf(about, 11) || countOf(about, 9)
  return { type, path, codec, entries: countOf(about, 5), start, end: start + countOf(about, 7) }
}

function countOf(fields: ThriftStruct, id: number): number {
  const value = numberOf(fields, id)
  if (value === undefined || !(value >= 0)) throw new Error(`the footer says ${value} where it says how many`)
  return value
}
