/**
 * IEEE 754 binary16 as bits, which is how onnxruntime takes and gives float16 in Node. Rounds to nearest,
 * ties to even; what is too large becomes infinite.
 */
export function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const halves = new Uint16Array(values.length)
  for (let index = 0; index < bits.length; index++) halves[index] = halfOf(bits[index]!)
  return halves
}

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  // 65520 and more round up to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
    return sign | ((rounded - 0x38000000) >>> 13)
  }
  // A subnormal counts in units of 2 to the -24.
  const shift = 126 - (magnitude >>> 23)
  if (shift > 24) return sign
  const mantissa = (magnitude & 0x7fffff) | 0x800000
  const kept = mantissa >>> shift
  const left = mantissa & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return sign | (kept + (left > half || (left === half && (kept & 1) === 1) ? 1 : 0))
}

/** The numbers that binary16 bits stand for; each is exact in float32. */
export function fromHalf(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length)
  for (let index = 0; index < halves.length; index++) {
    const half = halves[index]!
    const exponent = (half >>> 10) & 0x1f
    const mantissa = half & 0x3ff
    let value: number
    if (exponent === 0) value = mantissa * 2 ** -24
    else if (exponent === 31) value = mantissa === 0 ? Number.POSITIVE_INFINITY : Number.NaN
    else value = (1 + mantissa / 1024) * 2 ** (exponent - 15)
    values[index] = half & 0x8000 ? -value : value
  }
  return values
}
