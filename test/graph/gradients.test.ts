import { describe, it } from 'vitest'
import {
  gelu,
  hardSigmoid,
  logSoftmax,
  relu,
  sigmoid,
  softmax,
  softplus,
  tanh,
} from '../../src/graph/ops/activation.js'
import { expand, reduceSum } from '../../src/graph/ops/broadcast.js'
import { conv2d } from '../../src/graph/ops/conv.js'
import { deformByGather } from '../../src/graph/ops/deform-by-gather.js'
import { deformConv2d } from '../../src/graph/ops/deform-conv.js'
import * as e from '../../src/graph/ops/elementwise.js'
import { gemm, linear, matmul } from '../../src/graph/ops/matmul.js'
import { groupNorm, l2Normalize, layerNorm } from '../../src/graph/ops/norm.js'
import { maxPool } from '../../src/graph/ops/pool.js'
import { logSumExp, reduceMean } from '../../src/graph/ops/reduce.js'
import { reshape } from '../../src/graph/ops/reshape.js'
import { resizeBilinear } from '../../src/graph/ops/resize.js'
import * as s from '../../src/graph/ops/shape.js'
import { composite, int64 } from '../../src/graph/ops/tensor.js'
import { checkGradient, type GradientCase } from '../helpers/check-gradient.js'

/** Keeps values away from 0, where the function has a kink. */
const awayFromZero = (value: number) => value + Math.sign(value) * 0.2
const positive = (value: number) => 1.5 + value
/** Distinct from its partner in the other operand by more than the step. */
const apart = (value: number) => Math.round(value * 20) / 10 + 0.03 * value
/** Never near a whole number, where bilinear reading has a kink; some lie outside of a small map. */
const betweenPlaces = (value: number) => Math.floor(value * 2) + 0.3 + 0.4 * Math.abs(value)

const cases: Record<string, GradientCase> = {
  add: { shapes: [[2, 3], [3]], build: e.add },
  'add, broadcast both ways': {
    shapes: [
      [2, 1],
      [1, 3],
    ],
    build: e.add,
  },
  sub: { shapes: [[2, 3], []], build: e.sub },
  mul: {
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: e.mul,
  },
  div: { shapes: [[2, 3], [3]], build: e.div, domain: positive },
  maximum: { shapes: [[3, 4], [4]], build: e.maximum, domain: apart, step: 1e-3, tolerance: 2e-2 },
  minimum: { shapes: [[3, 4], [4]], build: e.minimum, domain: apart, step: 1e-3, tolerance: 2e-2 },
  where: {
    shapes: [[2, 3], [3]],
    build: (a, b) => e.where(e.greater(e.stopGradient(a), 0), a, b),
    domain: awayFromZero,
  },
  neg: { shapes: [[5]], build: e.neg },
  exp: { shapes: [[5]], build: e.exp },
  log: { shapes: [[5]], build: e.log, domain: positive },
  sqrt: { shapes: [[5]], build: e.sqrt, domain: positive },
  abs: { shapes: [[6]], build: e.abs, domain: awayFromZero },
  square: { shapes: [[6]], build: e.square },
  clip: {
    shapes: [[12]],
    build: (x) => e.clip(x, -0.5, 0.5),
    domain: (v) => (Math.abs(Math.abs(v) - 0.5) < 0.05 ? 0 : v),
  },
  relu: { shapes: [[8]], build: relu, domain: awayFromZero },
  sigmoid: { shapes: [[5]], build: sigmoid },
  hardSigmoid: {
    shapes: [[12]],
    build: (x) => hardSigmoid(e.mul(x, 5)),
    domain: (v) => (Math.abs(Math.abs(v) - 0.6) < 0.05 ? 0 : v),
  },
  tanh: { shapes: [[5]], build: tanh },
  softplus: { shapes: [[5]], build: softplus },
  gelu: { shapes: [[7]], build: gelu },
  softmax: { shapes: [[3, 4]], build: (x) => softmax(x) },
  'softmax, first axis': { shapes: [[3, 4]], build: (x) => softmax(x, 0) },
  logSoftmax: { shapes: [[3, 4]], build: (x) => logSoftmax(x) },
  reduceSum: { shapes: [[2, 3, 4]], build: (x) => reduceSum(x, [0, 2]) },
  reduceMean: { shapes: [[2, 3, 4]], build: (x) => reduceMean(x, [1], true) },
  logSumExp: { shapes: [[3, 4]], build: (x) => logSumExp(x, 1) },
  reshape: { shapes: [[2, 6]], build: (x) => reshape(x, [3, -1]) },
  transpose: { shapes: [[2, 3, 4]], build: (x) => s.transpose(x, [2, 0, 1]) },
  expand: { shapes: [[2, 1]], build: (x) => expand(x, [3, 2, 4]) },
  concat: {
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: (a, b) => s.concat([a, b], 1),
  },
  split: { shapes: [[2, 5]], build: (x) => e.mul(s.split(x, [3, 2], 1)[1], 2) },
  slice: { shapes: [[3, 5]], build: (x) => s.slice(x, 1, 1, 4) },
  'slice, step 2': { shapes: [[2, 7]], build: (x) => s.slice(x, 1, 1, 6, 2) },
  'slice, step 3 to the end': { shapes: [[8]], build: (x) => s.slice(x, 0, 1, 8, 3) },
  pad: { shapes: [[2, 3]], build: (x) => s.pad(x, 1, 1, 2) },
  gatherRows: { shapes: [[4, 3]], build: (x) => s.gatherRows(x, int64([1, 3, 1])) },
  spaceToDepth: { shapes: [[1, 4, 6, 2]], build: (x) => s.spaceToDepth(x, 2) },
  rearrange: { shapes: [[2, 5, 3]], build: (x) => s.rearrange(x, Int32Array.of(3, -1, 0, 4, -1, 2)) },
  'rearrange, whole': { shapes: [[1, 3, 2]], build: (x) => s.rearrange(x, Int32Array.of(2, 0, 1)) },
  'resizeBilinear, larger': { shapes: [[2, 2, 3, 2]], build: (x) => resizeBilinear(x, 3, 5) },
  'resizeBilinear, one place': { shapes: [[1, 1, 2, 3]], build: (x) => resizeBilinear(x, 2, 1) },
  upsampleNearest: { shapes: [[1, 2, 3, 2]], build: (x) => s.upsampleNearest(x, 2) },
  matmul: {
    shapes: [
      [2, 3, 4],
      [2, 4, 2],
    ],
    build: matmul,
  },
  'matmul, broadcast': {
    shapes: [
      [2, 2, 3, 4],
      [4, 2],
    ],
    build: matmul,
  },
  gemm: { shapes: [[3, 4], [4, 2], [2]], build: (a, b, bias) => gemm(a, b, { bias }) },
  'gemm, both transposed': {
    shapes: [
      [4, 3],
      [2, 4],
    ],
    build: (a, b) => gemm(a, b, { transA: true, transB: true }),
  },
  'gemm, first transposed': {
    shapes: [
      [4, 3],
      [4, 2],
    ],
    build: (a, b) => gemm(a, b, { transA: true }),
  },
  linear: { shapes: [[2, 3, 4], [5, 4], [5]], build: linear },
  layerNorm: { shapes: [[3, 5], [5], [5]], build: (x, g, b) => layerNorm(x, g, b, 1e-5), tolerance: 1e-2 },
  groupNorm: {
    shapes: [[2, 2, 3, 4], [4], [4]],
    build: (x, g, b) => groupNorm(x, g, b, 2, 1e-5),
    tolerance: 1e-2,
  },
  l2Normalize: { shapes: [[3, 4]], build: (x) => l2Normalize(x) },
  'conv2d 3x3': {
    shapes: [[2, 4, 5, 3], [2, 3, 3, 3], [2]],
    build: (x, w, b) => conv2d(x, w, b, { pad: 1 }),
  },
  'conv2d 1x1': {
    shapes: [
      [2, 2, 2, 3],
      [4, 1, 1, 3],
    ],
    build: (x, w) => conv2d(x, w),
  },
  'conv2d 3x3, stride 2, odd size': {
    shapes: [
      [1, 5, 6, 2],
      [3, 3, 3, 2],
    ],
    build: (x, w) => conv2d(x, w, undefined, { stride: 2, pad: 1 }),
  },
  'conv2d 2x3, stride 2, no padding': {
    shapes: [
      [1, 4, 5, 2],
      [3, 2, 3, 2],
    ],
    build: (x, w) => conv2d(x, w, undefined, { stride: 2 }),
  },
  'maxPool 3x3, stride 2': {
    shapes: [[2, 5, 6, 2]],
    build: (x) => maxPool(x, { kernel: 3, stride: 2, pad: 1 }),
    domain: (value) => 4 * value,
    step: 1e-3,
    tolerance: 2e-2,
  },
  'deformConv2d 3x3': {
    shapes: [[2, 3, 4, 2], [2, 3, 4, 18], [2, 3, 4, 9], [3, 3, 3, 2], [3]],
    build: (x, offset, mask, w, b) => deformConv2d(x, offset, mask, w, b, { pad: 1 }),
    domain: betweenPlaces,
  },
  'deformConv2d 2x3, stride 2, odd size': {
    shapes: [[1, 5, 4, 3], [1, 3, 2, 12], [1, 3, 2, 6], [2, 2, 3, 3], [2]],
    build: (x, offset, mask, w, b) => deformConv2d(x, offset, mask, w, b, { stride: 2, pad: 1 }),
    domain: betweenPlaces,
  },
  'deformConv2d as of a large map': {
    shapes: [[2, 3, 3, 2], [2, 2, 2, 12], [2, 2, 2, 6], [2, 2, 3, 2], [2]],
    build: (x, offset, mask, weight, bias) => {
      const options = { stride: 2, pad: 1 }
      const { body, vjp } = deformByGather({ x, offset, mask, weight, bias }, options)
      const native = reshape(deformConv2d(x, offset, mask, weight, bias, options), body.shape)
      return composite('deformByGather', [x, offset, mask, weight, bias], native, vjp, body)
    },
    domain: betweenPlaces,
  },
}

describe('gradients against central differences', () => {
  for (const [name, gradientCase] of Object.entries(cases)) {
    it(name, () => checkGradient(gradientCase))
  }
})
