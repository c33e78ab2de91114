/** Resizing of maps, and its gradient. */

import { matmul } from './matmul.js'
import { reshape } from './reshape.js'
import { constant, sizesOf, type Tensor } from './tensor.js'

/**
 * Bilinear resizing of [N, H, W, C] to [N, height, width, C] with aligned corners, as
 * torch.nn.functional.interpolate(mode='bilinear', align_corners=True): one product by a matrix along each
 * axis.
 */
export function resizeBilinear(x: Tensor, height: number, width: number): Tensor {
  const [n, h, w, channels] = sizesOf(x, 4)
  const wide = matmul(interpolation(width, w), x)
  const rows = reshape(wide, [n, h, width * channels])
  return reshape(matmul(interpolation(height, h), rows), [n, height, width, channels])
}

/** [to, from]: row i holds the shares of the two places between which i lies. */
function interpolation(to: number, from: number): Tensor {
  const matrix = new Float32Array(to * from)
  const step = to > 1 ? (from - 1) / (to - 1) : 0
  for (let index = 0; index < to; index++) {
    const at = index * step
    const low = Math.min(Math.floor(at), from - 1)
    const high = Math.min(low + 1, from - 1)
    // On the last place both are the same.
    matrix[index * from + low]! += 1 - (at - low)
    matrix[index * from + high]! += at - low
  }
  return constant(matrix, [to, from])
}
