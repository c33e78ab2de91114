import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { trainConfig } from '../../src/train/config.js'
import type { SampleSource } from '../../src/train/samples/sample.js'
import { trainModel } from '../../src/train/train-model.js'
import { smallGold } from '../helpers/small-gold.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let source: SampleSource

beforeAll(async () => {
  source = await smallGold(folder)
})

const steps = 6

/** Losses of a training, by step; it is stopped after `until` steps where that is given. */
async function losses(name: string, drop: object, preset = 'toy', until?: number): Promise<number[]> {
  const stop = new AbortController()
  const seen: number[] = []
  const training = trainModel({
    name,
    folder: join(folder, name),
    config: trainConfig.parse({
      preset,
      image_size: 64,
      steps,
      batch: 3,
      warmup: 2,
      seed: 3,
      threads: 1,
      drop,
    }),
    sources: [source],
    texts: [],
    signal: stop.signal,
    onProgress: ({ step, loss }) => {
      seen[step - 1] = loss
      if (step === until) stop.abort()
    },
  })
  if (until === undefined) await training
  else await expect(training).rejects.toThrow()
  return seen
}

describe('training that drops at random', () => {
  it('gives the same losses again, other ones than without, and those it would have had when resumed', async () => {
    const drop = { dropout: 0.2, block: 0.3 }
    const calm = await losses('calm', drop)
    expect(await losses('again', drop)).toEqual(calm)
    const plain = await losses('plain', {})
    expect(plain).toHaveLength(steps)
    expect(plain[0]).not.toBeCloseTo(calm[0], 3)
    await losses('stopped', drop, 'toy', 3)
    const rest = await losses('stopped', drop)
    for (let step = 3; step < steps; step++) expect(rest[step]).toBeCloseTo(calm[step], 4)
    expect(rest[0]).toBeUndefined()
  })

  it('matches queries by what the network says with the same things dropped', async () => {
    const seen = await losses('queries', { dropout: 0.2, block: 0.3 }, 'toy-r50')
    expect(seen).toHaveLength(steps)
    expect(seen.every(Number.isFinite)).toBe(true)
  })

  it('refuses to skip blocks that there are not', async () => {
    await expect(losses('none', { path: 0.2 })).rejects.toThrow(
      /drop: path is 0.2, and the backbone of preset toy is no Swin/,
    )
  })
})
