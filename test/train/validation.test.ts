import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { trainConfig } from '../../src/train/config.js'
import type { StepMetrics } from '../../src/train/metrics-log.js'
import { learningRate } from '../../src/train/optimizer/learning-rate.js'
import type { SampleSource } from '../../src/train/samples/sample.js'
import { trainModel } from '../../src/train/train-model.js'
import {
  afterValidation,
  firstValidation,
  isOver,
  openValidator,
  type ValidationState,
  type ValidatorOptions,
} from '../../src/train/validation.js'
import { readSafetensors } from '../../src/weights/safetensors.js'
import { squares } from '../helpers/squares.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const validate = { set: 'held' }

describe('a validation', async () => {
  const { falls, ends } = JSON.parse(
    await readFile(new URL('fixtures/plateau.json', import.meta.url), 'utf8'),
  ) as {
    readonly falls: readonly (Record<'rate' | 'patience' | 'factor' | 'min_rate', number> & {
      readonly name: string
      readonly metrics: readonly number[]
      readonly rates: readonly number[]
    })[]
    readonly ends: readonly {
      readonly name: string
      readonly patience: number
      readonly metrics: readonly number[]
      readonly end: number | null
      readonly kept: number
    }[]
  }

  it.each(falls)('lowers the rate as PyTorch does: $name, $rate $patience $factor $min_rate', (fall) => {
    const { metrics, rates, rate, ...plateau } = fall
    const config = trainConfig.parse({
      ...{ schedule: 'plateau', validate, learning_rate: rate, warmup: 0, steps: 1000 },
      plateau: { patience: plateau.patience, factor: plateau.factor, min_rate: plateau.min_rate },
    })
    let state: ValidationState = firstValidation(config)
    const found = metrics.map((value, at) => {
      state = afterValidation(state, { step: at + 1, value }, config)
      return learningRate(at + 2, { ...config, steps: 1000 }, state.plateau.rate)
    })
    expect(found).toEqual(rates)
  })

  it.each(ends)('ends a training as the official code does: $name, $patience', (official) => {
    const { metrics, patience, end, kept } = official
    const config = trainConfig.parse({ validate, early_stop: { patience } })
    let state: ValidationState = firstValidation(config)
    const at = metrics.findIndex((value, step) => {
      state = afterValidation(state, { step, value }, config)
      return isOver(state, config)
    })
    expect(at).toBe(end ?? -1)
    expect(state.best).toEqual({ step: kept, value: metrics[kept] })
  })

  it('within the warm-up does not lower the rate', () => {
    const config = trainConfig.parse({
      ...{ schedule: 'plateau', plateau: { patience: 0 }, validate, warmup: 3, learning_rate: 1 },
    })
    let state = firstValidation(config)
    const rates = [1, 2, 3, 4].map((step) => {
      state = afterValidation(state, { step, value: 1 / step }, config)
      return state.plateau.rate
    })
    expect(rates).toEqual([1, 1, 1, 0.1])
  })
})

describe('a training that is validated', () => {
  let source: SampleSource
  beforeAll(async () => {
    source = await squares(6)
  })

  const settings = {
    ...{ image_size: 32, max_boxes: 4, vocabulary_size: 100, warmup: 0, threads: 1, batch: 2, ema: 0 },
    ...{ steps: 12, schedule: 'plateau', plateau: { patience: 1 }, early_stop: { patience: 3 } },
  }
  /** The metric of each validation: an epoch is three steps, and the third is the best. */
  const metrics: Readonly<Record<number, number>> = { 2: 0.2, 4: 0.3, 6: 0.25, 8: 0.24, 10: 0.23, 12: 0.9 }

  /** Trains, and is stopped behind a step where one is given; a training that was stopped goes on behind step `done`. */
  async function train(folder: string, { more = {}, stopAt, done = 0 }: TrainHow = {}) {
    const stop = new AbortController()
    const lines: StepMetrics[] = []
    const weights: Float32Array[] = []
    const training = trainModel({
      ...{ name: 'validated', folder, sources: [source], texts: [], signal: stop.signal },
      config: trainConfig.parse({ ...settings, validate: { ...validate, every: 2 }, ...more }),
      validation: {
        hash: 'h',
        async score(model) {
          weights.push(await someWeights(model))
          return { ap: metrics[(lines.at(-1)?.step ?? done) + 1] ?? 0 }
        },
      },
      onProgress: (line) => {
        lines.push(line)
        if (line.step === stopAt) stop.abort()
      },
    })
    if (stopAt !== undefined) await expect(training).rejects.toThrow()
    return { lines, weights, result: stopAt === undefined ? await training : undefined }
  }
  interface TrainHow {
    readonly more?: object
    readonly stopAt?: number | undefined
    readonly done?: number
  }
  const someWeights = async (folder: string) =>
    [...(await readSafetensors(join(folder, 'model.safetensors'))).tensors.values()][0]!.data

  it('lowers its rate, ends early and keeps the best weights, however often it is stopped', async () => {
    const straight = await temporaryFolder()
    const { lines, result, weights } = await train(straight)
    expect(lines.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(lines.filter(({ eval_ap: ap }) => ap !== undefined).map(({ step }) => step)).toEqual([
      2, 4, 6, 8, 10,
    ])
    expect(lines.map(({ learning_rate: rate }) => rate)).toEqual([
      ...Array.from({ length: 8 }, () => 1e-3),
      ...Array.from({ length: 2 }, () => 1e-4),
    ])
    expect(result).toMatchObject({ steps: 10, best: { step: 4, value: 0.3 } })
    expect(await someWeights(straight)).toEqual(weights[1])
    expect(weights[1]).not.toEqual(weights[4])
    expect((await readdir(straight)).filter((name) => /best|checkpoint|validation/.test(name))).toEqual([])
    expect(await readFile(join(straight, 'README.md'), 'utf8')).toContain(
      '10 steps of 2 pictures, AdamW at 0.001, seed 1.',
    )
    expect(await readFile(join(straight, 'README.md'), 'utf8')).toContain(
      'the weights are those of step 4, with the best ap on held: 0.3000',
    )

    const folder = await temporaryFolder()
    const steps: number[] = []
    // The last goes on behind the validation that ended the training.
    for (const stopAt of [5, 10, undefined]) {
      const part = await train(folder, { stopAt, done: steps.length })
      steps.push(...part.lines.map(({ step }) => step))
    }
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const bytes = (of: string) => readFile(join(of, 'model.safetensors'))
    expect((await bytes(folder)).equals(await bytes(straight))).toBe(true)
    const withoutTimes = async (of: string) =>
      (await readFile(join(of, 'metrics.jsonl'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => ({ ...JSON.parse(line), seconds: 0, data_seconds: 0 }))
    expect(await withoutTimes(folder)).toEqual(await withoutTimes(straight))
  })

  it('is validated at the end of each epoch and of the training, where nothing else is said', () => {
    const config = { ...trainConfig.parse({ steps: 10, validate }), steps: 10, validate }
    // It looks at none of the others before it validates.
    const options = { folder: '', config, epoch: 4 } as ValidatorOptions
    const validator = openValidator({ hash: '', score: async () => ({}) }, options, firstValidation(config))
    expect(Array.from({ length: 10 }, (_, at) => at + 1).filter(validator.isDue)).toEqual([4, 8, 10])
  })

  it.each([
    [{ validate: undefined }, /schedule: plateau: what decides are validations: name a held-out dataset/],
    [
      { validate: undefined, schedule: 'step', plateau: undefined },
      /early_stop: what decides are validations/,
    ],
    [{ schedule: 'step' }, /plateau: the schedule is "?step"?: say `schedule: plateau` too/],
    [{ validate: { ...validate, metric: 'ap75', every: 1 } }, /"held" gives no ap75/],
  ])('refuses what it cannot do: %j', async (more, message) => {
    await expect(train(await temporaryFolder(), { more })).rejects.toThrow(message)
  })
})
