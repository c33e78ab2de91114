/**
 * WebAssembly's binary form: the instructions that the loops of this program need, under their names in the text
 * format, and what a module is put together of (WebAssembly core specification 2.0, chapter "Binary Format").
 */

export type Code = readonly number[]

/** A whole number as unsigned LEB128. */
function leb(value: number): number[] {
  const low = value % 128
  return value < 128 ? [low] : [low | 128, ...leb(Math.floor(value / 128))]
}

/** A whole number of 32 bits as signed LEB128. */
function signedLeb(value: number): number[] {
  const low = value & 127
  const rest = value >> 7
  const isLast = (rest === 0 && low < 64) || (rest === -1 && low >= 64)
  return isLast ? [low] : [low | 128, ...signedLeb(rest)]
}

const list = (items: readonly Code[]): Code => [...leb(items.length), ...items.flat()]
const sized = (bytes: Code): Code => [...leb(bytes.length), ...bytes]
const text = (value: string): Code => sized([...Buffer.from(value)])

export const i32 = 0x7f
export const f32 = 0x7d
export const f64 = 0x7c
export const v128 = 0x7b

/** Vector instructions begin with this byte. */
const vector = (opcode: number): Code => [0xfd, ...leb(opcode)]
/** Addresses are multiples of 2^4 bytes, without an offset. */
const aligned = [4, 0]
/** Addresses are any, with an offset. */
const anywhere = (offset = 0): Code => [0, ...leb(offset)]

export const localGet = (local: number): Code => [0x20, ...leb(local)]
export const localSet = (local: number): Code => [0x21, ...leb(local)]
export const localTee = (local: number): Code => [0x22, ...leb(local)]
export const i32Const = (value: number): Code => [0x41, ...signedLeb(value)]
export const i32Load = (offset = 0): Code => [0x28, ...anywhere(offset)]
const i32LtU: Code = [0x49]
export const i32Add: Code = [0x6a]
export const f32Const = (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)]
export const f64Add: Code = [0xa0]

const v128Load: Code = [...vector(0x00), ...aligned]
export const v128Store: Code = [...vector(0x0b), ...aligned]
export const v128LoadUnaligned: Code = [...vector(0x00), ...anywhere()]
export const v128StoreUnaligned: Code = [...vector(0x0b), ...anywhere()]
export const v128Load32Splat: Code = [...vector(0x09), ...anywhere()]
export const v128Load32Zero: Code = [...vector(0x5c), ...anywhere()]
export const v128Store32Lane = (lane: number): Code => [...vector(0x5a), ...anywhere(), lane]
export const v128And = vector(0x4e)
export const i8x16Shuffle = (lanes: Code): Code => [...vector(0x0d), ...lanes]
export const i8x16NarrowI16x8U = vector(0x66)
export const i16x8NarrowI32x4S = vector(0x85)
export const i16x8ExtendLowI8x16U = vector(0x89)
export const i16x8ExtendHighI8x16U = vector(0x8a)
export const i32x4Splat = vector(0x11)
export const i32x4ExtendLowI16x8U = vector(0xa9)
export const i32x4ExtendHighI16x8U = vector(0xaa)
export const i32x4ShrS = vector(0xac)
export const i32x4Add = vector(0xae)
export const i32x4Mul = vector(0xb5)
export const f32x4Splat = vector(0x13)
export const f32x4Ge = vector(0x46)
export const f32x4Abs = vector(0xe0)
export const f32x4Sqrt = vector(0xe3)
export const f32x4Add = vector(0xe4)
export const f32x4Sub = vector(0xe5)
export const f32x4Mul = vector(0xe6)
export const f32x4Div = vector(0xe7)
export const f64x2ExtractLane = (lane: number): Code => [...vector(0x21), lane]
export const f64x2PromoteLowF32x4 = vector(0x5f)
export const f64x2Add = vector(0xf0)
export const f64x2Mul = vector(0xf2)

/** Four floats from the address that a local holds: `(v128.load (local.get $address))`. */
export const loadAt = (address: number): Code => [...localGet(address), ...v128Load]

/** `(local.set $address (i32.add (local.get $address) (i32.const 16)))`: on by bytes, four floats where unsaid. */
export const advance = (address: number, bytes = 16): Code => [
  ...localGet(address),
  ...i32Const(bytes),
  ...i32Add,
  ...localSet(address),
]

/**
 * `(loop … (br_if 0 (i32.lt_u (local.get $address) (local.get $end))))`: repeats until the address has
 * reached the end.
 */
export const repeatUntil = (address: number, end: number, body: Code): Code => [
  ...[0x03, 0x40],
  ...body,
  ...[...localGet(address), ...localGet(end), ...i32LtU, 0x0d, 0],
  0x0b,
]

/** A function of a module, exported under its name. */
export interface WasmFunction {
  readonly name: string
  /** Types of its parameters, which are its first locals. */
  readonly parameters: readonly number[]
  readonly results: readonly number[]
  /** Types of its other locals, each with how many there are. */
  readonly locals: readonly (readonly [count: number, type: number])[]
  readonly body: Code
}

/**
 * A module that imports its memory as `of.memory` and exports functions, each of a type of its own.
 *
 * @param shared whether of memory that several threads see, whose type has an upper limit: all of WebAssembly's addresses
 */
export function wasmModule(functions: readonly WasmFunction[], shared = false): Uint8Array<ArrayBuffer> {
  const limits = shared ? [0x03, 0x01, ...leb(65_536)] : [0x00, 0x01]
  const section = (id: number, bytes: Code): Code => [id, ...sized(bytes)]
  const types = functions.map(({ parameters, results }) => [
    0x60,
    ...list(parameters.map((type) => [type])),
    ...list(results.map((type) => [type])),
  ])
  const codes = functions.map(({ locals, body }) =>
    sized([...list(locals.map(([count, type]) => [...leb(count), type])), ...body, 0x0b]),
  )
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list(types)),
    ...section(2, list([[...text('of'), ...text('memory'), 0x02, ...limits]])),
    ...section(3, list(functions.map((_, index) => [index]))),
    ...section(7, list(functions.map(({ name }, index) => [...text(name), 0x00, index]))),
    ...section(10, list(codes)),
  ])
}
