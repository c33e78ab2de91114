/** The text encoder of BERT (Devlin et al. 2018), post-LN, with the parameter names of Hugging Face. */
import { gelu, softmax } from '../../graph/ops/activation.js'
import { add, clip, mul, sub } from '../../graph/ops/elementwise.js'
import { matmul } from '../../graph/ops/matmul.js'
import { reshape } from '../../graph/ops/reshape.js'
import { gatherRows, slice, transpose } from '../../graph/ops/shape.js'
import { type Init, parameter, sizesOf, type Tensor } from '../../graph/ops/tensor.js'
import type { GlipConfig } from './config.js'
import { dropElements } from './drop.js'
import { dense, headProjections, norm } from './layers.js'

const epsilon = 1e-12
const bertInit: Init = { kind: 'normal', std: 0.02 }

/**
 * @param ids [N, L] int64
 * @param mask [N, L] float32, 1 for a token and 0 for padding
 * @param drop share that is dropped in training
 * @returns hidden states [N, L, hidden]
 */
export function bertEncoder(
  name: string,
  ids: Tensor,
  mask: Tensor,
  text: GlipConfig['text'],
  drop = 0,
): Tensor {
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
  const embedded = norm(`${embeddings}.LayerNorm`, add(add(words, places), slice(types, 0, 0, 1)), epsilon)
  let x = dropElements(embeddings, embedded, drop)
  for (let layer = 0; layer < text.layers; layer++) {
    x = bertLayer(`${name}.encoder.layer.${layer}`, x, mask, text, drop)
  }
  return x
}

/**
 * One transformer layer: self-attention over the tokens of `mask`, then the feed-forward part.
 *
 * @param drop share of attention, and of what both parts add, that is dropped in training
 */
export function bertLayer(name: string, x: Tensor, mask: Tensor, text: GlipConfig['text'], drop = 0): Tensor {
  const { heads, hidden, intermediate } = text
  const self = `${name}.attention.self`
  const [query, key, value] = headProjections([`${self}.query`, `${self}.key`, `${self}.value`], x, {
    width: hidden,
    heads,
    init: bertInit,
  })
  const scores = mul(matmul(query, transpose(key, [0, 1, 3, 2])), 1 / Math.sqrt(hidden / heads))
  const attention = softmax(add(clip(scores, -50_000, 50_000), paddingBias(mask)))
  const seen = dropElements(`${name}.attention.self`, attention, drop)
  const context = mergeHeads(matmul(seen, value))
  const attended = dense(`${name}.attention.output.dense`, context, hidden, bertInit)
  const kept = dropElements(`${name}.attention.output`, attended, drop)
  const y = norm(`${name}.attention.output.LayerNorm`, add(kept, x), epsilon)
  const inner = gelu(dense(`${name}.intermediate.dense`, y, intermediate, bertInit))
  const outer = dropElements(`${name}.output`, dense(`${name}.output.dense`, inner, hidden, bertInit), drop)
  return norm(`${name}.output.LayerNorm`, add(outer, y), epsilon)
}

/** [N, heads, L, d] to [N, L, heads * d]. */
export function mergeHeads(x: Tensor): Tensor {
  const [n, heads, length, width] = sizesOf(x, 4)
  return reshape(transpose(x, [0, 2, 1, 3]), [n, length, heads * width])
}

/** What padding adds to attention scores: [N, 1, 1, L], 0 for a token and `amount` for padding. */
export function paddingBias(mask: Tensor, amount = -10_000): Tensor {
  const [n, length] = sizesOf(mask, 2)
  return mul(sub(1, reshape(mask, [n, 1, 1, length])), amount)
}
