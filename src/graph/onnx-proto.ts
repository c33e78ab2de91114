/**
 * The messages of onnx.proto that a model file needs, written field by field.
 * Field numbers and enum values: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { Attribute, Dtype, Shape, TensorData } from './ops/tensor.js'

export interface NodeProto {
  readonly op: string
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

export interface ValueProto {
  readonly name: string
  readonly shape: Shape
  readonly dtype: Dtype
  /** Whether it is a sequence of such tensors. */
  readonly isSequence?: boolean
}

/** An initializer: with its bytes here, or at an offset of a file beside the model. */
export interface InitializerProto extends ValueProto {
  readonly data: TensorData | { readonly location: string; readonly offset: number; readonly length: number }
}

export interface GraphProto {
  readonly name: string
  readonly nodes: readonly NodeProto[]
  readonly inputs: readonly ValueProto[]
  readonly outputs: readonly ValueProto[]
  readonly initializers: readonly InitializerProto[]
}

const dataType: Record<Dtype, number> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 }

/** IR 10 with operator set 21: what onnxruntime 1.18 and later read. */
const irVersion = 10
const opset = 21

const message = (writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void) => {
  writer.tag(field, WireType.LengthDelimited).fork()
  write(writer)
  writer.join()
}
const text = (writer: BinaryWriter, field: number, value: string) =>
  writer.tag(field, WireType.LengthDelimited).string(value)
const integer = (writer: BinaryWriter, field: number, value: number) =>
  writer.tag(field, WireType.Varint).int64(value)

/** The bytes of a ModelProto. Metadata become its metadata_props. */
export function encodeModel(graph: GraphProto, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const writer = new BinaryWriter()
  integer(writer, 1, irVersion)
  text(writer, 2, 'groundmill')
  message(writer, 7, (inner) => writeGraph(inner, graph))
  message(writer, 8, (inner) => {
    text(inner, 1, '')
    integer(inner, 2, opset)
  })
  for (const [key, value] of Object.entries(metadata)) {
    message(writer, 14, (inner) => {
      text(inner, 1, key)
      text(inner, 2, value)
    })
  }
  return writer.finish()
}

function writeGraph(writer: BinaryWriter, graph: GraphProto) {
  for (const node of graph.nodes) message(writer, 1, (inner) => writeNode(inner, node))
  text(writer, 2, graph.name)
  for (const tensor of graph.initializers) message(writer, 5, (inner) => writeInitializer(inner, tensor))
  for (const value of graph.inputs) message(writer, 11, (inner) => writeValue(inner, value))
  for (const value of graph.outputs) message(writer, 12, (inner) => writeValue(inner, value))
}

function writeNode(writer: BinaryWriter, node: NodeProto) {
  for (const name of node.inputs) text(writer, 1, name)
  for (const name of node.outputs) text(writer, 2, name)
  text(writer, 3, node.name)
  text(writer, 4, node.op)
  for (const [name, value] of Object.entries(node.attributes)) {
    message(writer, 5, (inner) => writeAttribute(inner, name, value))
  }
}

function writeAttribute(writer: BinaryWriter, name: string, value: Attribute) {
  text(writer, 1, name)
  if (typeof value === 'number') {
    integer(writer, 3, value)
    integer(writer, 20, 2)
  } else if (typeof value === 'string') {
    text(writer, 4, value)
    integer(writer, 20, 3)
  } else if ('float' in value) {
    writer.tag(2, WireType.Bit32).float(value.float)
    integer(writer, 20, 1)
  } else {
    for (const item of value) integer(writer, 8, item)
    integer(writer, 20, 7)
  }
}

function writeInitializer(writer: BinaryWriter, tensor: InitializerProto) {
  for (const size of tensor.shape) integer(writer, 1, size)
  integer(writer, 2, dataType[tensor.dtype])
  text(writer, 8, tensor.name)
  const { data } = tensor
  if ('location' in data) {
    const place = { location: data.location, offset: `${data.offset}`, length: `${data.length}` }
    for (const [key, value] of Object.entries(place)) {
      message(writer, 13, (inner) => {
        text(inner, 1, key)
        text(inner, 2, value)
      })
    }
    integer(writer, 14, 1)
  } else {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    writer.tag(9, WireType.LengthDelimited).bytes(bytes)
  }
}

function writeValue(writer: BinaryWriter, value: ValueProto) {
  const tensorType = (type: BinaryWriter) =>
    message(type, 1, (tensor) => {
      integer(tensor, 1, dataType[value.dtype])
      message(tensor, 2, (shape) => {
        for (const size of value.shape) message(shape, 1, (dimension) => integer(dimension, 1, size))
      })
    })
  text(writer, 1, value.name)
  message(writer, 2, (type) => {
    if (value.isSequence) message(type, 4, (sequence) => message(sequence, 1, tensorType))
    else tensorType(type)
  })
}
