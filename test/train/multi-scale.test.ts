import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { placeBox, plainPlacement } from '../../src/model/image-input.js'
import { glipConfig } from '../../src/model/network/presets.js'
import { trainConfig } from '../../src/train/config.js'
import type { SampleSource } from '../../src/train/samples/sample.js'
import { openSizedSessions, type StepSessions } from '../../src/train/step-sessions.js'
import { checkScales, sideAt } from '../../src/train/step-sizes.js'
import { trainModel } from '../../src/train/train-model.js'
import { squares } from '../helpers/squares.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** What the official transform makes of pictures and boxes: bench/parity/resize_reference.py. */
const { sizes, cases } = JSON.parse(
  readFileSync(new URL('./fixtures/resize.json', import.meta.url), 'utf8'),
) as {
  readonly sizes: readonly number[]
  readonly cases: readonly {
    readonly picture: readonly [number, number]
    readonly size: number
    readonly shown: readonly [number, number]
    readonly box: Xyxy
    readonly scaled: Xyxy
  }[]
}
const network = glipConfig('toy', 50)

describe('the size of a step', () => {
  const multi_scale = { sizes: [...sizes], every: 10 }

  it('is drawn by the seed and the step, and stays for some steps', () => {
    const drawn = Array.from({ length: 400 }, (_, at) => sideAt(at + 1, network, { multi_scale, seed: 3 }))
    for (let first = 0; first < 400; first += 10) expect(new Set(drawn.slice(first, first + 10)).size).toBe(1)
    expect(sideAt(237, network, { multi_scale, seed: 3 })).toBe(drawn[236])
    const others = Array.from({ length: 400 }, (_, at) => sideAt(at + 1, network, { multi_scale, seed: 4 }))
    expect(others).not.toEqual(drawn)
    expect(sideAt(7, network, { multi_scale: undefined, seed: 3 })).toBe(96)
  })

  it('is each of them as often as the others', () => {
    const counts = new Map<number, number>()
    const draws = 11_000
    for (let step = 1; step <= draws; step++) {
      const side = sideAt(step, network, { multi_scale: { ...multi_scale, every: 1 }, seed: 5 })
      counts.set(side, (counts.get(side) ?? 0) + 1)
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual(sizes)
    const expected = draws / sizes.length
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    // One draw in a thousand that are even is over 29.6, with ten degrees of freedom.
    expect(chiSquare).toBeLessThan(29.6)
  })

  it('shows pictures and boxes as the official transform does, but for its whole pixels', () => {
    for (const { picture, size, shown, box, scaled } of cases) {
      const [width, height] = picture
      // It rounds the shorter side, and takes the longer one by that.
      const most = 1 + Math.max(width / height, height / width) / 2
      const decoded = { width, height, scale: 1, data: new Uint8Array() }
      const placement = plainPlacement(decoded, { ...network, image_size: size })
      for (const [at, side] of [width, height].entries())
        expect(Math.abs(side * placement.scale - shown[at]!), `${picture} at ${size}`).toBeLessThan(most)
      placeBox(box, decoded, placement, 'outer').forEach((value, at) => {
        expect(Math.abs(value - scaled[at]!), `${box} of ${picture} at ${size}`).toBeLessThan(most)
      })
    }
  })

  it('is one that the network can have', () => {
    const check = (sides: number[]) => () => checkScales(network, { multi_scale: { sizes: sides, every: 1 } })
    expect(check([64, 96])).not.toThrow()
    expect(check([64, 100])).toThrow(
      'multi_scale: 100 is not a multiple of 32, the coarsest stride of preset "toy"',
    )
  })
})

describe('sessions of several sizes', () => {
  it('are opened as they are asked for, and the one that was not used longest makes room', async () => {
    const told: string[] = []
    const sessions = openSizedSessions(async (side): Promise<StepSessions> => {
      told.push(`open ${side}`)
      return { run: async () => ({ side }), close: async () => void told.push(`close ${side}`) }
    }, 2)
    for (const side of [1, 2, 1, 3, 1, 2]) expect(await (await sessions.of(side)).run({})).toEqual({ side })
    await sessions.close()
    expect(told).toEqual([
      ...['open 1', 'open 2', 'close 2', 'open 3', 'close 3', 'open 2', 'close 1', 'close 2'],
    ])
  })
})

describe('a training with several sizes', () => {
  let source: SampleSource
  beforeAll(async () => {
    source = await squares(4)
  })

  /** The losses of each step; a rate of nearly 0 leaves the weights as they are. */
  async function losses(folder: string, more: object, stopAt?: number): Promise<Map<number, number>> {
    const stop = new AbortController()
    const found = new Map<number, number>()
    const training = trainModel({
      ...{ name: 'scales', folder, sources: [source], texts: [], signal: stop.signal },
      config: trainConfig.parse({
        ...{ image_size: 64, steps: 3, batch: 1, max_boxes: 4, vocabulary_size: 100, warmup: 0, threads: 1 },
        ...{ learning_rate: 1e-30, weight_decay: 0, drop: { dropout: 0.2, block: 0.3 }, seed: 4, ...more },
      }),
      onProgress: ({ step, loss }) => {
        found.set(step, loss)
        if (step === stopAt) stop.abort()
      },
    })
    if (stopAt === undefined) await training
    else await expect(training).rejects.toThrow()
    return found
  }

  it('has at each step the loss of a network of that size, also where it was stopped', async () => {
    const multi_scale = { sizes: [64, 96], every: 1 }
    const sides = [1, 2, 3].map((step) => sideAt(step, network, { multi_scale, seed: 4 }))
    expect(new Set(sides).size).toBe(2)
    const folder = await temporaryFolder()
    const drawn = await losses(folder, { multi_scale }, 2)
    for (const [step, loss] of await losses(folder, { multi_scale, open_sizes: 1 })) drawn.set(step, loss)
    const [small, large] = [
      await losses(await temporaryFolder(), {}),
      await losses(await temporaryFolder(), { image_size: 96 }),
    ]
    expect([...drawn]).toEqual(sides.map((side, at) => [at + 1, (side === 64 ? small : large).get(at + 1)]))
    expect(small.get(1)).not.toBeCloseTo(large.get(1)!, 2)
  })
})

it('a side that no memory holds is refused', () => {
  for (const given of [{ image_size: 8224 }, { multi_scale: { sizes: [64, 1e9] } }])
    expect(trainConfig.safeParse(given).error?.message).toContain('<=8192')
})
