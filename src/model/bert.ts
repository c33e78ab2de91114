/** The text encoder of BERT (Devlin et al. 2018), post-LN, with the parameter names of Hugging Face. */
import { gelu, softmax } from '../graph/ops/activation.js'
import { add, clip, mul, sub } from '../graph/ops/elementwise.js'
import { matmul } from '../graph/ops/matmul.js'
import { gatherRows, reshape, slice, transpose } from '../graph/ops/shape.js'
import { type Init, parameter, type Tensor } from '../graph/tensor.js'
import type { GlipConfig } from './config.js'
import { dense, norm } from './layers.js'

const epsilon = 1e-12
const bertInit: Init = { kind: 'normal', std: 0.02 }

/**
 * @param ids [N, L] int64
 * @param mask [N, L] float32, 1 for a token and 0 for padding
 * @returns hidden states [N, L, hidden]
 */
export function bertEncoder(name: string, ids: Tensor, mask: Tensor, text: GlipConfig['text']): Tensor {
  const { hidden } = text
  const embeddings = `${name}.embeddings`
  const words = gatherRows(
    parameter(`${embeddings}.word_embeddings.weight`, [text.vocab_size, hidden], bertInit),
    ids,
  )
  const positions = text.positions ?? text.max_tokens
  const table = parameter(`${embeddings}.position_embeddings.weight`, [positions, hidden], bertInit)
  const places = positions === text.max_tokens ? table : slice(table, 0, 0, text.max_tokens)
  const types = parameter(`${embeddings}.token_type_embeddings.weight`, [2, hidden], bertInit)
  let x = norm(`${embeddings}.LayerNorm`, add(add(words, places), slice(types, 0, 0, 1)), epsilon)
  for (let layer = 0; layer < text.layers; layer++) {
    x = bertLayer(`${name}.encoder.layer.${layer}`, x, mask, text)
  }
  return x
}

/** One transformer layer: self-attention over the tokens of `mask`, then the feed-forward part. */
export function bertLayer(name: string, x: Tensor, mask: Tensor, text: GlipConfig['text']): Tensor {
  const { heads, hidden, intermediate } = text
  const query = splitHeads(dense(`${name}.attention.self.query`, x, hidden, bertInit), heads)
  const key = splitHeads(dense(`${name}.attention.self.key`, x, hidden, bertInit), heads)
  const value = splitHeads(dense(`${name}.attention.self.value`, x, hidden, bertInit), heads)
  const scores = mul(matmul(query, transpose(key, [0, 1, 3, 2])), 1 / Math.sqrt(hidden / heads))
  const attention = softmax(add(clip(scores, -50_000, 50_000), paddingBias(mask)))
  const context = mergeHeads(matmul(attention, value))
  const attended = dense(`${name}.attention.output.dense`, context, hidden, bertInit)
  const y = norm(`${name}.attention.output.LayerNorm`, add(attended, x), epsilon)
  const inner = gelu(dense(`${name}.intermediate.dense`, y, intermediate, bertInit))
  return norm(
    `${name}.output.LayerNorm`,
    add(dense(`${name}.output.dense`, inner, hidden, bertInit), y),
    epsilon,
  )
}

/** [N, L, D] to [N, heads, L, D / heads]. */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [n, length, width] = x.shape
  return transpose(reshape(x, [n, length, heads, width / heads]), [0, 2, 1, 3])
}

/** [N, heads, L, d] to [N, L, heads * d]. */
export function mergeHeads(x: Tensor): Tensor {
  const [n, heads, length, width] = x.shape
  return reshape(transpose(x, [0, 2, 1, 3]), [n, length, heads * width])
}

/** What padding adds to attention scores: [N, 1, 1, L], 0 for a token and `amount` for padding. */
export function paddingBias(mask: Tensor, amount = -10_000): Tensor {
  const [n, length] = mask.shape
  return mul(sub(1, reshape(mask, [n, 1, 1, length])), amount)
}
