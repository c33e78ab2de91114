/** Deep fusion of picture and text (GLIP, section 3.2; the official "MHA-B"). */
import { softmax } from '../graph/ops/activation.js'
import { add, clip, mul } from '../graph/ops/elementwise.js'
import { matmul } from '../graph/ops/matmul.js'
import { transpose } from '../graph/ops/shape.js'
import { parameter, type Tensor } from '../graph/tensor.js'
import { mergeHeads, paddingBias, splitHeads } from './bert.js'
import type { GlipConfig } from './config.js'
import { dense, norm } from './layers.js'

const limit = 50_000
/** What the official code adds for padding: beyond any affinity that the limit lets through. */
const minusInfinity = -9e15

/**
 * Cross attention both ways over one affinity matrix. As in the official code the residual adds to the normalised
 * input, scaled by a learned gamma for each channel.
 *
 * @param vision [N, P, Cv], the places of all levels in a row
 * @param language [N, L, Cl]
 * @param mask [N, L] float32
 * @param gamma where the gammas start: one over the number of blocks
 */
export function fuse(
  name: string,
  vision: Tensor,
  language: Tensor,
  mask: Tensor,
  { embed, heads, gamma: initialGamma }: NonNullable<GlipConfig['fusion']> & { readonly gamma: number },
): { readonly vision: Tensor; readonly language: Tensor } {
  const widthV = vision.shape[2]
  const widthL = language.shape[2]
  const v = norm(`${name}.layer_norm_v`, vision, 1e-5)
  const l = norm(`${name}.layer_norm_l`, language, 1e-5)
  const query = splitHeads(mul(dense(`${name}.attn.v_proj`, v, embed), (embed / heads) ** -0.5), heads)
  const key = splitHeads(dense(`${name}.attn.l_proj`, l, embed), heads)
  const valueV = splitHeads(dense(`${name}.attn.values_v_proj`, v, embed), heads)
  const valueL = splitHeads(dense(`${name}.attn.values_l_proj`, l, embed), heads)

  const affinity = clip(matmul(query, transpose(key, [0, 1, 3, 2])), -limit, limit)
  const toVision = softmax(add(affinity, paddingBias(mask, minusInfinity)))
  const toLanguage = softmax(transpose(affinity, [0, 1, 3, 2]))
  const deltaV = dense(`${name}.attn.out_v_proj`, mergeHeads(matmul(toVision, valueL)), widthV)
  const deltaL = dense(`${name}.attn.out_l_proj`, mergeHeads(matmul(toLanguage, valueV)), widthL)

  const gamma = { kind: 'constant', value: initialGamma } as const
  return {
    vision: add(v, mul(deltaV, parameter(`${name}.gamma_v`, [widthV], gamma))),
    language: add(l, mul(deltaL, parameter(`${name}.gamma_l`, [widthL], gamma))),
  }
}
