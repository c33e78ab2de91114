/**
 * A tensor is a value that a graph will compute: a shape, an element type and where it comes from.
 *
 * Nothing is computed while a graph is built. A tensor points at the node that makes it, a node at the
 * tensors that it reads, so a graph is simply what can be reached from its outputs. Shapes are static: every
 * size is a number when the graph is built.
 */

export type Dtype = 'float32' | 'int32' | 'int64' | 'bool' | 'uint8'

export type Shape = readonly number[]

export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array

/** How a parameter starts: standard deviation of a normal, a constant, or a bound of a uniform around 0. */
export type Init =
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'constant'; readonly value: number }

export type Source =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'parameter'; readonly name: string; readonly init: Init; readonly frozen: boolean }
  | { readonly kind: 'constant'; readonly data: TensorData }
  | { readonly kind: 'node'; readonly node: Node; readonly index: number }

export interface Tensor {
  readonly shape: Shape
  readonly dtype: Dtype
  readonly source: Source
}

export type Attribute = number | string | readonly number[] | { readonly float: number }

/**
 * Vector-Jacobian product of a node: gradients of the loss with respect to each output (undefined where none
 * arrives) in, gradients with respect to each input (undefined where none flows) out, as more graph.
 */
export type Vjp = (gradients: readonly (Tensor | undefined)[]) => readonly (Tensor | undefined)[]

export interface Node {
  /** ONNX operator name. */
  readonly op: string
  readonly inputs: readonly (Tensor | undefined)[]
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly outputs: readonly Tensor[]
  readonly vjp: Vjp | undefined
  /** What a composite stands for: written in its place, while its gradient is its own. */
  readonly body: Tensor | undefined
  /** The same without the operator that `body` uses and some devices lack. */
  readonly portable: Tensor | undefined
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** As many sizes as there are axes. */
export type Sizes<Rank extends number, Known extends readonly number[] = []> = Known['length'] extends Rank
  ? Known
  : Sizes<Rank, [...Known, number]>

/**
 * The sizes of a tensor or value that has `rank` axes, as a tuple of that length.
 *
 * @throws Error where it has more axes or fewer
 */
export function sizesOf<Rank extends number>({ shape }: { readonly shape: Shape }, rank: Rank): Sizes<Rank> {
  if (shape.length !== rank) throw new Error(`a tensor of ${rank} axes is needed, not [${shape.join(', ')}]`)
  return shape as Sizes<Rank>
}

/**
 * The size of one axis; -1 is the last.
 *
 * @throws Error where there is no such axis
 */
export function sizeAt({ shape }: Tensor, axis: number): number {
  const size = shape.at(axis)
  if (size === undefined) throw new Error(`[${shape.join(', ')}] has no axis ${axis}`)
  return size
}

/** A value that is given at every run. */
export function input(name: string, shape: Shape, dtype: Dtype = 'float32'): Tensor {
  return { shape, dtype, source: { kind: 'input', name } }
}

/** A value that is learned, or with `frozen` kept as it starts; `name` is its key in a checkpoint. */
export function parameter(
  name: string,
  shape: Shape,
  init: Init,
  learned: 'learned' | 'frozen' = 'learned',
): Tensor {
  return { shape, dtype: 'float32', source: { kind: 'parameter', name, init, frozen: learned === 'frozen' } }
}

/** A value fixed when the graph is written; float32 from numbers, or as its typed array says. */
export function constant(data: TensorData | readonly number[], shape?: Shape): Tensor {
  const array = Array.isArray(data) ? Float32Array.from(data) : (data as TensorData)
  const dims = shape ?? [array.length]
  if (sizeOf(dims) !== array.length) {
    throw new Error(`constant of ${array.length} elements cannot have shape [${dims.join(', ')}]`)
  }
  return { shape: dims, dtype: dtypeOf(array), source: { kind: 'constant', data: array } }
}

/** A float32 scalar of shape []. */
export function scalar(value: number): Tensor {
  return constant([value], [])
}

/** An int64 vector, as ONNX wants for shapes, axes and indices. */
export function int64(values: readonly number[]): Tensor {
  return constant(BigInt64Array.from(values, (value) => BigInt(value)))
}

function dtypeOf(array: TensorData): Dtype {
  if (array instanceof Float32Array) return 'float32'
  if (array instanceof Int32Array) return 'int32'
  if (array instanceof BigInt64Array) return 'int64'
  return 'uint8'
}

export interface OutputSpec {
  readonly shape: Shape
  /** float32 where it is not given. */
  readonly dtype?: Dtype
}

/** As many tensors as there are elements in a list or tuple. */
export type Tensors<List extends readonly unknown[]> = { readonly [Index in keyof List]: Tensor }

export interface NodeSpec<Outputs extends readonly OutputSpec[]> {
  readonly inputs: readonly (Tensor | undefined)[]
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly outputs: Outputs
  /** Given the outputs, so that a gradient can use what the forward pass already computed. */
  readonly vjp?: (outputs: Tensors<Outputs>) => Vjp
}

/** Makes a node and gives its outputs. The one place where graphs grow. */
export function node<const Outputs extends readonly OutputSpec[]>(
  op: string,
  spec: NodeSpec<Outputs>,
): Tensors<Outputs> {
  const outputs: Tensor[] = []
  const created = {
    op,
    inputs: spec.inputs,
    attributes: spec.attributes ?? {},
    outputs,
    vjp: undefined as Vjp | undefined,
    body: undefined,
    portable: undefined,
  }
  spec.outputs.forEach(({ shape, dtype }, index) => {
    if (shape.some((size) => !Number.isInteger(size) || size < 0)) {
      throw new Error(`${op}: impossible output shape [${shape.join(', ')}]`)
    }
    outputs.push({ shape, dtype: dtype ?? 'float32', source: { kind: 'node', node: created, index } })
  })
  const tensors = outputs as readonly Tensor[] as Tensors<Outputs>
  created.vjp = spec.vjp?.(tensors)
  return tensors
}

/** A node with one output. */
export function op(
  name: string,
  inputs: readonly (Tensor | undefined)[],
  shape: Shape,
  rest: {
    readonly attributes?: Readonly<Record<string, Attribute>>
    readonly dtype?: Dtype
    /** Gradient of the output (and the output itself) in, gradients of the inputs out. */
    readonly vjp?: (gradient: Tensor, output: Tensor) => readonly (Tensor | undefined)[]
  } = {},
): Tensor {
  const { vjp } = rest
  const [output] = node<readonly [OutputSpec]>(name, {
    inputs,
    attributes: rest.attributes,
    outputs: [{ shape, dtype: rest.dtype }],
    vjp:
      vjp &&
      (([output]) =>
        ([gradient]) =>
          gradient ? vjp(gradient, output) : []),
  })
  return output
}

/**
 * An operation made of others, with a gradient of its own: for where the chain rule through the parts is
 * right but slow.
 *
 * @param body the result, built from `inputs`
 * @param vjp gradient of the result in, gradients of `inputs` out
 * @param portable the same result without an operator that `body` uses and some devices lack
 */
export function composite(
  name: string,
  inputs: readonly (Tensor | undefined)[],
  body: Tensor,
  vjp: (gradient: Tensor) => readonly (Tensor | undefined)[],
  portable?: Tensor,
): Tensor {
  const outputs: Tensor[] = []
  const created: Node = {
    op: name,
    inputs,
    attributes: {},
    outputs,
    vjp: ([gradient]) => (gradient ? vjp(gradient) : []),
    body,
    portable,
  }
  const output: Tensor = {
    shape: body.shape,
    dtype: body.dtype,
    source: { kind: 'node', node: created, index: 0 },
  }
  outputs.push(output)
  return output
}
