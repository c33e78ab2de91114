import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { floats, Session } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { anchorsOf } from '../../src/model/anchors.js'
import { torchLayout, toTorch } from '../../src/model/parameter-specs.js'
import type { Parameter } from '../../src/model/parameters.js'
import { assignTargets } from '../../src/train/assign-targets.js'
import { emptyState, initialState } from '../../src/train/optimizer-state.js'
import { trainGraph } from '../../src/train/train-graph.js'
import {
  caseValues,
  narrowBatch,
  narrowBoxes,
  narrowGlip,
  narrowSize,
  narrowTraining,
  parityCases,
  shakenValue,
} from '../helpers/glip-cases.js'
import { caseGradients, caseOutputs, sampleOf } from '../helpers/parity-graph.js'

interface Expected {
  readonly scale: number
  readonly values: readonly number[]
}

/** What PyTorch computed for the same parameters and inputs: bench/parity/write-glip-fixture.ts. */
const fixture = JSON.parse(readFileSync(new URL('./fixtures/glip-parity.json', import.meta.url), 'utf8')) as {
  readonly [name: string]: Readonly<Record<string, Expected>>
}
const seed = 7

// onnxruntime takes seconds to read a graph of ten thousand nodes, and far more on a busy machine.
const timeout = 240_000

describe('blocks of the official network, narrow, against PyTorch', { timeout }, () => {
  const cases = parityCases(narrowGlip, narrowSize, 2)
  for (const [name, parityCase] of Object.entries(cases)) {
    const { parameters, named } = caseOutputs(parityCase)
    const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]))
    const randomValue = (key: string) => shakenValue(byName.get(key) as Parameter, seed)
    const fed = caseValues(name, parityCase, narrowGlip)
    /** Values in PyTorch's layout, where a result is a parameter's gradient. */
    const inTorchOrder = (key: string, data: Float32Array) => {
      const parameter = byName.get(key.replace('gradient.', ''))
      return parameter ? toTorch(torchLayout(parameter), data) : data
    }

    it(`${name}: outputs and gradients`, async () => {
      const outputs = { ...named, ...caseGradients(name, parityCase, parameters) }
      const session = await Session.open(toOnnx({ outputs, parameters: randomValue }), { threads: 1 })
      const results = await session.run(fed)
      const expected = fixture[name]
      expect(Object.keys(results).sort()).toEqual(Object.keys(expected).sort())
      const largest = Math.max(
        ...Object.entries(expected)
          .filter(([key]) => key.startsWith('gradient.'))
          .map(([, { scale }]) => scale),
      )
      for (const [key, { scale, values }] of Object.entries(expected)) {
        const actual = sampleOf(inTorchOrder(key, results[key].data as Float32Array), values.length)
        // A gradient that is 0 by construction, as a key's bias, is rounding of the others on both sides.
        const allowed = 1e-4 * scale + (key.startsWith('gradient.') ? 1e-7 * largest : 0)
        values.forEach((value, index) => {
          expect(
            Math.abs(actual[index] - value),
            `${key} ${index}: ${actual[index]} for ${value}`,
          ).toBeLessThan(allowed)
        })
      }
      await session.close()
    })

    it(`${name}: the same out of portable operators`, async () => {
      const session = await Session.open(
        toOnnx({ outputs: named, parameters: randomValue, portable: true }),
        {
          threads: 1,
        },
      )
      const results = await session.run(fed)
      for (const [key, { scale, values }] of Object.entries(fixture[name])) {
        if (!key.startsWith('output.')) continue
        const actual = sampleOf(results[key].data as Float32Array, values.length)
        values.forEach((value, index) => {
          expect(Math.abs(actual[index] - value) / scale, `${key} ${index}`).toBeLessThan(1e-4)
        })
      }
      await session.close()
    })
  }
})

describe('training of the official network, narrow, against PyTorch', { timeout }, () => {
  it('gives the same losses over ten steps of AdamW, without a contrastive term', async () => {
    const expected = fixture.training as unknown as readonly number[]
    const graph = trainGraph(narrowGlip, narrowTraining)
    const session = await Session.open(graph.step, { threads: 1 })
    const given = new Map(
      graph.parameters.map((parameter) => {
        return [parameter.name, { read: async () => shakenValue(parameter, seed) }]
      }),
    )
    let state = await initialState(graph.groups, graph.parameters, seed, given)
    let spare = emptyState(graph.groups)
    const { beta1, beta2 } = narrowTraining.optimizer
    const batch = narrowBatch()
    for (let step = 1; step <= expected.length; step++) {
      const rates = floats([1e-3, 1 - beta1 ** step, 1 - beta2 ** step], [3])
      const into = Object.fromEntries(Object.entries(spare).map(([name, value]) => [`next.${name}`, value]))
      const results = await session.run({ ...batch, ...state, rates }, into)
      expect(results).not.toHaveProperty(['metric.contrastive'])
      const loss = Number(results['metric.loss'].data[0])
      const before = expected[step - 1]
      expect(Math.abs(loss - before) / before, `step ${step}: ${loss} for ${before}`).toBeLessThan(1e-3)
      ;[state, spare] = [spare, state]
    }
    expect(expected[9]).toBeLessThan(0.8 * expected[0])
    await session.close()
  })
})

describe('anchors and targets of the official network', () => {
  const expected = fixture.assignment as unknown as Readonly<Record<string, readonly number[]>>
  const anchors = anchorsOf(narrowGlip, narrowSize)

  it('are those of the official code, whose boxes end with their last pixel', () => {
    expect([...anchors.boxes]).toEqual(expected['output.anchors'])
  })

  it('are assigned as by ATSS there, centerness measured to pixel centres', () => {
    const { assigned, centerness } = assignTargets(anchors, narrowBoxes)
    expect([...assigned]).toEqual(expected['output.assigned'])
    expect(assigned.filter((box) => box >= 0).length).toBeGreaterThan(8)
    centerness.forEach((value, index) => {
      expect(value, `anchor ${index}`).toBeCloseTo(expected['output.centerness'][index], 5)
    })
  })
})
