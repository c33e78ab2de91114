/**
 * The inner loops of AdamW as a WebAssembly module with 128-bit vectors, put together here byte by byte: each pass
 * reads and writes memory once, at the speed of memory.
 *
 * Numbers below are those of the WebAssembly specification (core 2.0, "Binary Format").
 */

/** The vectors of some parameters, in one memory. */
export interface AdamWVectors {
  readonly value: Float32Array
  readonly moment1: Float32Array
  readonly moment2: Float32Array
  readonly average: Float32Array
  readonly gradient: Float32Array
  /** One step over all elements. */
  update(factors: AdamWFactors): void
  /** Sum of the gradient's squares, in float64. */
  sumOfSquares(): number
  /** Adds the gradient to the sum of earlier parts of a batch, where vectors have one. */
  keepGradient(): void
  /** Makes the gradient the sum of all parts, and the sum zero. */
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

const i32 = 0x7f
const f32 = 0x7d
const f64 = 0x7c
const v128 = 0x7b

/** Unsigned LEB128. */
function leb(value: number): number[] {
  const low = value % 128
  return value < 128 ? [low] : [low | 128, ...leb(Math.floor(value / 128))]
}

const list = (items: readonly (readonly number[])[]) => [...leb(items.length), ...items.flat()]
const sized = (bytes: readonly number[]) => [...leb(bytes.length), ...bytes]
const section = (id: number, bytes: readonly number[]) => [id, ...sized(bytes)]
const text = (value: string) => sized([...Buffer.from(value)])

const get = (local: number) => [0x20, ...leb(local)]
const set = (local: number) => [0x21, ...leb(local)]
const tee = (local: number) => [0x22, ...leb(local)]
const simd = (code: number) => [0xfd, ...leb(code)]
const load = (address: number) => [...get(address), ...simd(0x00), 4, 0]
/** Of what lies on the stack, at the address below it. */
const store = [...simd(0x0b), 4, 0]
const splat = simd(0x13)
const [addFloats, subFloats, mulFloats, divFloats] = [simd(0xe4), simd(0xe5), simd(0xe6), simd(0xe7)]
const [absFloats, sqrtFloats, notLess, bitAnd] = [simd(0xe0), simd(0xe3), simd(0x46), simd(0x4e)]
const [promoteLow, addDoubles, mulDoubles] = [simd(0x5f), simd(0xf0), simd(0xf2)]
/** The upper half of the vector on the stack, twice. */
const upperHalf = (local: number) => [
  ...get(local),
  ...get(local),
  ...simd(0x0d),
  ...[8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15],
]
const lane = (index: number) => [...simd(0x21), index]
const advance = (address: number) => [...get(address), 0x41, 16, 0x6a, ...set(address)]
/** Repeats `body` until the address has reached the end. */
const repeat = (body: readonly number[], address: number, end: number) => [
  ...[0x03, 0x40],
  ...body,
  ...[...get(address), ...get(end), 0x49, 0x0d, 0],
  0x0b,
]
const f32Bytes = (value: number) => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)]
const code = (locals: readonly (readonly [number, number])[], body: readonly number[]) =>
  sized([...list(locals.map(([count, type]) => [...leb(count), type])), ...body, 0x0b])

function updateCode(): number[] {
  const [value, end, moment1, moment2, average, gradient] = [0, 1, 2, 3, 4, 5]
  const [beta1, share1, beta2, share2, smallest, stride, shrink, ema, fresh] = [
    15, 16, 17, 18, 19, 20, 21, 22, 23,
  ]
  const [least, g, m, v, next] = [24, 25, 26, 27, 28]
  const factors = [beta1, share1, beta2, share2, smallest, stride, shrink, ema, fresh]
  // Moments of parameters that get no gradient fade into denormals, which are a hundred times slower: zero instead.
  const flush = (local: number) => [
    ...get(local),
    ...get(local),
    ...absFloats,
    ...get(least),
    ...notLess,
    ...bitAnd,
  ]
  const put = (address: number, local: number) => [...get(address), ...flush(local), ...tee(local), ...store]
  const mix = (address: number, kept: number, added: readonly number[], share: number) => [
    ...[...load(address), ...get(kept), ...mulFloats],
    ...[...added, ...get(share), ...mulFloats, ...addFloats],
  ]
  return code(
    [[14, v128]],
    [
      ...factors.flatMap((local, index) => [...get(6 + index), ...splat, ...set(local)]),
      ...[...f32Bytes(2 ** -126), ...splat, ...set(least)],
      ...repeat(
        [
          ...[...load(gradient), ...set(g)],
          ...[...mix(moment1, beta1, get(g), share1), ...set(m), ...put(moment1, m)],
          ...[
            ...mix(moment2, beta2, [...get(g), ...get(g), ...mulFloats], share2),
            ...set(v),
            ...put(moment2, v),
          ],
          ...get(value),
          ...[...load(value), ...get(shrink), ...mulFloats],
          ...[...get(m), ...get(v), ...sqrtFloats, ...get(smallest), ...addFloats, ...divFloats],
          ...[...get(stride), ...mulFloats, ...subFloats, ...tee(next), ...store],
          ...[...mix(average, ema, get(next), fresh), ...set(g), ...put(average, g)],
          ...[value, moment1, moment2, average, gradient].flatMap(advance),
        ],
        value,
        end,
      ),
    ],
  )
}

function sumCode(): number[] {
  const [place, end, sum, x] = [0, 1, 2, 3]
  const half = 4
  const squares = (part: readonly number[]) => [
    ...[...part, ...promoteLow, ...tee(half), ...get(half), ...mulDoubles],
    ...[...get(sum), ...addDoubles, ...set(sum)],
  ]
  return code(
    [[3, v128]],
    [
      ...repeat(
        [...load(place), ...set(x), ...squares(get(x)), ...squares(upperHalf(x)), ...advance(place)],
        place,
        end,
      ),
      ...[...get(sum), ...lane(0), ...get(sum), ...lane(1), 0xa0],
    ],
  )
}

function addCode(): number[] {
  const [to, end, from] = [0, 1, 2]
  const body = [
    ...get(to),
    ...load(to),
    ...load(from),
    ...addFloats,
    ...store,
    ...[to, from].flatMap(advance),
  ]
  return code([], repeat(body, to, end))
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const types = [
    [0x60, ...list([...Array<number[]>(6).fill([i32]), ...Array<number[]>(9).fill([f32])]), ...list([])],
    [0x60, ...list([[i32], [i32]]), ...list([[f64]])],
    [0x60, ...list([[i32], [i32], [i32]]), ...list([])],
  ]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list(types)),
    ...section(2, list([[...text('of'), ...text('memory'), 0x02, 0x00, 0x01]])),
    ...section(3, list([[0], [1], [2]])),
    ...section(
      7,
      list([
        [...text('update'), 0x00, 0],
        [...text('sumOfSquares'), 0x00, 1],
        [...text('add'), 0x00, 2],
      ]),
    ),
    ...section(10, list([updateCode(), sumCode(), addCode()])),
  ])
}

/** What of WebAssembly is used: Node's types do not declare it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Memory: new (pages: {
    readonly initial: number
    readonly maximum: number
  }) => { readonly buffer: ArrayBuffer }
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}
const { Module, Memory, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi })
  .WebAssembly

let compiled: object | undefined

/** Most elements of vectors together: WebAssembly's addresses end at 4 GiB. */
export const mostElements = Math.floor(2 ** 32 / 24) - 2 ** 14

/**
 * Vectors of zeros, whose memory stays where it is: onnxruntime reads and writes them in place.
 *
 * @param size elements, at most `mostElements`
 * @param sums whether gradients of several parts of a batch are summed
 * @throws RangeError where there is no memory left
 */
export function allocateVectors(size: number, sums = false): AdamWVectors {
  compiled ??= new Module(moduleBytes())
  // Each vector begins on a cache line. What lies behind the last element is zero and stays zero.
  const bytes = Math.ceil(size / 16) * 64
  const pages = Math.max(1, Math.ceil(((sums ? 6 : 5) * bytes) / 65_536))
  const memory = new Memory({ initial: pages, maximum: pages })
  const { update, sumOfSquares, add } = new Instance(compiled, { of: { memory } }).exports as {
    readonly update: (...values: readonly number[]) => void
    readonly sumOfSquares: (place: number, end: number) => number
    readonly add: (to: number, end: number, from: number) => void
  }
  const vector = (index: number) => new Float32Array(memory.buffer, index * bytes, size)
  return {
    value: vector(0),
    moment1: vector(1),
    moment2: vector(2),
    average: vector(3),
    gradient: vector(4),
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
