import { UserError } from '../base/user-error.js'

/** The pickle is damaged or asks for what is not allowed; the message says which opcode, at which byte. */
export class PickleError extends UserError {}

/** The bytes end in the middle of the pickle. */
export class PickleCutError extends PickleError {}

/** The arguments of opcodes, read one after another. All throw a PickleCutError where the bytes end. */
export interface PickleBytes {
  /** Place of the next byte. */
  readonly at: number
  /** An unsigned little-endian number of 1, 2, 4 or 8 bytes. */
  uint(size: 1 | 2 | 4 | 8): number
  int32(): number
  /** Big-endian, alone among the numbers. */
  float64(): number
  /** Two's complement of `size` bytes, little-endian; a number where that is exact. */
  long(size: number): number | bigint
  data(size: number): Uint8Array
  /** UTF-8. */
  text(size: number): string
  /** UTF-8 up to the next line feed, which is passed over. */
  line(): string
}

/** Numbers of training states have a few bytes, and reading one takes the square of its length. */
const longestNumber = 1024

export function pickleBytes(bytes: Uint8Array, start: number, where: string): PickleBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let next = start
  /** Moves on by `count` bytes and gives the place of the first. */
  const take = (count: number): number => {
    if (count > bytes.length - next)
      throw new PickleCutError(`${where}: the pickle is cut short at byte ${bytes.length}.`)
    next += count
    return next - count
  }
  return {
    get at() {
      return next
    },
    uint(size) {
      const at = take(size)
      if (size === 8) return Number(view.getBigUint64(at, true))
      if (size === 4) return view.getUint32(at, true)
      return size === 2 ? view.getUint16(at, true) : view.getUint8(at)
    },
    int32: () => view.getInt32(take(4), true),
    float64: () => view.getFloat64(take(8), false),
    long(size) {
      if (size > longestNumber)
        throw new PickleError(`${where}, byte ${next}: a whole number of ${size} bytes is not read.`)
      const at = take(size)
      let value = 0n
      for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[at + index])
      value = BigInt.asIntN(8 * size, value)
      const number = Number(value)
      return Number.isSafeInteger(number) ? number : value
    },
    data(size) {
      const at = take(size)
      return bytes.slice(at, at + size)
    },
    text(size) {
      const at = take(size)
      return buffer.toString('utf8', at, at + size)
    },
    line() {
      const end = bytes.indexOf(10, next)
      if (end < 0) take(bytes.length - next + 1)
      const at = take(end - next + 1)
      return buffer.toString('utf8', at, end)
    },
  }
}
