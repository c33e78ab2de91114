/**
 * `conv2d` (a gather and a product) against onnxruntime's own Conv, with weights that are inputs as in
 * training; and `deformConv2d` out of portable operators against onnxruntime's DeformConv, on the finest
 * level of a picture of 400 x 672 pixels.
 *
 *     npm run bench:conv -- [--rounds 30] [--json]
 */
import { conv2d } from '../src/graph/ops/conv.js'
import { deformConv2d } from '../src/graph/ops/deform-conv.js'
import { input, op, sizeOf, type Tensor } from '../src/graph/ops/tensor.js'
import { floats, Session } from '../src/graph/session.js'
import { toOnnx } from '../src/graph/to-onnx.js'
import { type Figure, median, option, printReport } from './report.js'

const rounds = Number(option('rounds', '30'))
const batch = 16

async function open(y: Tensor, portable = false) {
  const session = await Session.open(toOnnx({ outputs: { y }, portable }), { threads: 2 })
  const feeds = Object.fromEntries(
    session.inputs.map(({ name, shape }) => [name, floats(new Float32Array(sizeOf(shape)).fill(0.5), shape)]),
  )
  // The result goes to memory that is there: fresh pages would cost more than the arithmetic.
  const into = { y: floats(new Float32Array(sizeOf(y.shape)), y.shape) }
  return async () => {
    const start = performance.now()
    await session.run(feeds, into)
    return performance.now() - start
  }
}

const figures: Record<string, Figure> = {}
for (const [channels, size] of [
  [32, 24],
  [64, 12],
  [96, 6],
  [128, 6],
] as const) {
  const own = await open(
    conv2d(input('x', [batch, size, size, channels]), input('w', [channels, 3, 3, channels]), undefined, {
      pad: 1,
    }),
  )
  const shape = [batch, channels, size, size]
  const attributes = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] }
  const conv = await open(
    op('Conv', [input('x', shape), input('w', [channels, channels, 3, 3])], shape, { attributes }),
  )
  const times: [number, number][] = []
  for (let round = 0; round < rounds + 3; round++) times.push([await own(), await conv()])
  const counted = times.slice(3)
  const ratio = median(counted.map(([a, b]) => a / b))
  const flops = 2 * batch * size * size * channels * channels * 9
  const rate = flops / median(counted.map(([a]) => a)) / 1e6
  figures[`${channels} channels, ${size} x ${size}`] = {
    value: ratio,
    unit: 'times Conv',
    goal: '<= 1',
    met: ratio <= 1,
    note: `${rate.toFixed(0)} GFLOP/s`,
  }
}

const [height, width, channels] = [50, 84, 256]
const map = (name: string, depth: number) => input(name, [1, height, width, depth])
const weight = input('w', [channels, 3, 3, channels])
const deformed = deformConv2d(
  map('x', channels),
  map('offset', 18),
  map('mask', 9),
  weight,
  input('b', [channels]),
  {
    pad: 1,
  },
)
const [gathered, native] = [await open(deformed, true), await open(deformed)]
const ratios: number[] = []
for (let round = 0; round < 8; round++) ratios.push((await gathered()) / (await native()))
figures['deformable, 256 channels, 50 x 84'] = {
  value: median(ratios.slice(2)),
  unit: 'times DeformConv',
  goal: '',
  met: null,
}
printReport('conv', rounds, figures)
