/** Operators that move elements without computing, and their gradients. */

import { expand, zeros } from './broadcast.js'
import { cast } from './elementwise.js'
import { reshape } from './reshape.js'
import {
  composite,
  constant,
  int64,
  node,
  op,
  sizeAt,
  sizeOf,
  sizesOf,
  type Tensor,
  type Tensors,
} from './tensor.js'

/** Permutes axes: axis i of the result is axis `perm[i]` of `x`. */
export function transpose(x: Tensor, perm: readonly number[]): Tensor {
  if (perm.every((axis, index) => axis === index)) return x
  const inverse = perm.map((_, axis) => perm.indexOf(axis))
  return op(
    'Transpose',
    [x],
    perm.map((axis) => sizeAt(x, axis)),
    { attributes: { perm }, dtype: x.dtype, vjp: (gradient) => [transpose(gradient, inverse)] },
  )
}

/**
 * Puts tensors side by side along an axis.
 *
 * @throws Error where there are none
 */
export function concat(xs: readonly Tensor[], axis: number): Tensor {
  const [first] = xs
  if (!first) throw new Error('there are no tensors to put side by side')
  if (xs.length === 1) return first
  const sizes = xs.map((x) => sizeAt(x, axis))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  return op(
    'Concat',
    xs,
    first.shape.map((size, at) => (at === axis ? total : size)),
    { attributes: { axis }, dtype: first.dtype, vjp: (gradient) => split(gradient, sizes, axis) },
  )
}

/** Cuts along an axis into pieces of the given sizes. */
export function split<const Sizes extends readonly number[]>(
  x: Tensor,
  sizes: Sizes,
  axis: number,
): Tensors<Sizes> {
  const shapes = sizes.map((size) => x.shape.map((whole, at) => (at === axis ? size : whole)))
  const parts =
    sizes.length === 1
      ? [x]
      : node('Split', {
          inputs: [x, int64(sizes)],
          attributes: { axis },
          outputs: shapes.map((shape) => ({ shape, dtype: x.dtype })),
          vjp: () => (gradients) => [
            concat(
              shapes.map((shape, index) => gradients[index] ?? zeros(shape)),
              axis,
            ),
          ],
        })
  return parts as readonly Tensor[] as Tensors<Sizes>
}

/** Elements start, start + step, … before end, along one axis. Steps are 1 or more. */
export function slice(x: Tensor, axis: number, start: number, end: number, step = 1): Tensor {
  const size = Math.ceil((end - start) / step)
  const whole = sizeAt(x, axis)
  return op(
    'Slice',
    [x, int64([start]), int64([end]), int64([axis]), int64([step])],
    x.shape.map((old, at) => (at === axis ? size : old)),
    {
      dtype: x.dtype,
      vjp: (gradient) => {
        if (step === 1) return [pad(gradient, axis, start, whole - end)]
        // Put step - 1 zeros behind each element, then fill up to the whole.
        const spaced = [...gradient.shape.slice(0, axis + 1), 1, ...gradient.shape.slice(axis + 1)]
        const filled = pad(reshape(gradient, spaced), axis + 1, 0, step - 1)
        const flat = reshape(
          filled,
          gradient.shape.map((old, at) => (at === axis ? old * step : old)),
        )
        const length = Math.min(size * step, whole - start)
        return [pad(slice(flat, axis, 0, length), axis, start, whole - start - length)]
      },
    },
  )
}

/** Zeros before and after along one axis. */
export function pad(x: Tensor, axis: number, before: number, after: number): Tensor {
  if (before === 0 && after === 0) return x
  const pads = x.shape.map((_, at) => (at === axis ? before : 0))
  const ends = x.shape.map((_, at) => (at === axis ? after : 0))
  return op(
    'Pad',
    [x, int64([...pads, ...ends])],
    x.shape.map((size, at) => (at === axis ? size + before + after : size)),
    { dtype: x.dtype, vjp: (gradient) => [slice(gradient, axis, before, before + sizeAt(x, axis))] },
  )
}

/** Rows of a table [V, D] by int32 or int64 indices of any shape: [...indices, D]. */
export function gatherRows(table: Tensor, indices: Tensor): Tensor {
  const [rows, width] = sizesOf(table, 2)
  return op('Gather', [table, indices], [...indices.shape, width], {
    attributes: { axis: 0 },
    vjp: (gradient) => {
      // As int32, which WebGPU can spread out, and which is half as long.
      const each = expand(reshape(cast(indices, 'int32'), [sizeOf(indices.shape), 1]), [
        sizeOf(indices.shape),
        width,
      ])
      return [scatterAdd(zeros([rows, width]), each, reshape(gradient, each.shape), 0), undefined]
    },
  })
}

/**
 * `data` with each of `updates` added at its index along one axis, as torch.Tensor.scatter_add; there is no
 * gradient.
 *
 * Not ScatterND, which would take whole rows: onnxruntime 1.30 shares its updates out over threads without a
 * lock, so that of two updates of one row one may be lost.
 *
 * @param indices int32 or int64, of the shape of `updates`
 */
export function scatterAdd(data: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor {
  return op('ScatterElements', [data, indices, updates], data.shape, {
    attributes: { axis, reduction: 'add' },
  })
}

/**
 * Blocks of pixels side by side in the channels: [N, H, W, C] to [N, H / b, W / b, b * b * C], ordered (row
 * in block, column in block, channel).
 */
export function spaceToDepth(x: Tensor, block: number): Tensor {
  const [n, h, w, c] = sizesOf(x, 4)
  const blocks = reshape(x, [n, h / block, block, w / block, block * c])
  return reshape(transpose(blocks, [0, 1, 3, 2, 4]), [n, h / block, w / block, block * block * c])
}

/** Nearest-neighbour upsampling of [N, H, W, C] by a whole factor. */
export function upsampleNearest(x: Tensor, factor: number): Tensor {
  const [n, h, w, c] = sizesOf(x, 4)
  const wide = expand(reshape(x, [n, h, 1, w, 1, c]), [n, h, factor, w, factor, c])
  return reshape(wide, [n, h * factor, w * factor, c])
}

/**
 * Places of a map in another order, [N, P, C] to [N, table.length, C]: row i is row `table[i]`, or zeros
 * where that is -1. No place may be read twice, so that the gradient is a rearrangement too; places that none
 * reads are left out.
 */
export function rearrange(x: Tensor, table: Int32Array): Tensor {
  const [n, places, channels] = sizesOf(x, 3)
  const inverse = new Int32Array(places).fill(-1)
  table.forEach((place, index) => {
    if (place < 0) return
    if (inverse[place] !== -1) throw new Error(`rearrange reads place ${place} twice`)
    inverse[place] = index
  })
  const source = table.includes(-1) ? pad(x, 1, 0, 1) : x
  const indices = constant(table.map((place) => (place < 0 ? places : place)))
  const shape = [n, table.length, channels]
  const body = op('Gather', [source, indices], shape, { attributes: { axis: 1 }, dtype: x.dtype })
  return composite('rearrange', [x], body, (gradient) => [rearrange(gradient, inverse)])
}
