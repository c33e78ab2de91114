import { relu } from '../../graph/ops/activation.js'
import { add } from '../../graph/ops/elementwise.js'
import { spaceToDepth } from '../../graph/ops/shape.js'
import type { Tensor } from '../../graph/ops/tensor.js'
import type { ConvBackbone } from './config.js'
import { convParameters, dense, norm, sameConv } from './layers.js'

const epsilon = 1e-6

/**
 * A small residual network with Swin's way down: patches fold into channels (patch embedding, then patch
 * merging with a norm before the reduction), and normalisation runs over the channels of a place.
 *
 * @param image [N, S, S, 3]
 * @returns each stage's map, finest first: [N, S / (patch * 2^i), …, widths[i]]
 */
export function convBackbone(image: Tensor, { patch, widths, depths }: ConvBackbone): Tensor[] {
  const body = 'backbone.body'
  const patches = spaceToDepth(image, patch)
  const stem = sameConv(patches, convParameters(`${body}.patch_embed.proj`, 3 * patch * patch, widths[0], 3))
  let x = relu(norm(`${body}.patch_embed.norm`, stem, epsilon))
  return widths.map((width, stage) => {
    if (stage > 0) {
      const down = `${body}.layers.${stage - 1}.downsample`
      x = dense(`${down}.reduction`, norm(`${down}.norm`, spaceToDepth(x, 2), epsilon), width)
    }
    for (let block = 0; block < depths[stage]!; block++) {
      x = residualBlock(`${body}.layers.${stage}.blocks.${block}`, x, width)
    }
    return x
  })
}

function residualBlock(name: string, x: Tensor, width: number): Tensor {
  const first = relu(
    norm(`${name}.norm1`, sameConv(x, convParameters(`${name}.conv1`, width, width, 3)), epsilon),
  )
  const second = norm(
    `${name}.norm2`,
    sameConv(first, convParameters(`${name}.conv2`, width, width, 3)),
    epsilon,
  )
  return relu(add(x, second))
}
