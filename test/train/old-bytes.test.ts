import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { glipConfig } from '../../src/model/network/presets.js'
import { buildVocabulary } from '../../src/model/vocabulary-builder.js'
import { createTokenizer } from '../../src/model/word-piece.js'
import { trainConfig } from '../../src/train/config.js'
import { makePart } from '../../src/train/examples/make-part.js'
import { createPictureCache } from '../../src/train/examples/picture-cache.js'
import { openSamples } from '../../src/train/samples/read-samples.js'
import type { SampleSource } from '../../src/train/samples/sample.js'
import { sampleOrder } from '../../src/train/samples/sample-order.js'
import { squares } from '../helpers/squares.js'

/** A digest of all that the first 24 steps feed, the pixels aside. */
async function digest(source: SampleSource): Promise<string> {
  const config = trainConfig.parse({ image_size: 64, max_boxes: 4, batch: 4, seed: 5 })
  const stream = await openSamples(source, config.seed)
  const network = glipConfig(config.preset, 200, config)
  const texts = [...stream.captions, ...stream.categories]
  const options = {
    ...{ parts: 1, network, config, order: sampleOrder([stream], config), inputs: [] },
    tokenizer: createTokenizer(buildVocabulary(texts, 200, 1)),
    pictures: createPictureCache(network.image_size),
  }
  const hash = createHash('sha256')
  for (let index = 0; index < 24; index++) {
    for (const [name, { data, shape }] of Object.entries(await makePart(index, options)))
      if (name !== 'image')
        hash
          .update(name)
          .update(String(shape))
          .update(data as Float32Array)
  }
  return hash.digest('hex')
}

describe('the batches of a training', () => {
  it('are those of before there were prompts of negatives, where none are asked for', async () => {
    // Taken at commit fd32d8e.
    const before = '1e613a40e556e946416072c4bf8ecc6f4d00ff2acd9f4fa82db726b132fc0d97'
    expect(await digest(await squares(12))).toBe(before)
  })
})
