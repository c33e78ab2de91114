import { random } from '../../src/base/random.js'
import { deformConv2d } from '../../src/graph/ops/deform-conv.js'
import { input, type Tensor } from '../../src/graph/ops/tensor.js'
import { floats, longs, type Value } from '../../src/graph/session.js'
import { mergePatches, placeWindows, swinBlock } from '../../src/model/network/backbone-swin.js'
import { bertLayer } from '../../src/model/network/bert.js'
import { type GlipConfig, type ImageSize, levelStrides } from '../../src/model/network/config.js'
import { dyHeadBlock } from '../../src/model/network/dyhead.js'
import { fuse } from '../../src/model/network/fusion.js'
import { type GlipOutputs, glip, glipInputs, head } from '../../src/model/network/glip.js'
import { initialValue, type Parameter } from '../../src/model/network/parameters.js'
import type { TrainGraphConfig } from '../../src/train/loss/train-graph.js'
import { tinyBatch, tinyTraining } from './tiny-glip.js'

/** All the parts of the official network, as narrow as they go; sizes of `narrowSize` leave no level even. */
export const narrowGlip: GlipConfig = {
  model_type: 'groundmill-glip',
  preset: 'narrow',
  image_size: 64,
  image_mean: [0.485, 0.456, 0.406],
  image_std: [0.229, 0.224, 0.225],
  image_channels: 'bgr',
  backbone: {
    kind: 'swin',
    patch: 4,
    widths: [8, 16, 32, 32],
    depths: [1, 1, 2, 1],
    heads: [1, 2, 2, 4],
    window: 3,
  },
  fpn: { channels: 16, levels: 3, extra_levels: 2 },
  text: { vocab_size: 30, max_tokens: 10, positions: 14, hidden: 16, layers: 1, heads: 2, intermediate: 24 },
  tower: { kind: 'dyhead', blocks: 2, groups: 4 },
  fusion: { embed: 16, heads: 2 },
  head: { anchor_scale: 8, box_edges: 'pixel_centres' },
}

/** The same as `glip-t-a` is made: text and picture meet in the head only. */
export const narrowUnfused: GlipConfig = { ...narrowGlip, preset: 'narrow-unfused', fusion: undefined }

export const narrowSize: ImageSize = { height: 64, width: 96 }

/** Boxes of all sizes, at no place as far from two anchors. */
export const narrowBoxes = Float32Array.of(
  ...[6.3, 8.1, 50.2, 58.7],
  ...[30.4, 20.2, 90.9, 62.1],
  ...[70.3, 3.4, 80.6, 12.9],
  ...[1.2, 40.3, 20.4, 52.8],
)

/** Ten steps on one batch: pictures of `narrowSize` with two boxes each. */
export const narrowTraining: TrainGraphConfig = { ...tinyTraining, batch: 2, image_size: narrowSize }

export const narrowBatch = (): Record<string, Value> =>
  tinyBatch(7, narrowGlip, narrowTraining, [6, 8, 50, 58, 30, 20, 90, 62])

/** A part of the network on its own: what bench/parity/glip_cases.py computes under the same name. */
export interface ParityCase {
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly outputs: Readonly<Record<string, Tensor>>
}

/** Every block of an official preset, and the whole of it. */
export function parityCases(config: GlipConfig, size: ImageSize, batch: number): Record<string, ParityCase> {
  const { backbone, fpn, text, fusion, tower } = config
  if (backbone.kind !== 'swin' || tower.kind !== 'dyhead') throw new Error('not an official preset')
  const tower0 = 'rpn.head.dyhead_tower.0'
  const [width, nextWidth] = backbone.widths
  const levels = levelStrides(config).map((stride, index) =>
    input(`level${index}`, [
      batch,
      Math.ceil(size.height / stride),
      Math.ceil(size.width / stride),
      fpn.channels,
    ]),
  )
  const levelInputs = Object.fromEntries(levels.map((level, index) => [`level${index}`, level]))
  const places = levels.reduce((sum, { shape }) => sum + shape[1]! * shape[2]!, 0)
  const language = input('language', [batch, text.max_tokens, text.hidden])
  const mask = input('mask', [batch, text.max_tokens])
  const vision = input('vision', [batch, places, fpn.channels])

  const map = input('map', [batch, size.height / backbone.patch, size.width / backbone.patch, width])
  const windows = (shift: number) => placeWindows(map.shape[1]!, map.shape[2]!, backbone.window, shift)
  const block = 'backbone.body.layers.0.blocks'
  const odd = input('odd', [batch, 5, 7, width])
  const channels = fpn.channels
  const grid = (name: string, h: number, w: number, width: number) => input(name, [batch, h, w, width])
  const points = {
    x: grid('x', 7, 9, channels),
    offset: grid('offset', 7, 9, 18),
    modulation: grid('modulation', 7, 9, 9),
    offset2: grid('offset2', 4, 5, 18),
    modulation2: grid('modulation2', 4, 5, 9),
    weight: input('weight', [channels, 3, 3, channels]),
    bias: input('bias', [channels]),
  }
  const { x, offset, modulation, offset2, modulation2, weight, bias } = points
  const fused =
    fusion && fuse(`${tower0}.b_attn`, vision, language, mask, { ...fusion, gamma: 1 / tower.blocks })
  const dynamic = dyHeadBlock(tower0, levels, tower.groups)
  return {
    'deformable convolution': {
      inputs: points,
      outputs: {
        stride1: deformConv2d(x, offset, modulation, weight, bias, { pad: 1 }),
        stride2: deformConv2d(x, offset2, modulation2, weight, bias, { pad: 1, stride: 2 }),
      },
    },
    'swin block': {
      inputs: { map },
      outputs: {
        plain: swinBlock(`${block}.0`, map, backbone.heads[0]!, windows(0)),
        shifted: swinBlock(`${block}.1`, map, backbone.heads[0]!, windows(Math.floor(backbone.window / 2))),
      },
    },
    'patch merging': {
      inputs: { odd },
      outputs: { merged: mergePatches('backbone.body.layers.0.downsample', odd, nextWidth!) },
    },
    'bert layer': {
      inputs: { language, mask },
      outputs: { language: bertLayer(tower0, language, mask, text) },
    },
    ...(fused && { 'fusion layer': { inputs: { vision, language, mask }, outputs: fused } }),
    'dyhead block': {
      inputs: levelInputs,
      outputs: Object.fromEntries(dynamic.map((level, index) => [`level${index}`, level])),
    },
    head: { inputs: { ...levelInputs, language }, outputs: dense(head(config, levels, language)) },
    network: networkCase(config, size, batch),
  }
}

/** The whole of a network. */
export function networkCase(config: GlipConfig, size: ImageSize, batch: number): ParityCase {
  const inputs = glipInputs(config, batch, size)
  return { inputs: { ...inputs }, outputs: dense(glip(config, inputs)) }
}

const dense = ({ logits, deltas, centerness }: GlipOutputs) => ({ logits, deltas, centerness })

/** What a case is fed: noise, tokens of any id, and padding that differs from sample to sample. */
export function caseValues(
  name: string,
  { inputs }: ParityCase,
  { text }: GlipConfig,
): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(inputs).map(([key, { shape }]) => {
      const count = shape.reduce((product, length) => product * length, 1)
      const draw = random(name, key)
      const length = shape[1] ?? 1
      const make: Record<string, () => Value> = {
        ids: () =>
          longs(
            Array.from({ length: count }, () => draw.integer(text.vocab_size)),
            shape,
          ),
        mask: () =>
          floats(
            Float32Array.from({ length: count }, (_, at) => {
              const sample = Math.floor(at / length)
              return at % length < Math.ceil((length * (4 + sample)) / 6) ? 1 : 0
            }),
            shape,
          ),
      }
      const noise = () =>
        floats(
          Float32Array.from({ length: count }, () => draw.normal()),
          shape,
        )
      return [key, (make[key] ?? noise)()]
    }),
  )
}

/**
 * Random values with which every parameter matters: first values would leave biases 0, scales 1 and position
 * biases too small to be seen in an output.
 */
export function shakenValue(parameter: Parameter, seed: number): Float32Array {
  const { name, shape, init } = parameter
  if (shape.length === 1) {
    const centre = init.kind === 'constant' ? init.value : 0
    const draw = random(seed, name)
    return Float32Array.from({ length: shape[0]! }, () => centre + 0.2 * draw.normal())
  }
  const fanIn = shape.slice(1).reduce((product, length) => product * length, 1)
  const std = name.includes('relative_position') ? 0.5 : 1 / Math.sqrt(fanIn)
  return initialValue({ ...parameter, init: { kind: 'normal', std } }, seed)
}
