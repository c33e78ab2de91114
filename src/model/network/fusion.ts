/** Deep fusion of picture and text (GLIP, section 3.2; the official "MHA-B"). */
import { softmax } from '../../graph/ops/activation.js'
import { add, clip, mul } from '../../graph/ops/elementwise.js'
import { matmul, swapLast } from '../../graph/ops/matmul.js'
import { reshape } from '../../graph/ops/reshape.js'
import { parameter, sizeAt, sizesOf, type Tensor } from '../../graph/ops/tensor.js'
import { mergeHeads, paddingBias } from './bert.js'
import type { GlipConfig } from './config.js'
import { dropElements } from './drop.js'
import { dense, headProjections, norm } from './layers.js'

const limit = 50_000
/** What the official code adds for padding: beyond any affinity that the limit lets through. */
const minusInfinity = -9e15

export type FusionSettings = NonNullable<GlipConfig['fusion']> & {
  readonly gamma: number
  readonly drop?: number
}

/**
 * Cross attention both ways over one affinity matrix. As in the official code the residual adds to the
 * normalised input, scaled by a learned gamma for each channel.
 *
 * @param vision [N, P, Cv], the places of all levels in a row
 * @param language [N, L, Cl]
 * @param mask [N, L] float32
 * @param gamma where the gammas start: one over the number of blocks
 * @param drop share of the attention, both ways, that is dropped in training
 */
export function fuse(
  name: string,
  vision: Tensor,
  language: Tensor,
  mask: Tensor,
  { embed, heads, gamma: initialGamma, drop = 0 }: FusionSettings,
): { readonly vision: Tensor; readonly language: Tensor } {
  const widthV = sizeAt(vision, 2)
  const widthL = sizeAt(language, 2)
  const v = norm(`${name}.layer_norm_v`, vision, 1e-5)
  const l = norm(`${name}.layer_norm_l`, language, 1e-5)
  const shape = { width: embed, heads }
  // The places of a large picture fill hundreds of megabytes: their maps are made one at a time.
  const [query] = headProjections([`${name}.attn.v_proj`], v, shape)
  const [valueV] = headProjections([`${name}.attn.values_v_proj`], v, shape)
  const [key, valueL] = headProjections([`${name}.attn.l_proj`, `${name}.attn.values_l_proj`], l, shape)

  const scaled = mul(query, (embed / heads) ** -0.5)
  const affinity = clip(matmul(scaled, swapLast(key)), -limit, limit)
  const toVision = dropElements(
    `${name}.attn.vision`,
    softmax(add(affinity, paddingBias(mask, minusInfinity))),
    drop,
  )
  const toLanguage = dropElements(`${name}.attn.language`, softmaxOverPlaces(affinity), drop)
  const deltaV = dense(`${name}.attn.out_v_proj`, mergeHeads(matmul(toVision, valueL)), widthV)
  const deltaL = dense(`${name}.attn.out_l_proj`, mergeHeads(matmul(toLanguage, valueV)), widthL)

  const gamma = { kind: 'constant', value: initialGamma } as const
  return {
    vision: add(v, mul(deltaV, parameter(`${name}.gamma_v`, [widthV], gamma))),
    language: add(l, mul(deltaL, parameter(`${name}.gamma_l`, [widthL], gamma))),
  }
}

/**
 * [N, heads, P, L] to [N, heads, L, P]. Turned before the softmax, which onnxruntime takes three times as long for along an
 * inner axis; and cut otherwise in between, since it would turn what comes out instead.
 */
function softmaxOverPlaces(affinity: Tensor): Tensor {
  const turned = swapLast(affinity)
  const [n, heads, length, places] = sizesOf(turned, 4)
  return reshape(softmax(reshape(turned, [n * heads, length, places])), turned.shape)
}
