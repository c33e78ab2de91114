/**
 * Writes the tiny network's first parameters and batch for toy_fixture.py: `tsx write-toy-inputs.ts FILE`.
 */
import { initialValue } from '../../src/model/network/parameters.js'
import { trainGraph } from '../../src/train/loss/train-graph.js'
import { writeSafetensors } from '../../src/weights/safetensors.js'
import { tinyBatch, tinyConfig, tinyOptimizer, tinyTraining } from '../../test/helpers/tiny-glip.js'

const { parameters } = trainGraph(tinyConfig, tinyTraining)
const values = parameters.map((parameter) => {
  const { name, shape } = parameter
  return { name: `parameter.${name}`, shape, data: initialValue(parameter, 7) }
})
const batch = Object.entries(tinyBatch(7)).map(([name, { data, shape }]) => ({
  name: `batch.${name}`,
  shape,
  data: Float32Array.from<number | bigint>(data as Float32Array, Number),
}))
const metadata = {
  config: JSON.stringify(tinyConfig),
  training: JSON.stringify({ ...tinyTraining, optimizer: tinyOptimizer }),
}
await writeSafetensors(process.argv[2]!, [...values, ...batch], metadata)
