import { input } from '../../src/graph/ops/tensor.js'
import { bottleneck, resnetBackbone } from '../../src/model/network/backbone-resnet.js'
import type { GlipConfig, ImageSize } from '../../src/model/network/config.js'
import { glipInputs } from '../../src/model/network/glip.js'
import { glipQueries } from '../../src/model/network/glip-queries.js'
import { decoderLayer, sinePositions } from '../../src/model/network/query-decoder.js'
import type { ParityCase } from './glip-cases.js'

/** All the parts of `glip-r50`, as narrow as they go. */
export const narrowQueries: GlipConfig = {
  model_type: 'groundmill-glip',
  preset: 'narrow-queries',
  image_size: 64,
  image_mean: [0.485, 0.456, 0.406],
  image_std: [0.229, 0.224, 0.225],
  image_channels: 'rgb',
  backbone: { kind: 'resnet', patch: 4, widths: [16, 16, 32, 32], depths: [1, 1, 2, 1] },
  fpn: { channels: 16, levels: 3, extra_levels: 0 },
  text: { vocab_size: 30, max_tokens: 10, positions: 14, hidden: 16, layers: 1, heads: 2, intermediate: 24 },
  tower: { kind: 'decoder', blocks: 1, layers: 2, heads: 2, intermediate: 24 },
  fusion: { embed: 16, heads: 2 },
  head: { queries: 6, contrastive: 8 },
}

export const querySize: ImageSize = { height: 64, width: 96 }

/**
 * Every block of a preset with queries, and the whole of it: bench/parity/query_reference.py has them under
 * the same names.
 */
export function queryCases(config: GlipConfig, size: ImageSize, batch: number): Record<string, ParityCase> {
  const { backbone, fpn, tower } = config
  if (backbone.kind !== 'resnet' || tower.kind !== 'decoder') throw new Error('not a preset with queries')
  const [width, nextWidth] = backbone.widths
  const map = input('map', [batch, 7, 9, width])
  const image = input('image', [batch, size.height, size.width, 3])
  const { channels } = fpn
  const x = input('x', [batch, 6, channels])
  const positions = input('positions', [1, 6, channels])
  const memory = input('memory', [batch, 15, channels])
  const network = glipInputs(config, batch, size)
  const { logits, boxes, contrastive } = glipQueries(config, network)
  if (!contrastive) throw new Error('no contrastive head')
  const name = 'rpn.head.decoder.layers.0'
  return {
    bottleneck: {
      inputs: { map },
      outputs: {
        plain: bottleneck('backbone.body.layer1.1', map, width, 1),
        halved: bottleneck('backbone.body.layer2.0', map, nextWidth!, 2),
      },
    },
    resnet: {
      inputs: { image },
      outputs: Object.fromEntries(
        resnetBackbone(image, backbone).map((stage, index) => [`stage${index}`, stage]),
      ),
    },
    'decoder layer': {
      inputs: { x, positions, memory },
      outputs: { queries: decoderLayer(name, x, positions, memory, sinePositions(3, 5, channels), tower) },
    },
    'query network': {
      inputs: { ...network },
      outputs: { logits, boxes, regions: contrastive.regions, tokens: contrastive.tokens },
    },
  }
}
