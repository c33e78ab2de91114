/** The arguments of opcodes, read one after another. All throw where the bytes end. */
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
  /** Text up to the next line feed, which is passed over. */
  line(encoding: 'utf8' | 'latin1'): string
}

/** @param cut makes the error that is thrown where the bytes end */
export function pickleBytes(bytes: Uint8Array, start: number, cut: () => Error): PickleBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let next = start
  /** Moves on by `count` bytes and gives the place of the first. */
  const take = (count: number): number => {
    if (count > bytes.length - next) throw cut()
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
      const at = take(size)
      let value = 0n
      for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[at + index] ?? 0)
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
    line(encoding) {
      const end = bytes.indexOf(10, next)
      if (end < 0) take(bytes.length - next + 1)
      const at = take(end - next + 1)
      return buffer.toString(encoding, at, end)
    },
  }
}
