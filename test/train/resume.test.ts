import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Value } from '../../src/graph/session.js'
import { glipConfig } from '../../src/model/network/presets.js'
import { buildVocabulary } from '../../src/model/vocabulary-builder.js'
import { createTokenizer } from '../../src/model/word-piece.js'
import { partsOf, type TrainConfig, trainConfig } from '../../src/train/config.js'
import { makePart } from '../../src/train/examples/make-part.js'
import { createPictureCache } from '../../src/train/examples/picture-cache.js'
import { readAhead } from '../../src/train/examples/read-ahead.js'
import { checkpointFile } from '../../src/train/open-training.js'
import { openSamples } from '../../src/train/samples/read-samples.js'
import type { SampleSource } from '../../src/train/samples/sample.js'
import { sampleOrder } from '../../src/train/samples/sample-order.js'
import { trainModel } from '../../src/train/train-model.js'
import { openSafetensors, writeSafetensors } from '../../src/weights/safetensors.js'
import { squares } from '../helpers/squares.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let sources: readonly SampleSource[]
beforeAll(async () => {
  const [few, many] = [await squares(5), await squares(8)]
  sources = [
    { ...few, name: 'few' },
    { ...many, name: 'many' },
  ]
})

const small = { image_size: 64, max_boxes: 4, vocabulary_size: 100, warmup: 2, threads: 1 }
/** Draws all that can be drawn: sources, samples, augmentation, noise. */
const rich = {
  ...{ batch: 4, micro_batch: 2, seed: 7, mix: { many: 3 } },
  ...{ drop: { dropout: 0.2, block: 0.2 }, augment: { mask_words: 0.3, categories: 0.5 } },
}

describe('the batch of a step', () => {
  const steps = 6
  /** What a training of these settings is fed, by the number of the part: a digest of all values. */
  async function digests(config: TrainConfig, ahead: number): Promise<(index: number) => Promise<string>> {
    const streams = await Promise.all(sources.map((source) => openSamples(source, config.seed)))
    const network = glipConfig(config.preset, 100, config)
    const parts = partsOf(config)
    const options = {
      ...{ parts, network, config, order: sampleOrder(streams, config) },
      tokenizer: createTokenizer(buildVocabulary(streams[0]?.captions ?? [], 100)),
      pictures: createPictureCache(network.image_size),
      inputs: [{ name: 'noise.text', shape: [2, 3] }],
    }
    const part = readAhead((index) => makePart(index, options), ahead)
    return async (index) => digestOf(await part(index))
  }
  const digestOf = (fed: Readonly<Record<string, Value>>) =>
    Object.entries(fed)
      .reduce(
        (hash, [name, { data, shape }]) =>
          hash
            .update(name)
            .update(String(shape))
            .update(data as Float32Array),
        createHash('sha256'),
      )
      .digest('hex')

  it.each([
    { batch: 3, seed: 1 },
    { batch: 4, seed: 12, micro_batch: 1, mix: 'size', box_loss: { few: false } },
    { batch: 2, seed: 31, mix: { few: 0.2 }, augment: { negatives: 1, categories: 0 } },
    rich,
  ])('is the same, however a run came to it: %j', async (more) => {
    const config = trainConfig.parse({ ...small, ...more })
    const count = steps * partsOf(config)
    const walk = await digests(config, count)
    const walked: string[] = []
    for (let index = 0; index < count; index++) walked.push(await walk(index))
    expect(new Set(walked).size).toBe(count)
    // Backwards and some of them twice: what is read ahead is never what is asked for next.
    const jump = await digests(config, count)
    for (const index of [...walked.keys(), 1, 0].reverse())
      expect(await jump(index), `part ${index}`).toBe(walked[index])
    // A run that goes on from the middle.
    const resumed = await digests(config, count)
    for (let index = Math.floor(count / 2); index < count; index++)
      expect(await resumed(index), `part ${index}`).toBe(walked[index])
  })
})

describe('a training that is stopped', () => {
  const steps = 3

  /** Trains, and stops after a step where one is given; a run that was stopped before goes on. */
  async function train(folder: string, stopAt?: number): Promise<number[]> {
    const stop = new AbortController()
    const seen: number[] = []
    const training = trainModel({
      ...{ name: 'resumed', folder, sources, texts: [] },
      config: trainConfig.parse({ ...small, ...rich, steps }),
      signal: stop.signal,
      onProgress: ({ step, seconds, data_seconds }) => {
        seen.push(step)
        expect(data_seconds).toBeGreaterThan(0)
        expect(data_seconds).toBeLessThan(seconds)
        if (step === stopAt) stop.abort()
      },
    })
    if (stopAt === undefined) await training
    else await expect(training).rejects.toThrow()
    return seen
  }

  /**
   * Makes a folder's checkpoint one of a version that kept, beside the step, the samples taken from each
   * source.
   */
  async function makeOlder(folder: string): Promise<void> {
    const path = join(folder, checkpointFile)
    const file = await openSafetensors(path)
    const tensors = await Promise.all(
      [...file.tensors].map(async ([name, { shape, read }]) => ({ name, shape, data: await read() })),
    )
    const checkpoint = JSON.parse(file.metadata.checkpoint ?? '')
    await file.close()
    expect(Object.keys(checkpoint).sort()).toEqual(['hash', 'step'])
    const older = { ...checkpoint, positions: { few: 2, many: 6 } }
    await writeSafetensors(path, tensors, { checkpoint: JSON.stringify(older) })
  }

  it('ends with the weights that it would have had, stopped after every step', async () => {
    const weightsOf = (folder: string) => readFile(join(folder, 'model.safetensors'))
    const straight = await temporaryFolder()
    expect(await train(straight)).toEqual([1, 2, 3])
    const folder = await temporaryFolder()
    for (let step = 1; step <= steps; step++) {
      expect(await train(folder, step)).toEqual([step])
      if (step === 2) await makeOlder(folder)
    }
    expect(await train(folder)).toEqual([])
    expect((await weightsOf(folder)).equals(await weightsOf(straight))).toBe(true)
  })
})
