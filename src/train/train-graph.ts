import { grad } from '../graph/grad.js'
import { add, cast, less, maximum, mul } from '../graph/ops/elementwise.js'
import { reduceSum } from '../graph/ops/reduce.js'
import { gatherRows, reshape } from '../graph/ops/shape.js'
import { input, int64, type Tensor } from '../graph/tensor.js'
import { toOnnx } from '../graph/to-onnx.js'
import { anchorsOf } from '../model/anchors.js'
import { decodeBoxes } from '../model/box-coder.js'
import { type GlipConfig, type ImageSize, squareSize } from '../model/config.js'
import { glip, glipInputs } from '../model/glip.js'
import { parametersOf } from '../model/parameters.js'
import {
  type AdamWConfig,
  adamW,
  frozenGroup,
  groupParameters,
  type ParameterGroup,
  rateNames,
  slotOf,
  stateInputs,
} from './adamw.js'
import {
  alignmentFocalLoss,
  centernessLoss,
  contrastiveLoss,
  giouLoss,
  groundingLoss,
  insetBoxes,
} from './losses.js'

export interface LossWeights {
  readonly classification: number
  readonly regression: number
  readonly grounding: number
  readonly contrastive: number
}

export interface TrainGraphConfig {
  readonly batch: number
  /** Size of the pictures; the configuration's square where it is not given. */
  readonly image_size?: ImageSize
  /** Most boxes of one picture; a sample with more loses the last ones. */
  readonly max_boxes: number
  readonly temperature: number
  readonly weights: LossWeights
  readonly optimizer: AdamWConfig
  /** Parameters that are trained; all of them where it is not given. */
  readonly trains?: (name: string) => boolean
}

export interface TrainGraph {
  /** The model of one whole training step: batch and state in, losses and new state out. */
  readonly step: Uint8Array
  /** The forward pass and the losses alone. */
  readonly forward: Uint8Array
  readonly groups: readonly ParameterGroup[]
  /** What is not trained: the input `value.frozen` of both models, where there is any. */
  readonly frozen?: ParameterGroup
  readonly parameters: ReturnType<typeof parametersOf>
}

/** What a batch feeds, besides the network's own inputs. */
export function targetInputs(
  config: GlipConfig,
  { batch, max_boxes, image_size = squareSize(config) }: TrainGraphConfig,
) {
  const anchors = anchorsOf(config, image_size).count
  const { max_tokens } = config.text
  return {
    /** For each anchor the row of `box` and `phrase` that it answers for; max_boxes where none. */
    assigned: input('assigned', [batch, anchors], 'int64'),
    centerness: input('centerness', [batch, anchors]),
    /** x1 y1 x2 y2 in pixels of the input. */
    box: input('box', [batch, max_boxes + 1, 4]),
    /** 1 for the tokens of the box's phrase; the last row, that of no box, is 0. */
    phrase: input('phrase', [batch, max_boxes + 1, max_tokens]),
    /** 1 for the tokens that count in the losses: not padding, and not phrases whose boxes are unknown. */
    words: input('words', [batch, max_tokens]),
    /** 1 where the sample's boxes may train the regression. */
    regress: input('regress', [batch, 1]),
  }
}

/** Builds the graph of a training step of GLIP with the unified loss and AdamW. */
export function trainGraph(config: GlipConfig, train: TrainGraphConfig): TrainGraph {
  const inputs = glipInputs(config, train.batch, train.image_size)
  const targets = targetInputs(config, train)
  const outputs = glip(config, inputs)
  const losses = unifiedLoss(config, train, outputs, targets)
  const parameters = parametersOf(Object.values(losses))
  const { trains = () => true } = train
  const trained = parameters.filter(({ name }) => trains(name))
  const kept = parameters.filter(({ name }) => !trains(name))
  const frozen = kept.length > 0 ? frozenGroup(kept) : undefined
  const groups = groupParameters(trained)
  const states = groups.map(stateInputs)
  const gradients = grad(
    losses.loss,
    trained.map(({ tensor }) => tensor),
  )
  const rates = input('rates', [rateNames.length])
  const { next, gradientNorm } = adamW(
    groups,
    states,
    new Map(trained.map(({ name }, index) => [name, gradients[index]])),
    rates,
    train.optimizer,
  )
  const bind = bindParameters(parameters, frozen ? [...groups, frozen] : groups, [
    ...states.map(({ value }) => value),
    ...(frozen ? [input('value.frozen', [frozen.size])] : []),
  ])
  const metrics = asVectors({ ...losses, gradient_norm: gradientNorm })
  return {
    step: toOnnx({ outputs: { ...metrics, ...next }, bind }),
    forward: toOnnx({ outputs: asVectors(losses), bind }),
    groups,
    ...(frozen && { frozen }),
    parameters,
  }
}

/**
 * The terms, weighted, and their sum; centerness is counted in regression and shown beside it. A network without a
 * contrastive head has no contrastive term.
 */
export function unifiedLoss(
  config: GlipConfig,
  { batch, max_boxes, temperature, weights, image_size = squareSize(config) }: TrainGraphConfig,
  outputs: ReturnType<typeof glip>,
  targets: ReturnType<typeof targetInputs>,
) {
  const anchors = anchorsOf(config, image_size)
  const rows = max_boxes + 1
  const first = int64(Array.from({ length: batch }, (_, sample) => sample * rows))
  const chosen = add(targets.assigned, reshape(first, [batch, 1]))
  const target = gatherRows(reshape(targets.phrase, [batch * rows, config.text.max_tokens]), chosen)
  const box = gatherRows(reshape(targets.box, [batch * rows, 4]), chosen)
  const none = { ...int64([max_boxes]), shape: [] }
  const positive = cast(less(targets.assigned, none), 'float32')
  const positives = maximum(reduceSum(positive), 1)

  const words = targets.words
  const counted = mul(target, reshape(words, [batch, 1, config.text.max_tokens]))
  const trained = mul(positive, targets.regress)
  const trainedCount = maximum(reduceSum(trained), 1)
  const classification = mul(
    alignmentFocalLoss(outputs.logits, counted, words, positives),
    weights.classification,
  )
  const measured = (boxes: Tensor) => insetBoxes(boxes, anchors.inset)
  const giou = giouLoss(
    measured(decodeBoxes(outputs.deltas, anchors)),
    measured(box),
    mul(targets.centerness, trained),
  )
  const centerness = centernessLoss(outputs.centerness, targets.centerness, trained, trainedCount)
  // The official weights: 2 for GIoU against 1 for centerness (MODEL.ATSS.REG_LOSS_WEIGHT).
  const regression = mul(add(mul(giou, 2), centerness), weights.regression)
  const grounding = mul(groundingLoss(outputs.logits, counted, words, positives), weights.grounding)
  const contrastive =
    outputs.contrastive &&
    mul(contrastiveLoss(outputs.contrastive, counted, words, temperature), weights.contrastive)
  const others = contrastive ? add(grounding, contrastive) : grounding
  const loss = add(add(classification, regression), others)
  return {
    loss,
    classification,
    regression,
    grounding,
    ...(contrastive && { contrastive }),
    giou,
    centerness,
    positives,
  }
}

/** Binds each parameter to its part of its group's vector. */
export function bindParameters(
  parameters: ReturnType<typeof parametersOf>,
  groups: readonly ParameterGroup[],
  vectors: readonly Tensor[],
): Map<Tensor, Tensor> {
  const parts = new Map<string, Tensor>()
  groups.forEach(({ slots }, index) => {
    for (const slot of slots) parts.set(slot.name, slotOf(vectors[index], slot))
  })
  return new Map(parameters.map(({ name, tensor }) => [tensor, parts.get(name) as Tensor]))
}

/** Scalars as vectors of one element, so that every metric is read alike, under `metric.` and its name. */
function asVectors(metrics: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, tensor]) => [`metric.${name}`, reshape(tensor, [1])]),
  )
}
