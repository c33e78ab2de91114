import { describe, expect, it } from 'vitest'
import { grad } from '../../src/graph/grad.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { topologicalOrder } from '../../src/graph/topological-order.js'
import { type GlipConfig, queriesOf } from '../../src/model/config.js'
import { glip, glipInputs } from '../../src/model/glip.js'
import { glipQueries } from '../../src/model/glip-queries.js'
import { parametersOf } from '../../src/model/parameters.js'
import { initialState, stateViews } from '../../src/train/optimizer-state.js'
import { groupParameters } from '../../src/train/parameter-groups.js'
import { targetInputs, unifiedLoss } from '../../src/train/train-graph.js'
import { narrowGlip } from '../helpers/glip-cases.js'
import { narrowQueries } from '../helpers/query-cases.js'
import { tinyConfig, tinyTraining } from '../helpers/tiny-glip.js'

/** A composite is what it is made of, as it is written. */
const resolve = (tensor: Tensor): Tensor => {
  const body = tensor.source.kind === 'node' ? tensor.source.node.body : undefined
  return body ? resolve(body) : tensor
}
const nodesUnder = (tensors: readonly Tensor[]) => topologicalOrder(tensors, ({ inputs }) => inputs, resolve)

describe('a step of training', () => {
  it.each([
    ['toy', tinyConfig],
    ['official', narrowGlip],
    ['queries', narrowQueries],
  ] as [string, GlipConfig][])('may write new values over the old ones: %s', (_, config) => {
    const inputs = glipInputs(config, 2)
    const training = { ...tinyTraining, batch: 2 }
    const outputs = queriesOf(config) === undefined ? glip(config, inputs) : glipQueries(config, inputs)
    const losses = unifiedLoss(config, training, outputs, targetInputs(config, training))
    const learned = parametersOf(Object.values(losses)).filter(({ frozen }) => !frozen)
    const tensors = learned.map(({ tensor }) => tensor)
    const gradients = grad(losses.loss, tensors)
    // New values depend on the norm of all gradients: whatever reads an old one has run by then.
    const before = new Set(nodesUnder(gradients))
    const readers = nodesUnder([...Object.values(losses), ...gradients]).filter(({ inputs: read }) =>
      read.some((tensor) => tensor && tensors.includes(tensor)),
    )
    expect(readers.length).toBeGreaterThanOrEqual(tensors.length)
    for (const node of readers) expect(before.has(node), node.op).toBe(true)
  })
})

describe('the pieces of a state', () => {
  const parameters = [
    { name: 'a.weight', shape: [3, 4], fill: 1 },
    { name: 'b.weight', shape: [700, 1000], fill: 2 },
    { name: 'a.bias', shape: [5], fill: 3 },
    { name: 'c.weight', shape: [100], fill: 4 },
    { name: 'd.weight', shape: [512, 512], fill: 5 },
    { name: 'e.weight', shape: [2], fill: 6 },
    { name: 'n.weight', shape: [7], fill: 7, frozen: true },
  ] as const
  const groups = groupParameters(parameters)

  it('cover each vector in order, large parameters cut and small ones together', () => {
    expect(groups.map(({ name, size }) => [name, size])).toEqual([
      ['weights', 12 + 700_000 + 100 + 262_144 + 2],
      ['biases', 5],
      ['frozen', 7],
    ])
    for (const { pieces, size } of groups) {
      let at = 0
      for (const piece of pieces) {
        expect(piece.offset).toBe(at)
        expect(piece.size).toBeLessThanOrEqual(2 ** 18)
        at += piece.size
      }
      expect(at).toBe(size)
    }
    const [{ pieces }] = groups
    expect(pieces.map(({ slots }) => slots.map(({ name }) => name[0]).join(''))).toEqual([
      ...['a', 'b', 'b', 'b', 'c', 'd', 'e'],
    ])
  })

  it('share the memory of the vectors', async () => {
    const given = new Map(
      parameters.map(({ name, shape, fill }) => {
        const size = shape.reduce((product: number, side) => product * side, 1)
        return [name, { read: async () => new Float32Array(size).fill(fill) }]
      }),
    )
    const state = await initialState(groups, [], 1, given)
    const frozen = {
      'value.frozen': { data: new Float32Array(7).fill(7), shape: [7], dtype: 'float32' as const },
    }
    const { feeds, into } = stateViews(groups, { ...state, ...frozen })
    const distinct = (name: string) => new Set(feeds[name].data as Float32Array)
    expect(Object.keys(into).length).toBe(4 * 8)
    expect(feeds['whole.b.weight'].shape).toEqual([700, 1000])
    expect(distinct('whole.b.weight')).toEqual(new Set([2]))
    expect(distinct('value.weights.3')).toEqual(new Set([2]))
    expect(distinct('value.weights.4')).toEqual(new Set([4]))
    expect(distinct('average.weights.6')).toEqual(new Set([6]))
    expect(distinct('value.frozen.0')).toEqual(new Set([7]))
    into['next.value.weights.1'].data[5] = 9
    expect(state['value.weights'].data[12 + 5]).toBe(9)
    expect(feeds['whole.b.weight'].data[5]).toBe(9)
    expect(Object.keys(into).some((name) => name.includes('frozen'))).toBe(false)
  })
})
