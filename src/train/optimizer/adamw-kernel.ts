/**
 * The inner loops of AdamW as a WebAssembly module with 128-bit vectors, put together here instruction by
 * instruction: each pass reads and writes memory once, at the speed of memory. As operators of the graph the
 * same takes eight times as long (1.6 s and 0.19 s for GLIP-T: docs/performance.md, `npm run
 * bench:train-step`). What is computed stands at `adamWStep`, and as a plain loop, which this is held
 * against, in test/train/adamw.test.ts.
 */
import {
  advance,
  type Code,
  f32,
  f32Const,
  f32x4Abs,
  f32x4Add,
  f32x4Div,
  f32x4Ge,
  f32x4Mul,
  f32x4Splat,
  f32x4Sqrt,
  f32x4Sub,
  f64,
  f64Add,
  f64x2Add,
  f64x2ExtractLane,
  f64x2Mul,
  f64x2PromoteLowF32x4,
  i8x16Shuffle,
  i32,
  loadAt,
  localGet,
  localSet,
  localTee,
  repeatUntil,
  v128,
  v128And,
  v128Store,
  type WasmFunction,
} from '../../wasm/wasm-code.js'
import { compileWasm, wasmExports, wasmMemory } from '../../wasm/wasm-instance.js'

/** The vectors of some parameters, in one memory. */
export interface AdamWVectors {
  readonly value: Float32Array
  readonly moment1: Float32Array
  readonly moment2: Float32Array
  readonly average: Float32Array
  readonly gradient: Float32Array
  /** The gradient of the rest of a batch, where vectors have one: zero before a step. */
  readonly sum: Float32Array | undefined
  /** One step over all elements. */
  update(factors: AdamWFactors): void
  /** Sum of the gradient's squares, in float64. */
  sumOfSquares(): number
  /** Adds the gradient to the sum, where vectors have one. */
  keepGradient(): void
  /** Adds the sum to the gradient, and makes it zero. */
  sumGradients(): void
}

/** The scalars of a step, see `adamWStep`, where they are made. */
export interface AdamWFactors {
  readonly beta1: number
  readonly share1: number
  readonly beta2: number
  readonly share2: number
  readonly smallest: number
  readonly stride: number
  readonly shrink: number
  readonly ema: number
  readonly fresh: number
}

/**
 * One step, four elements at a time. In the text format, with `f32x4.` left out before arithmetic and `g` for
 * `(local.get $g)`:
 *
 *     (func (export "update")
 *       (param $value i32) (param $end i32)
 *       (param $moment1 i32) (param $moment2 i32) (param $average i32) (param $gradient i32)
 *       (param f32 f32 f32 f32 f32 f32 f32 f32 f32)
 *       (local $beta1 … $fresh v128) (local $least $g $m $v $next v128)
 *       ;; each factor four times, and the least normal number
 *       (local.set $beta1 (splat (local.get 6))) …
 *       (local.set $least (splat (f32.const 0x1p-126)))
 *       (loop
 *         (local.set $g (v128.load gradient))
 *         (local.set $m (add (mul (v128.load moment1) beta1) (mul g share1)))
 *         (v128.store moment1 (local.tee $m (flush m)))
 *         (local.set $v (add (mul (v128.load moment2) beta2) (mul (mul g g) share2)))
 *         (v128.store moment2 (local.tee $v (flush v)))
 *         (v128.store value (local.tee $next
 *           (sub (mul (v128.load value) shrink)
 *                (mul (div m (add (sqrt v) smallest)) stride))))
 *         (local.set $g (add (mul (v128.load average) ema) (mul next fresh)))
 *         (v128.store average (local.tee $g (flush g)))
 *         ;; all five addresses 16 bytes on, until $value is at $end
 *         (br_if 0 (i32.lt_u value end))))
 *
 * where (flush x) is (v128.and x (ge (abs x) least)): what is denormal becomes zero.
 */
function updateFunction(): WasmFunction {
  const [value, end, moment1, moment2, average, gradient, firstFactor] = [0, 1, 2, 3, 4, 5, 6]
  const [beta1, share1, beta2, share2, smallest] = [15, 16, 17, 18, 19]
  const [stride, shrink, ema, fresh] = [20, 21, 22, 23]
  const [least, g, m, v, next] = [24, 25, 26, 27, 28]
  const factors = [beta1, share1, beta2, share2, smallest, stride, shrink, ema, fresh]
  // Moments of parameters that get no gradient fade into denormals, which are a hundred times slower: zero
  // instead.
  const flush = (local: number): Code => [
    ...localGet(local),
    ...[...localGet(local), ...f32x4Abs, ...localGet(least), ...f32x4Ge],
    ...v128And,
  ]
  const put = (address: number, local: number): Code => [
    ...localGet(address),
    ...[...flush(local), ...localTee(local)],
    ...v128Store,
  ]
  const mix = (address: number, kept: number, added: Code, share: number): Code => [
    ...[...loadAt(address), ...localGet(kept), ...f32x4Mul],
    ...[...added, ...localGet(share), ...f32x4Mul],
    ...f32x4Add,
  ]
  const square = [...localGet(g), ...localGet(g), ...f32x4Mul]
  const loop = [
    ...[...loadAt(gradient), ...localSet(g)],
    ...[...mix(moment1, beta1, localGet(g), share1), ...localSet(m), ...put(moment1, m)],
    ...[...mix(moment2, beta2, square, share2), ...localSet(v), ...put(moment2, v)],
    ...localGet(value),
    ...[...loadAt(value), ...localGet(shrink), ...f32x4Mul],
    ...localGet(m),
    ...[...localGet(v), ...f32x4Sqrt, ...localGet(smallest), ...f32x4Add],
    ...[...f32x4Div, ...localGet(stride), ...f32x4Mul],
    ...[...f32x4Sub, ...localTee(next)],
    ...v128Store,
    ...[...mix(average, ema, localGet(next), fresh), ...localSet(g), ...put(average, g)],
    ...[value, moment1, moment2, average, gradient].flatMap((address) => advance(address)),
  ]
  return {
    name: 'update',
    parameters: [...Array<number>(6).fill(i32), ...Array<number>(9).fill(f32)],
    results: [],
    locals: [[14, v128]],
    body: [
      ...factors.flatMap((local, index) => [
        ...[...localGet(firstFactor + index), ...f32x4Splat],
        ...localSet(local),
      ]),
      ...[...f32Const(2 ** -126), ...f32x4Splat, ...localSet(least)],
      ...repeatUntil(value, end, loop),
    ],
  }
}

/**
 * The sum of squares, in two float64 sums of even and of odd elements. In the text format:
 *
 *     (func (export "sumOfSquares") (param $place i32) (param $end i32) (result f64)
 *       (local $sum $x $half v128)
 *       (loop
 *         (local.set $x (v128.load (local.get $place)))
 *         ;; elements 0 and 1, then 2 and 3
 *         (local.set $half (f64x2.promote_low_f32x4 x))
 *         (local.set $sum (f64x2.add (f64x2.mul half half) sum))
 *         (local.set $half (f64x2.promote_low_f32x4 (i8x16.shuffle 8 … 15 8 … 15 x x)))
 *         (local.set $sum (f64x2.add (f64x2.mul half half) sum))
 *         ;; $place 16 bytes on
 *         (br_if 0 (i32.lt_u (local.get $place) (local.get $end))))
 *       (f64.add (f64x2.extract_lane 0 sum) (f64x2.extract_lane 1 sum)))
 */
function sumFunction(): WasmFunction {
  const [place, end, sum, x, half] = [0, 1, 2, 3, 4]
  const upperLanes = [8, 9, 10, 11, 12, 13, 14, 15]
  const upperHalf = [...localGet(x), ...localGet(x), ...i8x16Shuffle([...upperLanes, ...upperLanes])]
  const addSquares = (pair: Code): Code => [
    ...[...pair, ...f64x2PromoteLowF32x4, ...localTee(half), ...localGet(half), ...f64x2Mul],
    ...[...localGet(sum), ...f64x2Add, ...localSet(sum)],
  ]
  const loop = [
    ...[...loadAt(place), ...localSet(x)],
    ...addSquares(localGet(x)),
    ...addSquares(upperHalf),
    ...advance(place),
  ]
  return {
    name: 'sumOfSquares',
    parameters: [i32, i32],
    results: [f64],
    locals: [[3, v128]],
    body: [
      ...repeatUntil(place, end, loop),
      ...[...localGet(sum), ...f64x2ExtractLane(0)],
      ...[...localGet(sum), ...f64x2ExtractLane(1)],
      ...f64Add,
    ],
  }
}

/**
 * Adds one vector to another. In the text format:
 *
 *     (func (export "add") (param $to i32) (param $end i32) (param $from i32)
 *       (loop
 *         (v128.store (local.get $to)
 *           (f32x4.add (v128.load (local.get $to)) (v128.load (local.get $from))))
 *         ;; both addresses 16 bytes on
 *         (br_if 0 (i32.lt_u (local.get $to) (local.get $end)))))
 */
function addFunction(): WasmFunction {
  const [to, end, from] = [0, 1, 2]
  const loop = [
    ...localGet(to),
    ...[...loadAt(to), ...loadAt(from), ...f32x4Add],
    ...v128Store,
    ...[to, from].flatMap((address) => advance(address)),
  ]
  return {
    name: 'add',
    parameters: [i32, i32, i32],
    results: [],
    locals: [],
    body: repeatUntil(to, end, loop),
  }
}

/** What vectors are for. */
export interface VectorOptions {
  /** Whether they have a sum, for gradients of a batch that is not computed in one run. */
  readonly sums?: boolean
  /** Whether other threads read and write them too. */
  readonly shared?: boolean
}

const compiled = new Map<boolean, object>()

/** Elements of all vectors together at most: WebAssembly's addresses end at 4 GiB. */
export const maxElements = Math.floor(2 ** 32 / 24) - 2 ** 14

/**
 * Vectors of zeros, whose memory stays where it is: onnxruntime reads and writes them in place.
 *
 * @param size elements, at most `maxElements`
 * @throws RangeError where there is no memory left
 */
export function allocateVectors(
  size: number,
  { sums = false, shared = false }: VectorOptions = {},
): AdamWVectors {
  const module = compiled.get(shared) ?? compileWasm([updateFunction(), sumFunction(), addFunction()], shared)
  compiled.set(shared, module)
  // Each vector begins on a cache line. What lies behind the last element is zero and stays zero.
  const bytes = Math.ceil(size / 16) * 64
  const memory = wasmMemory((sums ? 6 : 5) * bytes, shared)
  const { update, sumOfSquares, add } = wasmExports<{
    readonly update: (...values: readonly number[]) => void
    readonly sumOfSquares: (place: number, end: number) => number
    readonly add: (to: number, end: number, from: number) => void
  }>(module, memory)
  const vector = (index: number) => new Float32Array(memory.buffer, index * bytes, size)
  return {
    value: vector(0),
    moment1: vector(1),
    moment2: vector(2),
    average: vector(3),
    gradient: vector(4),
    sum: sums ? vector(5) : undefined,
    update: ({ beta1, share1, beta2, share2, smallest, stride, shrink, ema, fresh }) => {
      if (size === 0) return
      update(
        ...[0, bytes, bytes, 2 * bytes, 3 * bytes, 4 * bytes],
        ...[beta1, share1, beta2, share2, smallest, stride, shrink, ema, fresh],
      )
    },
    sumOfSquares: () => (size === 0 ? 0 : sumOfSquares(4 * bytes, 5 * bytes)),
    keepGradient: () => {
      if (size > 0 && sums) add(5 * bytes, 6 * bytes, 4 * bytes)
    },
    sumGradients: () => {
      if (size === 0 || !sums) return
      add(4 * bytes, 5 * bytes, 5 * bytes)
      vector(5).fill(0)
    },
  }
}
