/** A step of a preset to be timed, here and in PyTorch: a network, a batch, and first values of the weights. */
import { random } from '../src/base/random.js'
import { sizeOf } from '../src/graph/ops/tensor.js'
import { floats, longs, type Value } from '../src/graph/session.js'
import { anchorsOf } from '../src/model/network/anchors.js'
import type { GlipConfig } from '../src/model/network/config.js'
import type { Parameter } from '../src/model/network/parameters.js'
import { glipConfig } from '../src/model/network/presets.js'
import { torchLayout, toTorch } from '../src/model/parameter-specs.js'
import { assignTargets } from '../src/train/examples/assign-targets.js'
import type { TrainGraphConfig } from '../src/train/loss/train-graph.js'
import { writeSafetensors } from '../src/weights/safetensors.js'

interface Subject {
  readonly config: GlipConfig
  /** Pictures of a step. */
  readonly batch: number
}

/** What is timed: `toy` with pictures of its own size, `glip-t` with a small one. */
export const subjects: Readonly<Record<string, Subject>> = {
  toy: { config: glipConfig('toy', 400), batch: 16 },
  'glip-t': { config: glipConfig('glip-t', 30_522, { image_size: 128, max_tokens: 32 }), batch: 1 },
}

export const trainingOf = (batch: number, maxBoxes: number): TrainGraphConfig => ({
  batch,
  max_boxes: maxBoxes,
  temperature: 0.07,
  weights: { classification: 1, regression: 1, grounding: 0.2, contrastive: 0.2 },
})

export const optimizer = {
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weight_decay: 0.01,
  clip_norm: 1,
  ema: 0.99,
}

/** Noise pictures, each with the same three boxes of three words. */
export function makeBatch(
  config: GlipConfig,
  { batch: n, max_boxes }: TrainGraphConfig,
): Record<string, Value> {
  const draw = random('train-step')
  const { image_size: size, text } = config
  const anchors = anchorsOf(config)
  const rows = max_boxes + 1
  const length = text.max_tokens
  const boxes = Float32Array.from([10, 12, 40, 44, 50, 20, 90, 70, 30, 60, 55, 88])
  const { assigned, centerness } = assignTargets(anchors, boxes)
  const box = new Float32Array(n * rows * 4)
  const phrase = new Float32Array(n * rows * length)
  for (let sample = 0; sample < n; sample++) {
    box.set(boxes, sample * rows * 4)
    for (let index = 0; index < 3; index++) {
      const at = (sample * rows + index) * length
      phrase.fill(1, at + 1 + 4 * index, at + 4 + 4 * index)
    }
  }
  const repeat = (values: ArrayLike<number>) =>
    Float32Array.from({ length: n * values.length }, (_, at) => values[at % values.length]!)
  const ones = floats(new Float32Array(n * length).fill(1), [n, length])
  return {
    image: floats(
      Float32Array.from({ length: n * size * size * 3 }, () => draw.normal()),
      [n, size, size, 3],
    ),
    ids: longs(
      Array.from({ length: n * length }, () => draw.integer(text.vocab_size)),
      [n, length],
    ),
    mask: ones,
    words: ones,
    phrase: floats(phrase, [n, rows, length]),
    box: floats(box, [n, rows, 4]),
    assigned: longs(
      Array.from(repeat(assigned), (index) => (index < 0 ? max_boxes : index)),
      [n, anchors.count],
    ),
    centerness: floats(repeat(centerness), [n, anchors.count]),
    regress: floats(new Float32Array(n).fill(1), [n, 1]),
  }
}

const draw = random('values')
const noise = Float32Array.from({ length: 65_521 }, () => draw.normal())

/**
 * A parameter's first values, of noise that repeats: drawing hundreds of millions of numbers takes a minute.
 */
export function firstValue({ shape, init }: Parameter): Float32Array {
  const values = new Float32Array(sizeOf(shape))
  if (init.kind === 'constant') return values.fill(init.value)
  const spread = init.kind === 'normal' ? init.std : init.bound / Math.sqrt(3)
  for (let index = 0; index < values.length; index++) values[index] = spread * noise[index % noise.length]!
  return values
}

/** Writes a batch and first values for bench/parity/time_step.py and time_device.py. */
export async function writeStepInputs(
  file: string,
  config: GlipConfig,
  training: TrainGraphConfig,
  parameters: readonly Parameter[],
  batch: Readonly<Record<string, Value>>,
): Promise<void> {
  const isOfficial = config.backbone.kind === 'swin'
  const values = parameters.map((parameter) => {
    const spec = torchLayout(parameter)
    return {
      name: `parameter.${parameter.name}`,
      shape: isOfficial ? spec.torchShape : parameter.shape,
      read: async () => (isOfficial ? toTorch(spec, firstValue(parameter)) : firstValue(parameter)),
    }
  })
  const fed = Object.entries(batch).map(([name, { data, shape }]) => ({
    name: `batch.${name}`,
    shape,
    data: Float32Array.from<number | bigint>(data as Float32Array, Number),
  }))
  await writeSafetensors(file, [...values, ...fed], {
    config: JSON.stringify(config),
    training: JSON.stringify(training),
  })
}
