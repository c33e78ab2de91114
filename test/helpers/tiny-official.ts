import type { GlipConfig } from '../../src/model/network/config.js'
import { parameterSpecs } from '../../src/model/parameter-specs.js'

/** All the parts of the official network, as small as they go. */
export const tinyOfficial: GlipConfig = {
  model_type: 'groundmill-glip',
  preset: 'tiny-official',
  image_size: 64,
  image_mean: [0.485, 0.456, 0.406],
  image_std: [0.229, 0.224, 0.225],
  image_channels: 'bgr',
  backbone: {
    kind: 'swin',
    patch: 4,
    widths: [4, 8, 8, 8],
    depths: [1, 1, 2, 1],
    heads: [1, 2, 2, 2],
    window: 2,
  },
  fpn: { channels: 8, levels: 3, extra_levels: 2 },
  text: { vocab_size: 30, max_tokens: 10, positions: 12, hidden: 8, layers: 1, heads: 2, intermediate: 12 },
  tower: { kind: 'dyhead', blocks: 1, groups: 2 },
  fusion: { embed: 8, heads: 2 },
  head: { anchor_scale: 8, box_edges: 'pixel_centres' },
}

/**
 * By name, so that the fixtures' values do not depend on the order in which the graph reads its parameters.
 */
export const tinyOfficialSpecs = parameterSpecs(tinyOfficial).sort((a, b) => (a.name < b.name ? -1 : 1))

/**
 * Value `index`, in PyTorch's order, of parameter `number` of the list: what bench/parity/glip_checkpoint.py
 * writes.
 */
export const tinyValue = (number: number, index: number): number =>
  (((index * 37 + number * 101) % 512) - 256) / 256
