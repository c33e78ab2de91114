import { int64, op, type Shape, sizeOf, type Tensor } from './tensor.js'

/** Same elements, other shape; one size may be -1. A reshaping of a reshaping is written as one. */
export function reshape(given: Tensor, shape: Shape): Tensor {
  const { source } = given
  const x = source.kind === 'node' && source.node.op === 'Reshape' ? (source.node.inputs[0] as Tensor) : given
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1)
  const dims = shape.map((size) => (size === -1 ? sizeOf(x.shape) / known : size))
  if (sizeOf(dims) !== sizeOf(x.shape)) {
    throw new Error(`cannot reshape [${x.shape.join(', ')}] to [${shape.join(', ')}]`)
  }
  if (dims.join() === x.shape.join()) return x
  return op('Reshape', [x, int64(dims)], dims, {
    dtype: x.dtype,
    vjp: (gradient) => [reshape(gradient, x.shape)],
  })
}
