import { expect } from 'vitest'
import { Session } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import type { GlipConfig } from '../../src/model/network/config.js'
import type { Parameter } from '../../src/model/network/parameters.js'
import { torchLayout, toTorch } from '../../src/model/parameter-specs.js'
import { caseValues, type ParityCase, shakenValue } from './glip-cases.js'
import { caseGradients, caseOutputs, sampleOf } from './parity-graph.js'

/** What PyTorch computed of a case, by output and gradient: the largest value, and some of the values. */
export type ExpectedCase = Readonly<
  Record<string, { readonly scale: number; readonly values: readonly number[] }>
>

const seed = 7

const randomValues = (parameters: readonly Parameter[]) => {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  return (key: string) => shakenValue(byName.get(key) as Parameter, seed)
}

/** Compares the outputs of a case and all its gradients. */
export async function checkParity(
  name: string,
  parityCase: ParityCase,
  config: GlipConfig,
  expected: ExpectedCase,
): Promise<void> {
  const { parameters, named } = caseOutputs(parityCase)
  const byGradient = new Map(parameters.map((parameter) => [`gradient.${parameter.name}`, parameter]))
  const outputs = { ...named, ...caseGradients(name, parityCase, parameters) }
  const model = toOnnx({ outputs, parameters: randomValues(parameters) })
  const session = await Session.open(model, { threads: 1 })
  const results = await session.run(caseValues(name, parityCase, config))
  expect(Object.keys(results).sort()).toEqual(Object.keys(expected).sort())
  const largest = Math.max(
    ...Object.entries(expected)
      .filter(([key]) => key.startsWith('gradient.'))
      .map(([, { scale }]) => scale),
  )
  for (const [key, { scale, values }] of Object.entries(expected)) {
    const parameter = byGradient.get(key)
    const data = results[key].data as Float32Array
    // Values in PyTorch's layout, where a result is a parameter's gradient.
    const actual = sampleOf(parameter ? toTorch(torchLayout(parameter), data) : data, values.length)
    // A gradient that is 0 by construction, as a key's bias, is rounding of the others on both sides.
    const allowed = 1e-4 * scale + (key.startsWith('gradient.') ? 1e-7 * largest : 0)
    values.forEach((value, index) => {
      expect(
        Math.abs(actual[index] - value),
        `${key} ${index}: ${actual[index]} for ${value}`,
      ).toBeLessThanOrEqual(allowed)
    })
  }
  await session.close()
}

/** Compares the outputs of a case that is written out of portable operators. */
export async function checkPortable(
  name: string,
  parityCase: ParityCase,
  config: GlipConfig,
  expected: ExpectedCase,
): Promise<void> {
  const { parameters, named } = caseOutputs(parityCase)
  const model = toOnnx({ outputs: named, parameters: randomValues(parameters), portable: true })
  const session = await Session.open(model, { threads: 1 })
  const results = await session.run(caseValues(name, parityCase, config))
  for (const [key, { scale, values }] of Object.entries(expected)) {
    if (!key.startsWith('output.')) continue
    const actual = sampleOf(results[key].data as Float32Array, values.length)
    values.forEach((value, index) => {
      expect(Math.abs(actual[index] - value) / scale, `${key} ${index}`).toBeLessThan(1e-4)
    })
  }
  await session.close()
}
