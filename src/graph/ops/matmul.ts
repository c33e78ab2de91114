/** Matrix products and their gradients. */

import { broadcastShape, reduceSum, unbroadcast } from './broadcast.js'
import { reshape } from './reshape.js'
import { transpose } from './shape.js'
import { op, type Shape, sizeAt, sizeOf, type Tensor } from './tensor.js'

/** Swaps the two last axes. */
export function swapLast(x: Tensor): Tensor {
  const rank = x.shape.length
  const perm = x.shape.map((_, axis) => axis)
  perm[rank - 1] = rank - 2
  perm[rank - 2] = rank - 1
  return transpose(x, perm)
}

/** Batched product of [..., M, K] and [..., K, N]; the leading axes broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const m = sizeAt(a, -2)
  const n = sizeAt(b, -1)
  if (sizeAt(a, -1) !== sizeAt(b, -2))
    throw new Error(`matmul of [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`)
  const lead: Shape = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  return op('MatMul', [a, b], [...lead, m, n], {
    vjp: (gradient) => [
      unbroadcast(matmul(gradient, swapLast(b)), a.shape),
      unbroadcast(matmul(swapLast(a), gradient), b.shape),
    ],
  })
}

export interface GemmOptions {
  readonly transA?: boolean
  readonly transB?: boolean
  readonly bias?: Tensor
}

/** Two-dimensional product with transposes for free and a bias [N] added to every row. */
export function gemm(
  a: Tensor,
  b: Tensor,
  { transA = false, transB = false, bias }: GemmOptions = {},
): Tensor {
  const m = sizeAt(a, transA ? 1 : 0)
  const k = sizeAt(a, transA ? 0 : 1)
  const n = sizeAt(b, transB ? 0 : 1)
  if (sizeAt(b, transB ? 1 : 0) !== k)
    throw new Error(`gemm of [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`)
  return op('Gemm', bias ? [a, b, bias] : [a, b], [m, n], {
    attributes: { transA: transA ? 1 : 0, transB: transB ? 1 : 0 },
    vjp: (gradient) => [
      transA ? gemm(b, gradient, { transA: transB, transB: true }) : gemm(gradient, b, { transB: !transB }),
      transB ? gemm(gradient, a, { transA: true, transB: transA }) : gemm(a, gradient, { transA: !transA }),
      bias && reduceSum(gradient, [0]),
    ],
  })
}

/** x W^T + b over the last axis: x [..., I], weight [O, I] as PyTorch stores it, bias [O]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const width = sizeAt(x, -1)
  const flat = reshape(x, [sizeOf(x.shape) / width, width])
  return reshape(gemm(flat, weight, { transB: true, bias }), [...x.shape.slice(0, -1), sizeAt(weight, 0)])
}
