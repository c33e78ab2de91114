/**
 * Writes test/model/fixtures/glip-parity.json: what PyTorch computes for each case of
 * test/helpers/glip-cases.ts.
 *
 *     npx tsx bench/parity/write-glip-fixture.ts [--python python3]        Python needs torch and torchvision
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { floats } from '../../src/graph/session.js'
import { parametersOf } from '../../src/model/network/parameters.js'
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
} from '../../test/helpers/glip-cases.js'
import { tinyOptimizer } from '../../test/helpers/tiny-glip.js'
import { option } from '../report.js'
import { caseFixture, round } from './case-fixture.js'
import { runReference } from './run-reference.js'

const python = option('python', process.env.GROUNDMILL_PYTHON ?? 'python3')
const unfused = { 'network without fusion': networkCase(narrowUnfused, narrowSize, 2) }
const fixture = {
  ...(await caseFixture(python, narrowGlip, parityCases(narrowGlip, narrowSize, 2))),
  ...(await caseFixture(python, narrowUnfused, unfused)),
}

const network = networkCase(narrowGlip, narrowSize, narrowTraining.batch)
const training = { ...narrowTraining, optimizer: tinyOptimizer, learning_rate: 1e-3, steps: 10 }
const results = await runReference(python, {
  name: 'training',
  config: narrowGlip,
  parameters: parametersOf(Object.values(network.outputs)).map((parameter) => ({
    parameter,
    data: shakenValue(parameter, 7),
  })),
  inputs: narrowBatch(),
  cotangents: [],
  metadata: { training: JSON.stringify(training), size: JSON.stringify(narrowSize) },
})
fixture.training = [...(results.get('output.losses')?.data ?? [])].map(round)

const targets = await runReference(python, {
  name: 'assignment',
  config: narrowGlip,
  parameters: [],
  inputs: { boxes: floats(narrowBoxes, [narrowBoxes.length / 4, 4]) },
  cotangents: [],
  metadata: { size: JSON.stringify(narrowSize) },
})
fixture.assignment = Object.fromEntries(
  [...targets.values()].map(({ name, data }) => [name, [...data].map(round)]),
)

const path = fileURLToPath(new URL('../../test/model/fixtures/glip-parity.json', import.meta.url))
mkdirSync(dirname(path), { recursive: true })
writeFileSync(path, `${JSON.stringify(fixture)}\n`)
console.log(path, fixture.training)
