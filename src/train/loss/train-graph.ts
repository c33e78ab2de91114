import { grad } from '../../graph/grad.js'
import { reduceSum } from '../../graph/ops/broadcast.js'
import { add, cast, less, maximum, minimum, mul } from '../../graph/ops/elementwise.js'
import { reshape } from '../../graph/ops/reshape.js'
import { gatherRows, split } from '../../graph/ops/shape.js'
import { constant, input, type Shape, sizeAt, type Tensor } from '../../graph/ops/tensor.js'
import { toOnnx } from '../../graph/to-onnx.js'
import { topologicalOrder } from '../../graph/topological-order.js'
import { type Anchors, anchorsOf } from '../../model/network/anchors.js'
import { decodeBoxes } from '../../model/network/box-coder.js'
import {
  boxEdgesOf,
  type GlipConfig,
  type ImageSize,
  queriesOf,
  squareSize,
} from '../../model/network/config.js'
import { noisePrefix } from '../../model/network/drop.js'
import { type GlipOutputs, glip, glipInputs } from '../../model/network/glip.js'
import { cornersInPixels, glipQueries, type QueryOutputs } from '../../model/network/glip-queries.js'
import { parametersOf } from '../../model/network/parameters.js'
import { gradientName, valueName } from '../optimizer/optimizer-state.js'
import {
  alignmentFocalLoss,
  centernessLoss,
  contrastiveLoss,
  distanceLoss,
  giouLoss,
  groundingLoss,
  insetBoxes,
  type Total,
  totalOf,
} from './losses.js'

export interface LossWeights {
  readonly classification: number
  readonly regression: number
  readonly grounding: number
  readonly contrastive: number
  /** Of all of them together, for each layer of a decoder before the last; those have no losses where it is not given. */
  readonly auxiliary?: number | undefined
}

export interface TrainGraphConfig {
  readonly batch: number
  /** Size of the pictures; the configuration's square where it is not given. */
  readonly image_size?: ImageSize
  /** Boxes of one picture at most. */
  readonly max_boxes: number
  readonly temperature: number
  readonly weights: LossWeights
  /** Parameters that are trained; all of them where it is not given. */
  readonly trains?: (name: string) => boolean
  /** Whether boxes and words are weighed. */
  readonly weighs?: boolean
  /** Whether the graphs are written out of operators that WebGPU has; see `needsPortable`. */
  readonly portable?: boolean
  /** Whether the step is that of one half of the batch, and the other is computed beside it. */
  readonly halved?: boolean
}

/** An input of a graph. */
export interface NamedShape {
  readonly name: string
  readonly shape: Shape
}

export interface TrainGraph {
  /** Batch and parameters in, losses and the gradient of each trained parameter out. */
  readonly step: Uint8Array
  /** The forward pass and the losses alone. */
  readonly forward: Uint8Array
  /**
   * Of a half: its share of what the losses are divided by, which follows from its targets. The step is fed the sums of
   * both under the names of these results, so that losses and gradients of the halves add up to those of the batch.
   */
  readonly totals?: Uint8Array
  /**
   * For a network with queries, what is matched with the boxes before a step: `logits`, and `boxes` in
   * pixels.
   */
  readonly predict?: Uint8Array
  /** What the step reads besides the batch: noise, where the network loses something at random. */
  readonly noise: readonly NamedShape[]
  /** Layers of a decoder that have losses, whose queries are matched each by itself. */
  readonly layers: number
  readonly parameters: ReturnType<typeof parametersOf>
}

/** Layers of a decoder that have losses: all of them, or the last; 1 for a network without one. */
export function layersWithLosses({ tower }: GlipConfig, { auxiliary = 0 }: LossWeights): number {
  return tower.kind === 'decoder' && auxiliary > 0 ? tower.layers : 1
}

/** What a batch feeds, besides the network's own inputs. */
export function targetInputs(
  config: GlipConfig,
  { batch, max_boxes, weights, image_size = squareSize(config), weighs = false }: TrainGraphConfig,
) {
  const queries = queriesOf(config)
  const places =
    queries === undefined ? anchorsOf(config, image_size).count : queries * layersWithLosses(config, weights)
  const { max_tokens } = config.text
  return {
    /**
     * For each anchor or query the row of `box` and `phrase` that it answers for; max_boxes where none. Where
     * several layers have losses, of the queries of the first, of the second and so on.
     */
    assigned: input('assigned', [batch, places], 'int64'),
    /** Centerness of each place, 0 to 1; a network with queries has none. */
    centerness: queries === undefined ? input('centerness', [batch, places]) : undefined,
    /** x1 y1 x2 y2 in pixels of the input. */
    box: input('box', [batch, max_boxes + 1, 4]),
    /**
     * 1 for the tokens of the box's phrases, -1 for those that do not count for it, else 0. The last row is
     * that of no box; of an official network it has 1 for the last token of a prompt that is full.
     */
    phrase: input('phrase', [batch, max_boxes + 1, max_tokens]),
    /** 1 for the tokens that count in the losses: not padding, and not phrases whose boxes are unknown. */
    words: input('words', [batch, max_tokens]),
    /** 1 where the sample's boxes may train the regression. */
    regress: input('regress', [batch, 1]),
    /** How much the tokens count at the places of a box, 0 to 1; where boxes are weighed. */
    weight: weighs ? input('weight', [batch, max_boxes + 1, max_tokens]) : undefined,
    /** How much a box counts, 0 to 1, as a positive and in the regression; where boxes are weighed. */
    boxWeight: weighs ? input('box_weight', [batch, max_boxes + 1, 1]) : undefined,
  }
}

/** Builds the graphs of a training step of GLIP: the unified loss, and its gradients. */
export function trainGraph(config: GlipConfig, asked: TrainGraphConfig): TrainGraph {
  const train = asked.halved ? { ...asked, batch: asked.batch / 2 } : asked
  const shares: Record<string, Tensor> = {}
  const fedTotal: Total = (name, terms) => {
    shares[`total.${name}`] = reduceSum(terms)
    return input(`total.${name}`, [])
  }
  const inputs = glipInputs(config, train.batch, train.image_size)
  const targets = targetInputs(config, train)
  const layers = layersWithLosses(config, train.weights)
  const outputs =
    queriesOf(config) === undefined ? glip(config, inputs) : glipQueries(config, inputs, layers > 1)
  const losses =
    'boxes' in outputs && layers > 1
      ? layeredLoss(config, train, outputs, targets, layers)
      : unifiedLoss(config, train, outputs, targets, train.halved ? fedTotal : totalOf)
  const { trains = () => true, portable } = train
  const parameters = parametersOf(Object.values(losses)).map((parameter) =>
    trains(parameter.name) ? parameter : { ...parameter, frozen: true },
  )
  const learned = parameters.filter(({ frozen }) => !frozen)
  const gradients = grad(
    losses.loss,
    learned.map(({ tensor }) => tensor),
  )
  const named = Object.fromEntries(learned.map(({ name }, index) => [gradientName(name), gradients[index]!]))
  const bind = new Map(
    parameters.map(({ name, shape, tensor }): [Tensor, Tensor] => [tensor, input(valueName(name), shape)]),
  )
  return {
    // Copies down from a device are what a sequence would cost there.
    step: toOnnx({ outputs: { ...asVectors(losses), ...named }, bind, portable, barred: !portable }),
    forward: toOnnx({ outputs: asVectors(losses), bind, portable }),
    ...(train.halved && { totals: toOnnx({ outputs: shares, bind, portable }) }),
    ...('boxes' in outputs && {
      predict: toOnnx({
        outputs: {
          logits: outputs.logits,
          boxes: cornersInPixels(outputs.boxes, train.image_size ?? squareSize(config)),
        },
        bind,
        portable,
      }),
    }),
    noise: noiseInputs([losses.loss]),
    layers,
    parameters,
  }
}

function noiseInputs(outputs: readonly Tensor[]): NamedShape[] {
  const found = new Map<string, NamedShape>()
  for (const { inputs } of topologicalOrder(outputs, (node) => node.inputs))
    for (const tensor of inputs)
      if (tensor?.source.kind === 'input' && tensor.source.name.startsWith(noisePrefix))
        found.set(tensor.source.name, { name: tensor.source.name, shape: tensor.shape })
  return [...found.values()]
}

/**
 * The losses of every layer of a decoder (DETR's auxiliary losses, with its weights: those of the last layer), each by
 * boxes that are matched to the layer's own queries. Terms and parts are those of the last layer; `auxiliary` is the sum
 * of the others'.
 *
 * @param outputs of all layers, as `glipQueries` gives them
 */
export function layeredLoss(
  config: GlipConfig,
  train: TrainGraphConfig,
  outputs: QueryOutputs,
  targets: ReturnType<typeof targetInputs>,
  layers: number,
) {
  const byLayer = (rows: Tensor) => {
    const count = sizeAt(rows, 1) / layers
    return split(
      rows,
      Array.from({ length: layers }, () => count),
      1,
    )
  }
  const { contrastive } = outputs
  const [logits, boxes, assigned] = [outputs.logits, outputs.boxes, targets.assigned].map(byLayer)
  const regions = contrastive && byLayer(contrastive.regions)
  const losses = Array.from({ length: layers }, (_, layer) =>
    unifiedLoss(
      config,
      train,
      {
        ...{ logits: logits![layer]!, boxes: boxes![layer]! },
        ...(contrastive && regions && { contrastive: { ...contrastive, regions: regions[layer]! } }),
      },
      { ...targets, assigned: assigned![layer]! },
    ),
  )
  const last = losses.at(-1)!
  const earlier = losses.slice(0, -1).map(({ loss }) => loss)
  const auxiliary = mul(earlier.reduce(add), train.weights.auxiliary ?? 0)
  return { ...last, auxiliary, loss: add(last.loss, auxiliary) }
}

/**
 * The weighted terms and their sum, and the unweighted parts of the regression for the log. A network without
 * a contrastive head has no contrastive term.
 */
export function unifiedLoss(
  config: GlipConfig,
  { batch, max_boxes, temperature, weights, image_size = squareSize(config) }: TrainGraphConfig,
  outputs: GlipOutputs | QueryOutputs,
  targets: ReturnType<typeof targetInputs>,
  total = totalOf,
) {
  const rows = max_boxes + 1
  // As int32, with which WebGPU can count.
  const assigned = cast(targets.assigned, 'int32')
  const first = constant(Int32Array.from({ length: batch }, (_, sample) => sample * rows))
  const chosen = add(assigned, reshape(first, [batch, 1]))
  const none = constant(Int32Array.of(max_boxes), [])
  const ofPlace = (rowsOf: Tensor, width: number) =>
    gatherRows(reshape(rowsOf, [batch * rows, width]), chosen)
  const weight = targets.weight && ofPlace(targets.weight, config.text.max_tokens)
  const isPositive = cast(less(assigned, none), 'float32')
  // A box of half the weight is half a positive, for what the losses are divided by as well.
  const positive = targets.boxWeight
    ? mul(isPositive, reshape(ofPlace(targets.boxWeight, 1), isPositive.shape))
    : isPositive
  const positives = maximum(total('positives', positive), 1)

  const phrase = ofPlace(targets.phrase, config.text.max_tokens)
  const box = ofPlace(targets.box, 4)
  const isKnown = add(minimum(phrase, 0), 1)
  const words = mul(isKnown, reshape(targets.words, [batch, 1, config.text.max_tokens]))
  const target = mul(maximum(phrase, 0), words)
  const trained = mul(positive, targets.regress)
  // The word for "no object" of the official code is asked for where there is no box: by the focal loss alone.
  const named =
    boxEdgesOf(config) === 'outer' ? target : mul(target, reshape(isPositive, [...isPositive.shape, 1]))
  const classification = mul(
    alignmentFocalLoss(outputs.logits, target, weight ? mul(words, weight) : words, positives),
    weights.classification,
  )
  const { sum, ...parts } =
    'boxes' in outputs
      ? queryRegression(outputs, { box, trained }, image_size)
      : anchorRegression(
          outputs,
          { box, trained },
          targets.centerness as Tensor,
          anchorsOf(config, image_size),
          total,
        )
  const regression = mul(sum, weights.regression)
  const grounding = mul(groundingLoss(outputs.logits, named, words, positives, weight), weights.grounding)
  const contrastive =
    outputs.contrastive &&
    mul(contrastiveLoss(outputs.contrastive, named, words, temperature, weight, total), weights.contrastive)
  const others = contrastive ? add(grounding, contrastive) : grounding
  const loss = add(add(classification, regression), others)
  return {
    loss,
    classification,
    regression,
    grounding,
    ...(contrastive && { contrastive }),
    ...parts,
    positives: reduceSum(positive),
  }
}

/**
 * GIoU weighted by centerness, and centerness, in the official proportion of 2 to 1
 * (MODEL.ATSS.REG_LOSS_WEIGHT).
 */
function anchorRegression(
  outputs: GlipOutputs,
  { box, trained }: RegressionTargets,
  target: Tensor,
  anchors: Anchors,
  total: Total,
): RegressionTerms {
  const measured = (boxes: Tensor) => insetBoxes(boxes, anchors.inset)
  const predicted = measured(decodeBoxes(outputs.deltas, anchors))
  const giou = giouLoss(predicted, measured(box), mul(target, trained), total)
  const answering = maximum(total('trained', trained), 1)
  const centerness = centernessLoss(outputs.centerness, target, trained, answering)
  return { giou, centerness, sum: add(mul(giou, 2), centerness) }
}

/** GIoU and distance in DETR's proportion of 2 to 5. */
function queryRegression(
  outputs: QueryOutputs,
  { box, trained }: RegressionTargets,
  size: ImageSize,
): RegressionTerms {
  const predicted = cornersInPixels(outputs.boxes, size)
  const giou = giouLoss(predicted, box, trained)
  const distance = distanceLoss(predicted, box, trained, size)
  return { giou, distance, sum: add(mul(giou, 2), mul(distance, 5)) }
}

/** What boxes are trained on: of each place, an anchor or a query. */
interface RegressionTargets {
  /** [N, places, 4], x1 y1 x2 y2 in pixels of the input. */
  readonly box: Tensor
  /** [N, places], 1 where the place answers for a box that trains regression, or how much it counts. */
  readonly trained: Tensor
}

type RegressionTerms = { readonly sum: Tensor; readonly giou: Tensor } & Readonly<Record<string, Tensor>>

/** Scalars as vectors of one element, under `metric.` and their names, as the step's session reads them. */
function asVectors(metrics: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, tensor]) => [`metric.${name}`, reshape(tensor, [1])]),
  )
}
