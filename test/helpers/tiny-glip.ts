import { random } from '../../src/base/random.js'
import { floats, longs, type Value } from '../../src/graph/session.js'
import { anchorsOf } from '../../src/model/network/anchors.js'
import { type GlipConfig, squareSize } from '../../src/model/network/config.js'
import { assignTargets } from '../../src/train/examples/assign-targets.js'
import type { TrainGraphConfig } from '../../src/train/loss/train-graph.js'
import type { AdamWConfig } from '../../src/train/optimizer/adamw.js'

/** All the parts of the toy preset, as small as they go. */
export const tinyConfig: GlipConfig = {
  model_type: 'groundmill-glip',
  preset: 'tiny',
  image_size: 32,
  image_mean: [0.485, 0.456, 0.406],
  image_std: [0.229, 0.224, 0.225],
  image_channels: 'rgb',
  backbone: { kind: 'conv', patch: 4, widths: [8, 12, 16, 16], depths: [1, 1, 1, 1] },
  fpn: { channels: 16, levels: 3, extra_levels: 0 },
  text: { vocab_size: 30, max_tokens: 10, hidden: 16, layers: 1, heads: 2, intermediate: 24 },
  tower: { kind: 'conv', blocks: 2 },
  fusion: { embed: 16, heads: 2 },
  head: { anchor_scale: 4, box_edges: 'outer', contrastive: 8 },
}

export const tinyTraining: TrainGraphConfig = {
  batch: 3,
  max_boxes: 3,
  temperature: 0.07,
  weights: { classification: 1, regression: 1, grounding: 0.3, contrastive: 0.2 },
}

export const tinyOptimizer: AdamWConfig = {
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weight_decay: 0.05,
  clip_norm: 1,
  ema: 0.9,
}

/** Two boxes of a picture of `tinyConfig`. */
const tinyBoxes = [2, 3, 14, 17, 12, 10, 30, 31]

/**
 * A batch that the seed decides: noise pictures, two boxes each, padding, ignored words, one sample without
 * regression.
 */
export function tinyBatch(
  seed: number,
  config = tinyConfig,
  training = tinyTraining,
  twoBoxes = tinyBoxes,
): Record<string, Value> {
  const draw = random(seed, 'tiny batch')
  const { batch: n, max_boxes } = training
  const { text } = config
  const size = training.image_size ?? squareSize(config)
  const anchors = anchorsOf(config, size)
  const rows = max_boxes + 1
  const length = text.max_tokens
  const mask = new Float32Array(n * length)
  const words = new Float32Array(n * length)
  const phrase = new Float32Array(n * rows * length)
  const box = new Float32Array(n * rows * 4)
  const assigned = new BigInt64Array(n * anchors.count).fill(BigInt(max_boxes))
  const centerness = new Float32Array(n * anchors.count)
  for (let sample = 0; sample < n; sample++) {
    mask.fill(1, sample * length, sample * length + 7 + sample)
    words.set(mask.subarray(sample * length, (sample + 1) * length), sample * length)
    words[sample * length + 5] = 0
    const boxes = Float32Array.from(twoBoxes)
    box.set(boxes, sample * rows * 4)
    phrase.fill(1, (sample * rows + 0) * length + 1, (sample * rows + 0) * length + 3)
    phrase.fill(1, (sample * rows + 1) * length + 4, (sample * rows + 1) * length + 6)
    const targets = assignTargets(anchors, boxes)
    centerness.set(targets.centerness, sample * anchors.count)
    targets.assigned.forEach((index, anchor) => {
      if (index >= 0) assigned[sample * anchors.count + anchor] = BigInt(index)
    })
  }
  const noise = (count: number) => Float32Array.from({ length: count }, () => draw.normal())
  return {
    image: floats(noise(n * size.height * size.width * 3), [n, size.height, size.width, 3]),
    ids: longs(
      Array.from({ length: n * length }, () => draw.integer(text.vocab_size)),
      [n, length],
    ),
    mask: floats(mask, [n, length]),
    words: floats(words, [n, length]),
    phrase: floats(phrase, [n, rows, length]),
    box: floats(box, [n, rows, 4]),
    assigned: longs(assigned, [n, anchors.count]),
    centerness: floats(centerness, [n, anchors.count]),
    regress: floats([1, 0, 1].slice(0, n), [n, 1]),
  }
}
