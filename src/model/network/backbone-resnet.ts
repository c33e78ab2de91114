/**
 * ResNet with bottlenecks (He et al. 2016), with the parameter names of torchvision and its stride in the 3x3
 * convolution.
 */
import { relu } from '../../graph/ops/activation.js'
import { conv2d } from '../../graph/ops/conv.js'
import { add, mul } from '../../graph/ops/elementwise.js'
import { maxPool } from '../../graph/ops/pool.js'
import { reshape } from '../../graph/ops/reshape.js'
import { parameter, sizeAt, type Tensor } from '../../graph/ops/tensor.js'
import type { ResnetBackbone } from './config.js'

/** A bottleneck's last convolution has four times the channels of its others. */
const expansion = 4

/**
 * @param image [N, H, W, 3]
 * @returns each stage's map, finest first: [N, H / (4 * 2^i), …, widths[i]]
 */
export function resnetBackbone(image: Tensor, { widths, depths }: ResnetBackbone): Tensor[] {
  const body = 'backbone.body'
  const stem = relu(frozenConv(`${body}.conv1`, `${body}.bn1`, image, widths[0] / expansion, 7, 2))
  let x = maxPool(stem, { kernel: 3, stride: 2, pad: 1 })
  return widths.map((width, stage) => {
    for (let block = 0; block < depths[stage]!; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1
      x = bottleneck(`${body}.layer${stage + 1}.${block}`, x, width, stride)
    }
    return x
  })
}

/**
 * 1x1 to fewer channels, 3x3, 1x1 to `width` channels, added to what was there, projected where its shape
 * differs.
 */
export function bottleneck(name: string, x: Tensor, width: number, stride: number): Tensor {
  const inner = width / expansion
  const first = relu(frozenConv(`${name}.conv1`, `${name}.bn1`, x, inner, 1, 1))
  const second = relu(frozenConv(`${name}.conv2`, `${name}.bn2`, first, inner, 3, stride))
  const third = frozenConv(`${name}.conv3`, `${name}.bn3`, second, width, 1, 1, lastScale)
  const { length, [length - 1]: channels } = x.shape
  const kept =
    stride === 1 && channels === width
      ? x
      : frozenConv(`${name}.downsample.0`, `${name}.downsample.1`, x, width, 1, stride)
  return relu(add(third, kept))
}

/**
 * Where the norm of a block's last convolution starts without imported weights: blocks that add little train
 * from the start.
 */
const lastScale = 0.25

/**
 * A convolution and a batch norm that is never trained: with its statistics folded into its weight and bias,
 * a scale and a shift of each channel. The scale goes into the convolution's weight, which is smaller than
 * the map.
 */
function frozenConv(
  conv: string,
  norm: string,
  x: Tensor,
  outputs: number,
  kernel: number,
  stride: number,
  scaleStart = 1,
): Tensor {
  const inputs = sizeAt(x, 3)
  const std = Math.sqrt(2 / (outputs * kernel * kernel))
  const weight = parameter(`${conv}.weight`, [outputs, kernel, kernel, inputs], { kind: 'normal', std })
  const constantOf = (value: number) => ({ kind: 'constant', value }) as const
  const scale = parameter(`${norm}.weight`, [outputs], constantOf(scaleStart), 'frozen')
  const shift = parameter(`${norm}.bias`, [outputs], constantOf(0), 'frozen')
  const scaled = mul(weight, reshape(scale, [outputs, 1, 1, 1]))
  return conv2d(x, scaled, shift, { stride, pad: (kernel - 1) / 2 })
}
