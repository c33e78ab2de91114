/**
 * The official network at its real widths, with random weights, against PyTorch: every block with its
 * gradients at a small size, then the whole network.
 *
 *     npm run verify:parity -- [--preset glip-t] [--sizes 224x320,800x1344] [--python python3] [--json]
 *
 *     npm run verify:parity -- --official CHECKOUT [--preset glip-t] [--short 800] [--keep FOLDER] [--python python3]
 *
 * asks the official package itself, whole, beside this program: CHECKOUT is a clone of github.com/microsoft/GLIP, and
 * the Python has what bench/parity/official_run.py and odd_files.py say. It also scores odd files beside pycocotools and
 * lvis-api, and says what the fast sizes change.
 *
 * Sizes are of the padded picture: one of 800 x 1333 pixels is fed as 800 x 1344. Needs a Python with torch
 * and torchvision, and about 8 GB of memory at 800 x 1344; where Python lacks them every figure is null.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from '../src/graph/session.js'
import { toOnnx } from '../src/graph/to-onnx.js'
import type { Parameter } from '../src/model/network/parameters.js'
import { glipConfig } from '../src/model/network/presets.js'
import { fromTorch, torchLayout } from '../src/model/parameter-specs.js'
import { writeSafetensors } from '../src/weights/safetensors.js'
import {
  caseValues,
  networkCase,
  type ParityCase,
  parityCases,
  shakenValue,
} from '../test/helpers/glip-cases.js'
import { caseGradients, caseOutputs, cotangent, relativeDifference } from '../test/helpers/parity-graph.js'
import { runReference } from './parity/run-reference.js'
import { verifyOddFiles } from './parity/verify-odd-files.js'
import { verifyOfficial } from './parity/verify-official.js'
import { type Figure, option, printReport } from './report.js'

const python = option('python', process.env.GROUNDMILL_PYTHON ?? 'python3')
const preset = option('preset', 'glip-t')
const sizes = option('sizes', '224x320,800x1344')
  .split(',')
  .map((text) => text.split('x').map(Number))
  .map(([height = 0, width = 0]) => ({ height, width }))
const config = glipConfig(preset, 30_522)
const limit = 1e-3
const figures: Record<string, Figure> = {}

function pythonHasTorch(): boolean {
  try {
    execFileSync(python, ['-c', 'import torch, torchvision'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Runs a case here, from a model file with its weights beside it. */
async function runHere(
  parityCase: ParityCase,
  tensors: ReturnType<typeof caseOutputs>['named'],
  values: readonly { readonly parameter: Parameter; readonly data: Float32Array }[],
  fed: ReturnType<typeof caseValues>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'groundmill-parity-'))
  try {
    const places = await writeSafetensors(
      join(folder, 'weights.safetensors'),
      values.map(({ parameter: { name, shape }, data }) => ({ name, shape, data })),
    )
    const parameters = (name: string) => {
      const { offset, length } = places.get(name)!
      return { location: 'weights.safetensors', offset, length }
    }
    writeFileSync(join(folder, 'model.onnx'), toOnnx({ outputs: tensors, parameters }))
    const session = await Session.open(join(folder, 'model.onnx'))
    const start = performance.now()
    const results = await session.run(
      Object.fromEntries(Object.keys(parityCase.inputs).map((key) => [key, fed[key]!])),
    )
    const seconds = (performance.now() - start) / 1000
    await session.close()
    return { results, seconds }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function compare(name: string, parityCase: ParityCase, label: string, gradients: boolean) {
  const { parameters, named } = caseOutputs(parityCase)
  const values = parameters.map((parameter) => ({ parameter, data: shakenValue(parameter, 7) }))
  const fed = caseValues(name, parityCase, config)
  const tensors = gradients ? { ...named, ...caseGradients(name, parityCase, parameters) } : named
  const { results, seconds } = await runHere(parityCase, tensors, values, fed)
  const expected = await runReference(python, {
    name,
    config,
    parameters: values,
    inputs: fed,
    cotangents: gradients
      ? Object.entries(parityCase.outputs).map(([key, tensor]) => {
          return { name: key, shape: tensor.shape, data: cotangent(name, key, tensor) }
        })
      : [],
  })
  const byName = new Map(parameters.map((parameter) => [`gradient.${parameter.name}`, parameter]))
  const largest = Math.max(...[...expected.values()].map(({ name: key, data }) => scaleOf(key, data)))
  let [worst, worstGradient] = [0, 0]
  for (const { name: key, data } of expected.values()) {
    const parameter = byName.get(key)
    const theirs = parameter ? fromTorch(torchLayout(parameter), data) : data
    const difference = relativeDifference(results[key]!.data as Float32Array, theirs)
    if (key.startsWith('output.')) worst = Math.max(worst, difference)
    // Gradients that are 0 by construction, as that of a key's bias, are rounding on both sides.
    else if (scaleOf(key, data) > 1e-6 * largest) worstGradient = Math.max(worstGradient, difference)
  }
  record(label, worst, `${seconds.toFixed(2)} s here`)
  if (gradients) record(`${label}, gradients`, worstGradient)
}

function scaleOf(key: string, data: Float32Array): number {
  if (!key.startsWith('gradient.')) return 0
  return data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

function record(label: string, value: number, note?: string) {
  figures[label] = { value, unit: 'of the scale', goal: `< ${limit}`, met: value < limit, note }
  console.error(`${label}: ${value.toExponential(1)} of the scale${note ? `, ${note}` : ''}`)
}

const official = option('official', '')
if (official !== '') {
  const run = { python, checkout: official, preset, short: Number(option('short', '800')) }
  const folder = option('keep', '') || undefined
  const [before] = loadavg()
  const found = { ...(await verifyOddFiles(python, 200)), ...(await verifyOfficial({ ...run, folder })) }
  const note = `of ${availableParallelism()} cores, at the start; ${loadavg()[0]?.toFixed(1)} at the end`
  const load = { value: before ?? null, unit: 'processes', goal: '', met: null, note }
  printReport('verify-parity', 1, { load, ...found })
} else if (pythonHasTorch()) {
  const small = sizes[0]!
  const { network: _, ...blocks } = parityCases(config, small, 1)
  for (const [name, block] of Object.entries(blocks)) {
    await compare(name, block, `${name}, ${small.height} x ${small.width}`, true)
  }
  for (const size of sizes) {
    await compare('network', networkCase(config, size, 1), `${preset}, ${size.height} x ${size.width}`, false)
  }
} else {
  figures[preset] = {
    value: null,
    unit: 'of the scale',
    goal: `< ${limit}`,
    met: false,
    note: `${python} has no torch and torchvision`,
  }
}
if (official === '') printReport('verify-parity', 1, figures)
