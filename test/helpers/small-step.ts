import { type Device, needsPortable } from '../../src/graph/device.js'
import { grad } from '../../src/graph/grad.js'
import { gelu, logSoftmax } from '../../src/graph/ops/activation.js'
import { reduceSum } from '../../src/graph/ops/broadcast.js'
import { mul } from '../../src/graph/ops/elementwise.js'
import { linear, matmul } from '../../src/graph/ops/matmul.js'
import { maxPool } from '../../src/graph/ops/pool.js'
import { reshape } from '../../src/graph/ops/reshape.js'
import { gatherRows, transpose } from '../../src/graph/ops/shape.js'
import { constant, input, parameter, type Tensor } from '../../src/graph/ops/tensor.js'
import { floats } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { parametersOf } from '../../src/model/network/parameters.js'
import { adamWStep } from '../../src/train/optimizer/adamw.js'
import {
  gradientName,
  initialState,
  parametersOfState,
  valueName,
} from '../../src/train/optimizer/optimizer-state.js'
import { groupParameters } from '../../src/train/optimizer/parameter-groups.js'
import { openStepSessions } from '../../src/train/step-sessions.js'
import { staysOnDevice } from './device-profile.js'
import { tinyConfig, tinyOptimizer } from './tiny-glip.js'

const init = { kind: 'normal', std: 1 } as const

/** Words asked at the places of a picture, with what a device may lack: pooled places, rows by their number, softmax. */
function smallGraph(device: Device) {
  const mix = parameter('mix', [2, 2], init)
  const frozen = parameter('kept', [4, 2], init, 'frozen')
  const table = parameter('table', [5, 4], init)
  const pooled = maxPool(linear(input('image', [2, 6, 6, 2]), mix), { kernel: 3, stride: 2, pad: 1 })
  const places = reshape(gelu(linear(pooled, frozen)), [2, 9, 4])
  const words = transpose(gatherRows(table, input('ids', [2, 3], 'int32')), [0, 2, 1])
  const share = constant(
    Float32Array.from({ length: 54 }, (_, at) => (at % 3 === 1 ? -1 : 0)),
    [2, 9, 3],
  )
  const loss = reduceSum(mul(logSoftmax(matmul(places, words)), share))
  const parameters = parametersOf([loss])
  const learned = parameters.filter(({ frozen }) => !frozen)
  const gradients = grad(
    loss,
    learned.map(({ tensor }) => tensor),
  )
  const named = Object.fromEntries(learned.map(({ name }, index) => [gradientName(name), gradients[index]!]))
  const bind = new Map(
    parameters.map(({ name, shape, tensor }): [Tensor, Tensor] => [tensor, input(valueName(name), shape)]),
  )
  const outputs = { 'metric.loss': reshape(loss, [1]), ...named }
  return { step: toOnnx({ outputs, bind, portable: needsPortable(device) }), parameters }
}

const batch = () => ({
  image: floats(
    Float32Array.from({ length: 144 }, (_, at) => Math.sin(at * at)),
    [2, 6, 6, 2],
  ),
  ids: { data: Int32Array.of(0, 3, 1, 4, 4, 2), shape: [2, 3], dtype: 'int32' as const },
})

/**
 * Three steps of two parts each of a network of three parameters, one of which is not trained, which SwiftShader does in
 * some seconds: their losses, and the gradients of the last part.
 */
export async function smallSteps(device: Device): Promise<Record<'losses' | 'gradients', number[]>> {
  const { step, parameters } = smallGraph(device)
  const groups = groupParameters(parameters, { language_rate: 1, bias_rate: 1 })
  const state = await initialState(groups, parameters, 1)
  const sessions = await openStepSessions(
    { step, layers: 1 },
    state,
    { network: tinyConfig, parts: 2 },
    { device, threads: 1, ownGraph: true },
  )
  const losses: number[] = []
  for (let count = 1; count <= 3; count++) {
    for (let part = 0; part < 2; part++) losses.push((await sessions.run(batch())).loss ?? Number.NaN)
    adamWStep(state, count, 0.1, tinyOptimizer)
  }
  await sessions.close()
  const gradients = parametersOfState(state, 'gradient').flatMap(({ data }) => [...data])
  return { losses, gradients }
}

/** Whether all of such a step is computed on a device. */
export const smallStepStays = (device: Device): Promise<boolean> =>
  staysOnDevice({ graph: smallGraph(device).step, folder: '.', name: 'a step' }, device)
