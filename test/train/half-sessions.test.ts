import { describe, expect, it } from 'vitest'
import { floats, type Value } from '../../src/graph/session.js'
import { glipConfig } from '../../src/model/network/presets.js'
import { isHalved, openHalfSessions } from '../../src/train/half-sessions.js'
import { type TrainGraphConfig, trainGraph } from '../../src/train/loss/train-graph.js'
import { initialState, parametersOfState } from '../../src/train/optimizer/optimizer-state.js'
import { groupParameters } from '../../src/train/optimizer/parameter-groups.js'
import { openStepSessions } from '../../src/train/step-sessions.js'
import { trainModel } from '../../src/train/train-model.js'
import { config, squares } from '../helpers/squares.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { tinyBatch, tinyConfig, tinyTraining } from '../helpers/tiny-glip.js'

const training = { ...tinyTraining, batch: 4 }
const { batch: n, max_boxes } = training

/** Two steps of a batch, computed whole or in halves: losses and gradients of the second, of other weights. */
async function steps(
  asked: TrainGraphConfig,
  batch: Readonly<Record<string, Value>>,
): Promise<{ readonly losses: Record<string, number>; readonly gradients: Map<string, Float32Array> }> {
  const { totals, ...graph } = trainGraph(tinyConfig, asked)
  const groups = groupParameters(graph.parameters, { language_rate: 1, bias_rate: 1 })
  const state = await initialState(groups, graph.parameters, 7, undefined, {
    sums: true,
    shared: totals !== undefined,
  })
  const sessions = totals
    ? await openHalfSessions({ ...graph, totals }, state, { threads: 2 })
    : await openStepSessions(graph, state, { network: tinyConfig, parts: 1 }, { threads: 1, ownGraph: true })
  const once = async () => {
    const losses = await sessions.run(batch)
    for (const { vectors } of state.groups) vectors.sumGradients()
    return losses
  }
  await once()
  for (const { vectors } of state.groups) vectors.value.set(vectors.value.map((x) => 1.1 * x))
  const losses = await once()
  await sessions.close()
  const gradients = parametersOfState(state, 'gradient').map(
    ({ name, data }) => [name, data.slice()] as const,
  )
  return { losses, gradients: new Map(gradients) }
}

/** The halves of this one differ in all that losses are divided by. */
function unevenBatch(): Record<string, Value> {
  const batch = tinyBatch(7, tinyConfig, training)
  const { assigned, centerness } = batch as { assigned: Value; centerness: Value }
  const places = assigned.data.length / n
  // The last sample has no box, and the one before may not train the regression.
  ;(assigned.data as BigInt64Array).fill(BigInt(max_boxes), 3 * places)
  ;(centerness.data as Float32Array).fill(0, 3 * places)
  return { ...batch, regress: floats([1, 1, 0, 1], [n, 1]) }
}

/** As a sure one, but for the second box of the first sample. */
function unsure(): Record<string, Value> {
  const rows = max_boxes + 1
  const { max_tokens: length } = tinyConfig.text
  const weight = new Float32Array(n * rows * length).fill(1).fill(0.3, length, 2 * length)
  const boxWeight = new Float32Array(n * rows).fill(1)
  boxWeight[1] = 0.3
  return { weight: floats(weight, [n, rows, length]), box_weight: floats(boxWeight, [n, rows, 1]) }
}

describe('a batch whose halves are computed at once', () => {
  it.each([
    ['of sure boxes', {}, {}],
    ['of boxes that are weighed', { weighs: true }, unsure()],
  ])('has the losses and gradients of the whole, %s', async (_, more, fed) => {
    const batch = { ...unevenBatch(), ...fed }
    const whole = await steps({ ...training, ...more }, batch)
    const halves = await steps({ ...training, ...more, halved: true }, batch)
    expect(Object.keys(halves.losses)).toEqual(Object.keys(whole.losses))
    for (const [name, loss] of Object.entries(whole.losses))
      expect(Math.abs((halves.losses[name] as number) - loss) / loss, name).toBeLessThan(1e-5)
    const largest = (values: Float32Array) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
    const all = Math.max(...[...whole.gradients.values()].map(largest))
    for (const [name, gradient] of whole.gradients) {
      const apart = largest(gradient.map((x, at) => x - (halves.gradients.get(name)?.[at] as number)))
      expect(apart, name).toBeLessThan(1e-5 * Math.max(largest(gradient), 0.01 * all))
    }
  })

  it('trains as the whole does', async () => {
    const source = await squares(6)
    const losses = async (threads: number) => {
      const seen: number[] = []
      await trainModel({
        ...{ name: 'halves', folder: await temporaryFolder(), sources: [source], texts: [] },
        config: config({ steps: 3, batch: 4, image_size: 32, threads }),
        onProgress: ({ loss }) => void seen.push(loss),
      })
      return seen
    }
    const [whole, halves] = [await losses(1), await losses(2)]
    expect(await losses(2)).toEqual(halves)
    expect(halves).not.toEqual(whole)
    whole.forEach((loss, step) => {
      expect(Math.abs(halves[step] - loss) / loss, `step ${step + 1}`).toBeLessThan(1e-4)
    })
  })
})

it('is cut in halves where that is faster and gives the same', () => {
  const drop = { path: 0, dropout: 0, block: 0 }
  const plain = { batch: 16, drop, threads: 2 }
  const toy = glipConfig('toy', 400)
  expect(isHalved(toy, plain, 'cpu')).toBe(true)
  expect(isHalved(toy, plain, 'webgpu')).toBe(false)
  expect(isHalved(toy, { ...plain, threads: 1 }, 'cpu')).toBe(false)
  expect(isHalved(toy, { ...plain, batch: 7 }, 'cpu')).toBe(false)
  expect(isHalved(toy, { ...plain, micro_batch: 8 }, 'cpu')).toBe(false)
  expect(isHalved(toy, { ...plain, drop: { ...drop, dropout: 0.1 } }, 'cpu')).toBe(false)
  expect(isHalved(glipConfig('toy-r50', 400), plain, 'cpu')).toBe(false)
  expect(isHalved(glipConfig('glip-t', 30_522), plain, 'cpu')).toBe(false)
})
