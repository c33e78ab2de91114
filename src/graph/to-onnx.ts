import { encodeModel, type InitializerProto, type NodeProto, type ValueProto } from './onnx-proto.js'
import type { Attribute, Node, Tensor, TensorData } from './ops/tensor.js'
import { topologicalOrder } from './topological-order.js'

export interface OnnxOptions {
  /** Results, by the name that a caller fetches them under. */
  readonly outputs: Readonly<Record<string, Tensor>>
  /** Tensors to put in the place of others (a parameter by a slice of the optimiser's vector, say). */
  readonly bind?: ReadonlyMap<Tensor, Tensor>
  /** Values of the parameters that are not bound. */
  readonly parameters?: (name: string) => InitializerProto['data']
  readonly metadata?: Readonly<Record<string, string>>
  /**
   * Writes the portable body of each composite that has one: WebGPU lacks DeformConv and LogSoftmax, the fastest on
   * the CPU (`needsPortable`).
   */
  readonly portable?: boolean
  /** Writes `barrier` before the results: a run that is given memory for all of them copies none. */
  readonly barred?: boolean
}

/**
 * An output that is a sequence, which onnxruntime-node computes and cannot hand over. It copies every result once more
 * into new memory, those that were written where the caller wanted them too, one after another, and ends with an error
 * at this one: behind it nothing is copied (`Session.run`).
 */
export const barrier = 'barrier'

/**
 * Writes what `outputs` need as an ONNX model. Equal nodes are written once; nodes that nothing reads are not
 * written at all, since only what can be reached from the outputs is walked.
 */
export function toOnnx({
  outputs,
  bind = new Map(),
  parameters,
  metadata,
  portable,
  barred = false,
}: OnnxOptions): Uint8Array {
  // A composite is written as its body; a bound tensor as what it is bound to.
  const resolve = (asked: Tensor): Tensor => {
    const tensor = bind.get(asked) ?? asked
    const node = tensor.source.kind === 'node' ? tensor.source.node : undefined
    const body = (portable && node?.portable) || node?.body
    return body ? resolve(body) : tensor
  }
  const names = new Map<Tensor, string>()
  const leaves = leafTable(parameters)
  const nodes: NodeProto[] = []
  const outputsByKey = new Map<string, readonly string[]>()
  // A node that makes a result carries the result's name, so that no copy is needed to give it one.
  const resultNames = new Map<Tensor, string>()
  for (const [name, asked] of Object.entries(outputs)) {
    const tensor = resolve(asked)
    if (tensor.source.kind === 'node' && !resultNames.has(tensor)) resultNames.set(tensor, name)
  }

  const nameOf = (asked: Tensor): string => {
    const tensor = resolve(asked)
    const known = names.get(tensor)
    if (known !== undefined) return known
    const name = leaves.nameOf(tensor)
    names.set(tensor, name)
    return name
  }

  for (const node of topologicalOrder(Object.values(outputs), ({ inputs }) => inputs, resolve)) {
    const reads = node.inputs.map((input) => (input ? nameOf(input) : ''))
    const key = nodeKey(node, reads)
    const same = outputsByKey.get(key)
    const outputNames =
      same ??
      node.outputs.map(
        (output, index) => resultNames.get(output) ?? `${node.op}_${nodes.length}${index ? `_${index}` : ''}`,
      )
    if (!same) {
      nodes.push({
        op: node.op,
        name: `${node.op}_${nodes.length}`,
        inputs: reads,
        outputs: outputNames,
        attributes: node.attributes,
      })
      outputsByKey.set(key, outputNames)
    }
    node.outputs.forEach((output, index) => {
      names.set(output, outputNames[index]!)
    })
  }

  const values: ValueProto[] = []
  for (const [name, asked] of Object.entries(outputs)) {
    const tensor = resolve(asked)
    const computed = nameOf(tensor)
    if (computed !== name)
      nodes.push({ op: 'Identity', name, inputs: [computed], outputs: [name], attributes: {} })
    values.push({ name, shape: tensor.shape, dtype: tensor.dtype })
  }
  const [first] = values
  if (barred && first) {
    nodes.push({
      op: 'SequenceConstruct',
      name: barrier,
      inputs: [first.name],
      outputs: [barrier],
      attributes: {},
    })
    values.unshift({ ...first, name: barrier, isSequence: true })
  }
  return encodeModel(
    {
      name: 'groundmill',
      nodes,
      inputs: [...leaves.inputs.values()],
      outputs: values,
      initializers: leaves.initializers,
    },
    metadata,
  )
}

/** Names the tensors that no node makes, and collects them for the file. */
function leafTable(parameters: OnnxOptions['parameters']) {
  const inputs = new Map<string, ValueProto>()
  const initializers: InitializerProto[] = []
  const constants = new Map<string, string>()
  const nameOf = (tensor: Tensor): string => {
    const { source, shape, dtype } = tensor
    if (source.kind === 'input') {
      inputs.set(source.name, { name: source.name, shape, dtype })
      return source.name
    }
    if (source.kind === 'parameter') {
      if (!parameters) throw new Error(`parameter ${source.name} has no value`)
      if (initializers.some((other) => other.name === source.name)) return source.name
      initializers.push({ name: source.name, shape, dtype, data: parameters(source.name) })
      return source.name
    }
    if (source.kind === 'constant') {
      const key = constantKey(tensor, source.data)
      const same = key && constants.get(key)
      if (same) return same
      const name = `constant_${initializers.length}`
      initializers.push({ name, shape, dtype, data: source.data })
      if (key) constants.set(key, name)
      return name
    }
    throw new Error(`${source.node.op} is read before it is written`)
  }
  return { inputs, initializers, nameOf }
}

function nodeKey(node: Node, reads: readonly string[]): string {
  const attributes = Object.entries(node.attributes).map(([name, value]: [string, Attribute]) => [
    name,
    value,
  ])
  return JSON.stringify([node.op, reads, attributes, node.outputs.length])
}

/** Small constants are shared by value; large ones would cost more to compare than to keep. */
function constantKey(tensor: Tensor, data: TensorData): string | undefined {
  if (data.length > 64) return undefined
  return `${tensor.dtype} [${tensor.shape.join()}] ${Array.from<number | bigint>(data).join()}`
}
