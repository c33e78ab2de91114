/**
 * The inner loops of resizing as a WebAssembly module with 128-bit vectors, put together instruction by instruction:
 * three times as fast as the plain loops that they are held against in test/pictures/resize-picture.test.ts. Weights
 * are whole numbers with `precision` bits behind the point, and sums are of 32 bits.
 */
import {
  advance,
  type Code,
  i8x16NarrowI16x8U,
  i16x8ExtendHighI8x16U,
  i16x8ExtendLowI8x16U,
  i16x8NarrowI32x4S,
  i32,
  i32Add,
  i32Const,
  i32Load,
  i32x4Add,
  i32x4ExtendHighI16x8U,
  i32x4ExtendLowI16x8U,
  i32x4Mul,
  i32x4ShrS,
  i32x4Splat,
  localGet,
  localSet,
  localTee,
  repeatUntil,
  v128,
  v128Load32Splat,
  v128Load32Zero,
  v128LoadUnaligned,
  v128Store32Lane,
  v128StoreUnaligned,
  type WasmFunction,
} from '../wasm/wasm-code.js'
import { compileWasm, type WasmMemory, wasmExports, wasmMemory } from '../wasm/wasm-instance.js'

/** Bits behind the point of weights, as in Pillow: 32, less 8 for a pixel and 2 against overflow. */
export const precision = 22
const half = 1 << (precision - 1)

/** One axis: output i is the sum of `count[i]` weights from `i * width` on times the inputs from `first[i]` on. */
export interface FixedPointWeights {
  readonly first: Int32Array
  readonly count: Int32Array
  readonly width: number
  readonly weights: Int32Array
}

const startSum = (local: number): Code => [...i32Const(half), ...i32x4Splat, ...localSet(local)]
const shifted = (local: number): Code => [...localGet(local), ...i32Const(precision), ...i32x4ShrS]

/**
 * One row, a pixel at a time: of the four lanes three are its colours. `spans` has for each output where its first
 * pixel begins, in bytes from the row's start, and where its weights end. In the text format:
 *
 *     (func (export "row") (param $row i32) (param $spans i32) (param $weight i32) (param $to i32) (param $end i32)
 *       (local $from i32) (local $last i32) (local $sum v128)
 *       (loop
 *         (local.set $sum (i32x4.splat half))
 *         (local.set $from (i32.add row (i32.load spans)))
 *         (local.set $last (i32.load offset=4 spans))
 *         (loop
 *           (local.set $sum (i32x4.add sum (i32x4.mul
 *             (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero from)))
 *             (v128.load32_splat weight))))
 *           ;; $from 3 bytes on, $weight 4, until it is at $last
 *           (br_if 0 (i32.lt_u weight last)))
 *         (v128.store32_lane 0 to (bytes (i32x4.shr_s sum precision)))
 *         ;; $spans 8 bytes on, $to 3, until it is at $end
 *         (br_if 0 (i32.lt_u to end))))
 *
 * A fourth byte is written behind each pixel: the next one comes there, or what nobody reads.
 */
function rowFunction(): WasmFunction {
  const [row, spans, weight, to, end, from, last, sum] = [0, 1, 2, 3, 4, 5, 6, 7]
  const tap = [
    ...[...localGet(sum), ...localGet(from), ...v128Load32Zero],
    ...[...i16x8ExtendLowI8x16U, ...i32x4ExtendLowI16x8U],
    ...[...localGet(weight), ...v128Load32Splat, ...i32x4Mul],
    ...[...i32x4Add, ...localSet(sum)],
    ...[...advance(from, 3), ...advance(weight, 4)],
  ]
  const pixel = [
    ...startSum(sum),
    ...[...localGet(row), ...localGet(spans), ...i32Load(), ...i32Add, ...localSet(from)],
    ...[...localGet(spans), ...i32Load(4), ...localSet(last)],
    ...repeatUntil(weight, last, tap),
    ...[...localGet(to), ...shifted(sum), ...localTee(sum), ...localGet(sum)],
    ...[...i16x8NarrowI32x4S, ...localTee(sum), ...localGet(sum), ...i8x16NarrowI16x8U],
    ...v128Store32Lane(0),
    ...[...advance(spans, 8), ...advance(to, 3)],
  ]
  return {
    name: 'row',
    parameters: [i32, i32, i32, i32, i32],
    results: [],
    locals: [
      [2, i32],
      [1, v128],
    ],
    body: repeatUntil(to, end, pixel),
  }
}

/**
 * One row of rows, sixteen bytes at a time. In the text format:
 *
 *     (func (export "column") (param $first i32) (param $stride i32) (param $weights i32) (param $last i32)
 *       (param $to i32) (param $end i32)
 *       (local $from i32) (local $weight i32) (local $a $b $c $d $bytes $share v128)
 *       (loop
 *         ;; each of the sums is half
 *         (local.set $from first) (local.set $weight weights)
 *         (loop
 *           (local.set $bytes (v128.load from))
 *           (local.set $share (v128.load32_splat weight))
 *           (local.set $a (i32x4.add a (i32x4.mul share (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u bytes)))))
 *           ;; and so $b, $c and $d of the next bytes
 *           ;; $from $stride bytes on, $weight 4, until it is at $last
 *           (br_if 0 (i32.lt_u weight last)))
 *         (v128.store to (bytes a b c d))
 *         ;; $first and $to 16 bytes on, until that is at $end
 *         (br_if 0 (i32.lt_u to end))))
 *
 * Up to fifteen bytes are read and written behind the row: the next one comes there, or what nobody reads.
 */
function columnFunction(): WasmFunction {
  const [first, stride, weights, last, to, end, from, weight] = [0, 1, 2, 3, 4, 5, 6, 7]
  const [a, b, c, d, bytes, share] = [8, 9, 10, 11, 12, 13]
  const parts = [
    [a, i16x8ExtendLowI8x16U, i32x4ExtendLowI16x8U],
    [b, i16x8ExtendLowI8x16U, i32x4ExtendHighI16x8U],
    [c, i16x8ExtendHighI8x16U, i32x4ExtendLowI16x8U],
    [d, i16x8ExtendHighI8x16U, i32x4ExtendHighI16x8U],
  ] as const
  const tap = [
    ...[...localGet(from), ...v128LoadUnaligned, ...localSet(bytes)],
    ...[...localGet(weight), ...v128Load32Splat, ...localSet(share)],
    ...parts.flatMap(([sum, eight, four]) => [
      ...[...localGet(sum), ...localGet(share), ...localGet(bytes), ...eight, ...four],
      ...[...i32x4Mul, ...i32x4Add, ...localSet(sum)],
    ]),
    ...[...localGet(from), ...localGet(stride), ...i32Add, ...localSet(from)],
    ...advance(weight, 4),
  ]
  const block = [
    ...[a, b, c, d].flatMap(startSum),
    ...[...localGet(first), ...localSet(from), ...localGet(weights), ...localSet(weight)],
    ...repeatUntil(weight, last, tap),
    ...localGet(to),
    ...[...shifted(a), ...shifted(b), ...i16x8NarrowI32x4S],
    ...[...shifted(c), ...shifted(d), ...i16x8NarrowI32x4S],
    ...[...i8x16NarrowI16x8U, ...v128StoreUnaligned],
    ...[...advance(first), ...advance(to)],
  ]
  return {
    name: 'column',
    parameters: [i32, i32, i32, i32, i32, i32],
    results: [],
    locals: [
      [2, i32],
      [6, v128],
    ],
    body: repeatUntil(to, end, block),
  }
}

interface Kernel {
  readonly row: (row: number, spans: number, weight: number, to: number, end: number) => void
  readonly column: (
    first: number,
    stride: number,
    weights: number,
    last: number,
    to: number,
    end: number,
  ) => void
}

let compiled: object | undefined
/** The memory of the last pictures, and what works on it; larger ones are let go of. */
let kept: { readonly memory: WasmMemory; readonly kernel: Kernel } | undefined
const mostKept = 32_000_000

function kernelFor(bytes: number) {
  if (kept && kept.memory.buffer.byteLength >= bytes) return kept
  compiled ??= compileWasm([rowFunction(), columnFunction()])
  const memory = wasmMemory(bytes)
  const made = { memory, kernel: wasmExports<Kernel>(compiled, memory) }
  if (memory.buffer.byteLength <= mostKept) kept = made
  return made
}

/** Behind each part, for what is read and written beyond a row. */
const spare = 16
const partBytes = (bytes: number) => Math.ceil((bytes + spare) / 16) * 16

/** Resizes pixels of three bytes along rows: `data` has rows of `from` pixels, the result of one pixel an output. */
export function resizeAlongRows(data: Uint8Array, from: number, axis: FixedPointWeights): Uint8Array {
  const { first, count, width: taps, weights } = axis
  const width = first.length
  const height = data.length / (3 * from)
  const total = count.reduce((sum, one) => sum + one, 0)
  const shares = 8 * width
  const source = shares + partBytes(4 * total)
  const result = source + partBytes(data.length)
  const size = 3 * width * height
  const { memory, kernel } = kernelFor(result + partBytes(size))
  const spans = new Int32Array(memory.buffer, 0, 2 * width)
  const packed = new Int32Array(memory.buffer, shares, total)
  let at = 0
  for (let x = 0; x < width; x++) {
    packed.set(weights.subarray(x * taps, x * taps + count[x]!), at)
    at += count[x]!
    spans[2 * x] = 3 * first[x]!
    spans[2 * x + 1] = shares + 4 * at
  }
  new Uint8Array(memory.buffer).set(data, source)
  for (let y = 0; y < height; y++) {
    const to = result + 3 * width * y
    kernel.row(source + 3 * from * y, 0, shares, to, to + 3 * width)
  }
  return new Uint8Array(memory.buffer).slice(result, result + size)
}

/** Resizes rows of `stride` bytes along columns: the result has one row an output. */
export function resizeAlongColumns(data: Uint8Array, stride: number, axis: FixedPointWeights): Uint8Array {
  const { first, count, width: taps, weights } = axis
  const height = first.length
  const source = partBytes(4 * weights.length)
  const result = source + partBytes(data.length)
  const size = stride * height
  const { memory, kernel } = kernelFor(result + partBytes(size))
  new Int32Array(memory.buffer, 0, weights.length).set(weights)
  new Uint8Array(memory.buffer).set(data, source)
  for (let y = 0; y < height; y++) {
    const to = result + stride * y
    const share = 4 * y * taps
    kernel.column(source + stride * first[y]!, stride, share, share + 4 * count[y]!, to, to + stride)
  }
  return new Uint8Array(memory.buffer).slice(result, result + size)
}
