/** Elementwise arithmetic with NumPy broadcasting, and its gradients. */

import { broadcastShape, unbroadcast } from './broadcast.js'
import { composite, type Dtype, op, scalar, type Tensor } from './tensor.js'

/** A tensor, or a number that stands for a float32 scalar. */
export type Operand = Tensor | number

const tensorOf = (operand: Operand): Tensor => (typeof operand === 'number' ? scalar(operand) : operand)

type BinaryVjp = (gradient: Tensor, a: Tensor, b: Tensor, output: Tensor) => readonly [Tensor?, Tensor?]

function binary(name: string, left: Operand, right: Operand, vjp: BinaryVjp): Tensor {
  const a = tensorOf(left)
  const b = tensorOf(right)
  return op(name, [a, b], broadcastShape(a.shape, b.shape), {
    dtype: a.dtype,
    vjp: (gradient, output) => {
      const [da, db] = vjp(gradient, a, b, output)
      return [da && unbroadcast(da, a.shape), db && unbroadcast(db, b.shape)]
    },
  })
}

export const add = (a: Operand, b: Operand): Tensor => binary('Add', a, b, (g) => [g, g])
export const sub = (a: Operand, b: Operand): Tensor => binary('Sub', a, b, (g) => [g, neg(g)])
export const mul = (a: Operand, b: Operand): Tensor =>
  binary('Mul', a, b, (g, x, y) => [mul(g, y), mul(g, x)])
export const div = (a: Operand, b: Operand): Tensor =>
  binary('Div', a, b, (g, _x, y, output) => [div(g, y), neg(div(mul(g, output), y))])

/** Larger of two, elementwise; at a tie each gets half of the gradient, as in PyTorch. */
export const maximum = (a: Operand, b: Operand): Tensor =>
  binary('Max', a, b, (g, x, y) => {
    const share = add(asFloat(greater(x, y)), mul(asFloat(equal(x, y)), 0.5))
    return [mul(g, share), mul(g, sub(1, share))]
  })

/** Smaller of two, elementwise; at a tie each gets half of the gradient, as in PyTorch. */
export const minimum = (a: Operand, b: Operand): Tensor =>
  binary('Min', a, b, (g, x, y) => {
    const share = add(asFloat(greater(y, x)), mul(asFloat(equal(x, y)), 0.5))
    return [mul(g, share), mul(g, sub(1, share))]
  })

function compare(name: string, left: Operand, right: Operand): Tensor {
  const a = tensorOf(left)
  const b = tensorOf(right)
  return op(name, [a, b], broadcastShape(a.shape, b.shape), { dtype: 'bool' })
}

export const greater = (a: Operand, b: Operand): Tensor => compare('Greater', a, b)
export const less = (a: Operand, b: Operand): Tensor => compare('Less', a, b)
export const equal = (a: Operand, b: Operand): Tensor => compare('Equal', a, b)

/** `a` where the bool `condition` holds, else `b`. */
export function where(condition: Tensor, left: Operand, right: Operand): Tensor {
  const a = tensorOf(left)
  const b = tensorOf(right)
  const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape))
  return op('Where', [condition, a, b], shape, {
    vjp: (gradient) => [
      undefined,
      unbroadcast(where(condition, gradient, 0), a.shape),
      unbroadcast(where(condition, 0, gradient), b.shape),
    ],
  })
}

function unary(name: string, x: Tensor, vjp: (gradient: Tensor, output: Tensor) => Tensor): Tensor {
  return op(name, [x], x.shape, { vjp: (gradient, output) => [vjp(gradient, output)] })
}

export const neg = (x: Tensor): Tensor => unary('Neg', x, (g) => neg(g))
export const exp = (x: Tensor): Tensor => unary('Exp', x, (g, y) => mul(g, y))
export const log = (x: Tensor): Tensor => unary('Log', x, (g) => div(g, x))
export const sqrt = (x: Tensor): Tensor => unary('Sqrt', x, (g, y) => div(mul(g, 0.5), y))
export const abs = (x: Tensor): Tensor => unary('Abs', x, (g) => mul(g, sign(x)))
export const square = (x: Tensor): Tensor => mul(x, x)

/** -1, 0 or 1, through which no gradient flows. WebGPU lacks Sign. */
const sign = (x: Tensor): Tensor =>
  composite('sign', [x], op('Sign', [x], x.shape), () => [], sub(asFloat(greater(x, 0)), asFloat(less(x, 0))))

/** Limits values to [low, high]; the gradient is 0 outside, and passes at the limits as in PyTorch. */
export function clip(x: Tensor, low: number, high: number): Tensor {
  return op('Clip', [x, scalar(low), scalar(high)], x.shape, {
    vjp: (gradient, output) => [mul(gradient, asFloat(equal(x, output)))],
  })
}

const onnxType: Record<Dtype, number> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 }

/** Converts the element type; a gradient flows only from float32 to float32, so none flows here. */
export function cast(x: Tensor, dtype: Dtype): Tensor {
  return x.dtype === dtype ? x : op('Cast', [x], x.shape, { dtype, attributes: { to: onnxType[dtype] } })
}

const asFloat = (condition: Tensor): Tensor => cast(condition, 'float32')

/** The same value, through which no gradient flows. */
export const stopGradient = (x: Tensor): Tensor => op('Identity', [x], x.shape, { dtype: x.dtype })
