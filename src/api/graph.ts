/**
 * A tensor language: an op builds an ONNX node and knows its gradient as more ops. Shapes are static. What is
 * built is written as an ONNX model and run by onnxruntime.
 *
 * @example
 * ```ts
 * import { constant, floats, grad, input, reduceSum, Session, square, sub, toOnnx } from 'groundmill/graph'
 *
 * const x = input('x', [3])
 * const loss = reduceSum(square(sub(x, constant([1, 2, 3]))))
 * const [slope] = grad(loss, [x])
 * const session = await Session.open(toOnnx({ outputs: { loss, slope } }))
 * const results = await session.run({ x: floats([2, 2, 2], [3]) })
 * console.log(results.loss.data, results.slope.data)
 * await session.close()
 * ```
 *
 * @module groundmill/graph
 */
export { type Device, type DeviceChoice, resolveDevice } from '../graph/device.js'
export { grad } from '../graph/grad.js'
export type { HeldValue } from '../graph/held-value.js'
export type { InitializerProto, ValueProto } from '../graph/onnx-proto.js'
export {
  gelu,
  hardSigmoid,
  logSoftmax,
  relu,
  sigmoid,
  softmax,
  softplus,
  tanh,
} from '../graph/ops/activation.js'
export { expand, reduceSum, zeros } from '../graph/ops/broadcast.js'
export { type ConvOptions, conv2d } from '../graph/ops/conv.js'
export { deformConv2d } from '../graph/ops/deform-conv.js'
export { dropBlock, dropout } from '../graph/ops/dropout.js'
export {
  abs,
  add,
  cast,
  clip,
  div,
  equal,
  exp,
  greater,
  less,
  log,
  maximum,
  minimum,
  mul,
  neg,
  type Operand,
  sqrt,
  square,
  stopGradient,
  sub,
  where,
} from '../graph/ops/elementwise.js'
export { type GemmOptions, gemm, linear, matmul, swapLast } from '../graph/ops/matmul.js'
export { groupNorm, l2Normalize, layerNorm } from '../graph/ops/norm.js'
export { maxPool, type PoolOptions } from '../graph/ops/pool.js'
export { logSumExp, reduceMean } from '../graph/ops/reduce.js'
export { reshape } from '../graph/ops/reshape.js'
export { resizeBilinear } from '../graph/ops/resize.js'
export {
  concat,
  gatherRows,
  pad,
  scatterAdd,
  slice,
  spaceToDepth,
  split,
  transpose,
  upsampleNearest,
} from '../graph/ops/shape.js'
export {
  type Attribute,
  composite,
  constant,
  type Dtype,
  type Init,
  input,
  int64,
  type Node,
  type NodeSpec,
  node,
  type OutputSpec,
  op,
  parameter,
  type Shape,
  type Sizes,
  type Source,
  scalar,
  sizeOf,
  sizesOf,
  type Tensor,
  type TensorData,
  type Tensors,
  type Vjp,
} from '../graph/ops/tensor.js'
export {
  floats,
  longs,
  Session,
  type SessionOptions,
  type SessionPort,
  type Value,
} from '../graph/session.js'
export { type OnnxOptions, toOnnx } from '../graph/to-onnx.js'
