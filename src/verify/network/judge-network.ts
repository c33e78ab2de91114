import { relu, softplus } from '../../graph/ops/activation.js'
import { reduceSum } from '../../graph/ops/broadcast.js'
import { div, maximum, mul, sub } from '../../graph/ops/elementwise.js'
import { reduceMean } from '../../graph/ops/reduce.js'
import { reshape } from '../../graph/ops/reshape.js'
import { concat, gatherRows } from '../../graph/ops/shape.js'
import { input, parameter, sizeOf, type Tensor } from '../../graph/ops/tensor.js'
import { convBackbone } from '../../model/network/backbone-conv.js'
import { dense } from '../../model/network/layers.js'
import { factCount } from './box-facts.js'

/** Sizes of a network that judges boxes. */
export interface JudgeNetwork {
  /** Pixels of the square crop. */
  readonly crop: number
  /** Channels of the three stages of the backbone. */
  readonly widths: readonly [number, number, number]
  /** Numbers of a word's embedding, and of a hidden layer. */
  readonly word_width: number
  readonly width: number
  /** Words of a phrase at most; further ones are not read. */
  readonly max_words: number
  /** Words that are known, and one for all others. */
  readonly vocabulary_size: number
}

/** Inputs of a batch of boxes with their words. */
export function judgeInputs({ crop, max_words }: JudgeNetwork, batch: number) {
  return {
    /** [batch, crop, crop, 3], as `writeCrop` gives it. */
    crop: input('crop', [batch, crop, crop, 3]),
    /** [batch, facts], see `writeFacts`. */
    facts: input('facts', [batch, factCount]),
    /** Places of words in the vocabulary, 0 where there is none. */
    words: input('words', [batch, max_words], 'int64'),
    /** 1 for each word that there is. */
    word_mask: input('word_mask', [batch, max_words]),
  }
}

/**
 * How likely a box is right for its words, as a logit [batch]: a small residual network looks at the crop, the
 * embeddings of the words are averaged, and what both give is held against each other, value by value.
 */
export function judgeNetwork(network: JudgeNetwork, inputs: ReturnType<typeof judgeInputs>): Tensor {
  const { widths, width, word_width, max_words, vocabulary_size } = network
  const [batch = 1] = inputs.crop.shape
  const maps = convBackbone(inputs.crop, { kind: 'conv', patch: 2, widths, depths: widths.map(() => 1) })
  const last = maps.at(-1) as Tensor
  const seen = relu(dense('seen', reshape(last, [batch, sizeOf(last.shape) / batch]), width))
  const table = parameter('words.weight', [vocabulary_size, word_width], { kind: 'normal', std: 0.1 })
  const mask = reshape(inputs.word_mask, [batch, max_words, 1])
  const sum = reduceSum(mul(gatherRows(table, inputs.words), mask), [1])
  const count = maximum(reduceSum(inputs.word_mask, [1], true), 1)
  const meant = dense('meant.1', relu(dense('meant.0', mul(div(sum, count), 4), width)), width)
  const both = concat([mul(seen, meant), seen, meant, inputs.facts], 1)
  const hidden = relu(dense('joint.1', relu(dense('joint.0', both, width)), width / 2))
  return reshape(dense('right', hidden, 1), [batch])
}

/** Binary cross-entropy of logits [batch] against targets of 0 or 1, the mean of a batch. */
export const judgeLoss = (logits: Tensor, target: Tensor): Tensor =>
  reduceMean(sub(softplus(logits), mul(logits, target)))

/** The target of a batch. */
export const judgeTarget = (batch: number): Tensor => input('target', [batch])

/** A scalar as a vector of one element, which sessions read. */
export const asVector = (scalar: Tensor): Tensor => reshape(scalar, [1])
