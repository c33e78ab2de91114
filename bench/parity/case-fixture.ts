/** What a fixture holds of the cases of a network. */
import type { GlipConfig } from '../../src/model/network/config.js'
import { caseValues, type ParityCase, shakenValue } from '../../test/helpers/glip-cases.js'
import { caseOutputs, cotangent, sampleOf } from '../../test/helpers/parity-graph.js'
import { runReference } from './run-reference.js'

/** Digits that float32 has. */
export const round = (value: number) => Number(value.toPrecision(7))

/**
 * For each case and each of its outputs and gradients, the largest value and some of the values that PyTorch
 * computes.
 */
export async function caseFixture(
  python: string,
  config: GlipConfig,
  cases: Readonly<Record<string, ParityCase>>,
): Promise<Record<string, unknown>> {
  const fixture: Record<string, unknown> = {}
  for (const [name, parityCase] of Object.entries(cases)) {
    const { parameters } = caseOutputs(parityCase)
    const results = await runReference(python, {
      name,
      config,
      parameters: parameters.map((parameter) => ({ parameter, data: shakenValue(parameter, 7) })),
      inputs: caseValues(name, parityCase, config),
      cotangents: Object.entries(parityCase.outputs).map(([key, tensor]) => ({
        name: key,
        shape: tensor.shape,
        data: cotangent(name, key, tensor),
      })),
    })
    fixture[name] = Object.fromEntries(
      [...results.values()].map(({ name: key, data }) => {
        const scale = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
        const most = key.startsWith('output.') ? 60 : 6
        return [key, { scale: round(scale), values: sampleOf(data, most).map(round) }]
      }),
    )
  }
  return fixture
}
