import { expect } from 'vitest'
import { grad } from '../../src/graph/grad.js'
import { reduceSum } from '../../src/graph/ops/broadcast.js'
import { mul } from '../../src/graph/ops/elementwise.js'
import { constant, input, type Shape, sizeOf, type Tensor } from '../../src/graph/ops/tensor.js'
import { floats, Session } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'

/** A deterministic stream of numbers in [-1, 1). */
export function noise(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state / 2 ** 32) * 2 - 1
  }
}

export interface GradientCase {
  readonly shapes: readonly Shape[]
  readonly build: (...inputs: Tensor[]) => Tensor
  /** Maps noise in [-1, 1) to a value in the function's smooth domain. */
  readonly domain?: (value: number) => number
  readonly step?: number
  readonly tolerance?: number
}

/**
 * Compares the graph's gradients of sum(weights * build(inputs)) with central differences of the same graph, and
 * those of portable operators, where they are others, with these.
 * The weights are fixed noise, so that no gradient is hidden by symmetry.
 */
export async function checkGradient({
  shapes,
  build,
  domain = (v) => v,
  step = 1e-2,
  tolerance = 5e-3,
}: GradientCase) {
  const next = noise(7)
  const inputs = shapes.map((shape, index) => input(`x${index}`, shape))
  const output = build(...inputs)
  const weights = constant(Float32Array.from({ length: sizeOf(output.shape) }, next), output.shape)
  const loss = reduceSum(mul(output, weights))
  const gradients = grad(loss, inputs)
  const outputs: Record<string, Tensor> = { loss }
  gradients.forEach((gradient, index) => {
    outputs[`g${index}`] = gradient
  })
  const model = toOnnx({ outputs })
  const session = await Session.open(model, { threads: 1 })
  const values = shapes.map((shape) => Float32Array.from({ length: sizeOf(shape) }, () => domain(next())))
  const feeds = () =>
    Object.fromEntries(values.map((data, index) => [`x${index}`, floats(data, shapes[index])]))
  const run = () => session.run(feeds())
  const analytic = await run()
  const portable = toOnnx({ outputs, portable: true })
  if (!Buffer.from(portable).equals(model)) {
    const other = await Session.open(portable, { threads: 1 })
    for (const [name, { data }] of Object.entries(await other.run(feeds())))
      data.forEach((value, at) => {
        expect(value, `${name} of portable operators, element ${at}`).toBeCloseTo(
          Number(analytic[name].data[at]),
          5,
        )
      })
    await other.close()
  }
  for (let index = 0; index < values.length; index++) {
    const expected = new Float32Array(values[index].length)
    for (let at = 0; at < expected.length; at++) {
      const kept = values[index][at]
      const lossAt = async (value: number) => {
        values[index][at] = value
        const stored = values[index][at]
        return [stored, Number((await run()).loss.data[0])]
      }
      const [high, above] = await lossAt(kept + step)
      const [low, below] = await lossAt(kept - step)
      values[index][at] = kept
      expected[at] = (above - below) / (high - low)
    }
    const scale = Math.max(1, ...expected.map(Math.abs))
    const actual = analytic[`g${index}`].data as Float32Array
    expected.forEach((value, at) => {
      expect(
        Math.abs(actual[at] - value) / scale,
        `input ${index}, element ${at}: ${actual[at]} for ${value}`,
      ).toBeLessThan(tolerance)
    })
  }
  await session.close()
}
