const digits = 2 ** 16

/**
 * Rows by falling keys, those of one key in their order. It runs at every step of the slider: a radix sort
 * takes a few milliseconds for 100,000 rows, whatever the keys are.
 *
 * @param keys of the rows, at the same places, whole numbers below 2^32
 */
export function sortedRows(rows: Uint32Array, keys: Uint32Array): Uint32Array {
  let order = new Uint32Array(rows.length)
  for (let at = 0; at < order.length; at++) order[at] = at
  const isSmall = keys.every((key) => key < digits)
  for (const shift of isSmall ? [0] : [0, 16]) order = sortedByDigit(order, keys, shift)
  for (let at = 0; at < order.length; at++) order[at] = rows[order[at] as number] as number
  return order
}

function sortedByDigit(order: Uint32Array<ArrayBuffer>, keys: Uint32Array, shift: number) {
  const starts = new Uint32Array(digits + 1)
  for (let place = 0; place < order.length; place++) {
    const next = digits - (((keys[order[place] as number] as number) >>> shift) & (digits - 1))
    starts[next] = (starts[next] as number) + 1
  }
  for (let digit = 0; digit < digits; digit++)
    starts[digit + 1] = (starts[digit + 1] as number) + (starts[digit] as number)
  const sorted = new Uint32Array(order.length)
  for (let place = 0; place < order.length; place++) {
    const at = order[place] as number
    const digit = digits - 1 - (((keys[at] as number) >>> shift) & (digits - 1))
    const next = starts[digit] as number
    sorted[next] = at
    starts[digit] = next + 1
  }
  return sorted
}

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** A key that grows with a number of 0 and more, in single precision; at least 1, so that 0 is less than any. */
export function keyOf(value: number): number {
  float[0] = value
  return (bits[0] as number) + 1
}

/** The greatest that `keyOf` gives of numbers up to 1. */
const mostKey = keyOf(1)

/** A key that grows as a number of 0 to 1 falls. */
export const fallingKeyOf = (value: number): number => Math.max(1, mostKey - keyOf(value) + 1)
