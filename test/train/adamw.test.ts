import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { adamWStep } from '../../src/train/optimizer/adamw.js'
import { allocateVectors } from '../../src/train/optimizer/adamw-kernel.js'
import { parametersOfState } from '../../src/train/optimizer/optimizer-state.js'
import { groupParameters } from '../../src/train/optimizer/parameter-groups.js'

const config = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.1, clip_norm: 1, ema: 0.9 }

/** AdamW as PyTorch documents it, an element at a time in float64. */
function reference(
  values: readonly number[],
  steps: readonly (readonly number[])[],
  rate: number,
  decay: boolean,
) {
  const state = values.map((value) => ({ value, average: value, moment1: 0, moment2: 0 }))
  steps.forEach((gradients, index) => {
    const norm = Math.hypot(...gradients)
    const clip = Math.min(1, config.clip_norm / (norm + 1e-6))
    state.forEach((one, at) => {
      const gradient = gradients[at] * clip
      if (decay) one.value -= rate * config.weight_decay * one.value
      one.moment1 = config.beta1 * one.moment1 + (1 - config.beta1) * gradient
      one.moment2 = config.beta2 * one.moment2 + (1 - config.beta2) * gradient ** 2
      const corrected1 = one.moment1 / (1 - config.beta1 ** (index + 1))
      const corrected2 = one.moment2 / (1 - config.beta2 ** (index + 1))
      one.value -= (rate * corrected1) / (Math.sqrt(corrected2) + config.epsilon)
      one.average = config.ema * one.average + (1 - config.ema) * one.value
    })
  })
  return state
}

const groupOf = (size: number, { decay = true, rate = 1 } = {}) => ({
  group: { name: 'weights', size, slots: [{ name: 'a', shape: [size], offset: 0 }], decay, rate },
  vectors: allocateVectors(size),
})

describe('a step of AdamW', () => {
  it('is the documented formula at every length, with and without decay', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.boolean(), fc.integer(), (size, decay, seed) => {
        const draw = random(seed, 'adamw')
        const numbers = () => Array.from({ length: size }, () => Math.fround(draw.normal()))
        const values = numbers()
        const steps = [numbers(), numbers(), numbers()]
        const one = groupOf(size, { decay, rate: 0.5 })
        one.vectors.value.set(values)
        one.vectors.average.set(values)
        steps.forEach((gradients, index) => {
          one.vectors.gradient.set(gradients)
          const norm = adamWStep({ groups: [one], frozen: [] }, index + 1, 0.02, config)
          expect(norm).toBeCloseTo(Math.hypot(...gradients), 9)
        })
        for (const [at, expected] of reference(values, steps, 0.01, decay).entries()) {
          for (const key of ['value', 'average', 'moment1', 'moment2'] as const) {
            const found = one.vectors[key][at]
            expect(Math.abs(found - expected[key]), `${key} ${at} of ${size}`).toBeLessThan(1e-6)
          }
        }
      }),
    )
  })

  it('clips by the norm of all vectors together', () => {
    const [a, b] = [groupOf(1), groupOf(1)]
    a.vectors.gradient[0] = 3
    b.vectors.gradient[0] = 4
    expect(adamWStep({ groups: [a, b], frozen: [] }, 1, 0.1, config)).toBe(5)
    expect(a.vectors.moment1[0]).toBeCloseTo(0.1 * (3 / 5), 6)
    expect(b.vectors.moment1[0]).toBeCloseTo(0.1 * (4 / 5), 6)
  })

  it('takes the mean of the gradients of a batch in parts', () => {
    const [whole, cut] = [groupOf(21), { ...groupOf(21), vectors: allocateVectors(21, { sums: true }) }]
    const draw = random('parts')
    for (let step = 1; step <= 2; step++) {
      const parts = [0, 1, 2].map(() => Array.from({ length: 21 }, () => draw.normal()))
      whole.vectors.gradient.set(parts[0].map((_, at) => (parts[0][at] + parts[1][at] + parts[2][at]) / 3))
      for (const [index, part] of parts.entries()) {
        cut.vectors.gradient.set(part)
        if (index < 2) cut.vectors.keepGradient()
      }
      cut.vectors.sumGradients()
      const norm = adamWStep({ groups: [whole], frozen: [] }, step, 0.1, config)
      expect(adamWStep({ groups: [cut], frozen: [] }, step, 0.1, config, 3)).toBeCloseTo(norm, 5)
    }
    for (const [at, value] of whole.vectors.value.entries())
      expect(cut.vectors.value[at]).toBeCloseTo(value, 5)
  })

  it('changes nothing where the gradient is not finite', () => {
    const one = groupOf(5)
    one.vectors.value.fill(2)
    one.vectors.gradient.set([1, 2, Number.NaN, 3, 4])
    expect(adamWStep({ groups: [one], frozen: [] }, 1, 0.1, config)).toBeNaN()
    expect([...one.vectors.value]).toEqual([2, 2, 2, 2, 2])
    expect([...one.vectors.moment1]).toEqual([0, 0, 0, 0, 0])
  })

  it('lets fading moments become zero, never denormal', () => {
    const one = groupOf(4)
    one.vectors.moment1.fill(1.2e-38)
    one.vectors.moment2.fill(1.18e-38)
    adamWStep({ groups: [one], frozen: [] }, 1, 0.1, config)
    expect([...one.vectors.moment1, ...one.vectors.moment2]).toEqual(Array(8).fill(0))
  })
})

describe('groups of parameters', () => {
  const parameters = [
    { name: 'a.weight', shape: [3, 4], frozen: false },
    { name: 'language_backbone.w.weight', shape: [40], frozen: false },
    { name: 'a.bias', shape: [5], frozen: false },
    { name: 'b.weight', shape: [100], frozen: false },
    { name: 'n.weight', shape: [7], frozen: true },
    { name: 'language_backbone.w.bias', shape: [1], frozen: false },
    { name: 'c.weight', shape: [2], frozen: false },
  ]
  const groups = groupParameters(parameters, { language_rate: 0.1, bias_rate: 2 }, 64)

  it('share a rate and a decay, and are cut where a vector is full', () => {
    expect(
      groups.map(({ name, slots, decay, rate }) => [
        name,
        slots.map((slot) => slot.name).join(' '),
        decay,
        rate,
      ]),
    ).toEqual([
      ['weights', 'a.weight', true, 1],
      ['weights.1', 'b.weight', true, 1],
      ['weights.2', 'c.weight', true, 1],
      ['biases', 'a.bias', false, 2],
      ['language.weights', 'language_backbone.w.weight', true, 0.1],
      ['language.biases', 'language_backbone.w.bias', false, 0.2],
    ])
  })

  it('never overlap', () => {
    const all = groupParameters(parameters, { language_rate: 1, bias_rate: 1 })
    const state = {
      groups: all.map((group) => ({ group, vectors: allocateVectors(group.size) })),
      frozen: [],
    }
    const views = parametersOfState(state, 'value')
    for (const [index, { data }] of views.entries()) data.fill(index + 1)
    for (const [index, { data, shape }] of views.entries()) {
      expect(data.length).toBe(shape.reduce((product, side) => product * side, 1))
      expect(new Set(data)).toEqual(new Set([index + 1]))
    }
  })
})
