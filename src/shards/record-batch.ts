/** Rows to Arrow record batches and back. */
import {
  type Data,
  DataType,
  type FixedSizeList,
  type List,
  makeData,
  RecordBatch,
  type Schema,
  Struct,
  type Vector,
  vectorFromArray,
} from 'apache-arrow'

type Row = Readonly<Record<string, unknown>>

/** One record batch of rows whose columns are those of the schema. */
export function recordBatch(schema: Schema, rows: readonly Row[]): RecordBatch {
  const children = schema.fields.map((field) =>
    columnData(
      field.type,
      rows.map((row) => row[field.name] ?? null),
    ),
  )
  const type = new Struct(schema.fields)
  return new RecordBatch(
    schema,
    makeData({ type, length: rows.length, nullCount: 0, children }) as Data<Struct>,
  )
}

/** A column by hand: Arrow's own builders copy picture bytes one by one. */
function columnData(type: DataType, values: readonly unknown[]): Data {
  if (DataType.isBinary(type)) {
    const parts = values as readonly Uint8Array[]
    const valueOffsets = offsetsOf(parts.map((part) => part.length))
    const data = new Uint8Array(valueOffsets[parts.length])
    parts.forEach((part, index) => {
      data.set(part, valueOffsets[index])
    })
    return makeData({ type, length: values.length, nullCount: 0, valueOffsets, data })
  }
  if (DataType.isStruct(type)) {
    const children = type.children.map((field) =>
      columnData(
        field.type,
        values.map((value) => (value as Row)[field.name] ?? null),
      ),
    )
    return makeData({ type: type as Struct, length: values.length, nullCount: 0, children })
  }
  if (DataType.isList(type)) {
    const lists = values as readonly (readonly unknown[])[]
    const child = columnData(type.children[0].type, lists.flat(1))
    const valueOffsets = offsetsOf(lists.map((list) => list.length))
    return makeData({ type: type as List, length: values.length, nullCount: 0, valueOffsets, child })
  }
  if (DataType.isFixedSizeList(type)) {
    const child = columnData(type.children[0].type, (values as readonly (readonly unknown[])[]).flat(1))
    return makeData({ type: type as FixedSizeList, length: values.length, nullCount: 0, child })
  }
  if (DataType.isFloat(type)) {
    return makeData({
      type,
      length: values.length,
      nullCount: 0,
      data: Float32Array.from(values as number[]),
    })
  }
  if (DataType.isInt(type)) {
    return makeData({ type, length: values.length, nullCount: 0, data: Int32Array.from(values as number[]) })
  }
  if (values.length === 0) {
    return makeData({
      type,
      length: 0,
      nullCount: 0,
      valueOffsets: new Int32Array(1),
      data: new Uint8Array(0),
    } as never)
  }
  return vectorFromArray(values, type).data[0]
}

function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1)
  lengths.forEach((length, index) => {
    offsets[index + 1] = offsets[index] + length
  })
  return offsets
}

/** The rows of a batch as plain objects; picture bytes are views, not copies. */
export function* rowsOf(batch: RecordBatch): Generator<Row> {
  const columns = batch.schema.fields.map((field, index) => ({
    name: field.name,
    read: reader(batch.getChildAt(index) as Vector),
  }))
  for (let row = 0; row < batch.numRows; row++) {
    const value: Record<string, unknown> = {}
    for (const { name, read } of columns) value[name] = read(row)
    yield value
  }
}

/** Reads one value of a vector as plain data. */
function reader(vector: Vector): (index: number) => unknown {
  const { type } = vector
  if (DataType.isStruct(type)) {
    const fields = type.children.map((field, index) => ({
      name: field.name,
      read: reader(vector.getChildAt(index) as Vector),
    }))
    return (index) => Object.fromEntries(fields.map(({ name, read }) => [name, read(index)]))
  }
  if (DataType.isList(type)) {
    const child = reader(vector.getChildAt(0) as Vector)
    const { valueOffsets } = vector.data[0] as Data<List>
    return (index) => {
      const items: unknown[] = []
      for (let at = valueOffsets[index]; at < valueOffsets[index + 1]; at++) items.push(child(at))
      return items
    }
  }
  if (DataType.isFixedSizeList(type)) {
    const size = type.listSize
    const child = reader(vector.getChildAt(0) as Vector)
    return (index) => Array.from({ length: size }, (_, at) => child(index * size + at))
  }
  return (index) => vector.get(index)
}
