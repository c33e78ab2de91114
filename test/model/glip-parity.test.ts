import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Session } from '../../src/graph/session.js'
import { anchorsOf } from '../../src/model/network/anchors.js'
import { assignTargets } from '../../src/train/examples/assign-targets.js'
import { trainGraph } from '../../src/train/loss/train-graph.js'
import { adamWStep } from '../../src/train/optimizer/adamw.js'
import { initialState, stateViews } from '../../src/train/optimizer/optimizer-state.js'
import { groupParameters } from '../../src/train/optimizer/parameter-groups.js'
import { checkParity, checkPortable, type ExpectedCase } from '../helpers/check-parity.js'
import {
  narrowBatch,
  narrowBoxes,
  narrowGlip,
  narrowSize,
  narrowTraining,
  narrowUnfused,
  networkCase,
  parityCases,
  shakenValue,
} from '../helpers/glip-cases.js'
import { tinyOptimizer } from '../helpers/tiny-glip.js'

/** What PyTorch computed for the same parameters and inputs: bench/parity/write-glip-fixture.ts. */
const fixture = JSON.parse(readFileSync(new URL('./fixtures/glip-parity.json', import.meta.url), 'utf8')) as {
  readonly [name: string]: ExpectedCase
}
const seed = 7

// onnxruntime takes seconds to read a graph of ten thousand nodes, and far more on a busy machine.
const timeout = 240_000

describe('blocks of the official network, narrow, against PyTorch', { timeout }, () => {
  const cases = parityCases(narrowGlip, narrowSize, 2)
  for (const [name, parityCase] of Object.entries(cases)) {
    it(`${name}: outputs and gradients`, () => checkParity(name, parityCase, narrowGlip, fixture[name]))
    it(`${name}: the same out of portable operators`, () =>
      checkPortable(name, parityCase, narrowGlip, fixture[name]))
  }
})

describe('the whole network without fusion (GLIP-T (A)), narrow, against PyTorch', { timeout }, () => {
  const name = 'network without fusion'
  const parityCase = networkCase(narrowUnfused, narrowSize, 2)
  it('outputs and gradients', () => checkParity(name, parityCase, narrowUnfused, fixture[name]))
  it('the same out of portable operators', () =>
    checkPortable(name, parityCase, narrowUnfused, fixture[name]))
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
    const groups = groupParameters(graph.parameters, { language_rate: 1, bias_rate: 1 })
    const state = await initialState(groups, graph.parameters, seed, given)
    const { feeds, into } = stateViews(state)
    const batch = narrowBatch()
    for (let step = 1; step <= expected.length; step++) {
      const results = await session.run({ ...batch, ...feeds }, into)
      adamWStep(state, step, 1e-3, tinyOptimizer)
      expect(results).not.toHaveProperty(['metric.contrastive'])
      const loss = Number(results['metric.loss'].data[0])
      const before = expected[step - 1]
      expect(Math.abs(loss - before) / before, `step ${step}: ${loss} for ${before}`).toBeLessThan(1e-3)
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
