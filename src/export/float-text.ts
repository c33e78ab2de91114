/** 1, 10, 100, up to the last power of ten that is a double. */
const powers = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))
/** Below this a product with one of them is wrong by less than `unsure`, which is what decides near a half. */
const most = 2 ** 40
const unsure = 2 ** -10

/**
 * A number to so many decimals: by one multiplication where that is sure to give what the text does, which takes many
 * times as long, and else by the text.
 */
function rounded(value: number, decimals: number, textOf: () => string): number {
  const power = powers[decimals]
  if (power === undefined) return Number(textOf())
  const scaled = Math.abs(value) * power
  const whole = Math.floor(scaled)
  const rest = scaled - whole
  if (!(scaled < most) || Math.abs(rest - 0.5) < unsure) return Number(textOf())
  // Both are exact, so that the quotient is the double nearest to the decimal, as what is read from a text is.
  const size = (rest < 0.5 ? whole : whole + 1) / power
  return value < 0 ? -size : size
}

/** `Number(value.toPrecision(digits))`. */
const toDigits = (value: number, digits: number): number =>
  rounded(value, digits - 1 - Math.floor(Math.log10(Math.abs(value))), () => value.toPrecision(digits))

/** `Number(value.toFixed(decimals))`. */
export const toDecimals = (value: number, decimals: number): number =>
  rounded(value, decimals, () => value.toFixed(decimals))

/**
 * A float as the number of the shortest decimal that a reader of 32-bit floats takes for the same value: 0.1, not
 * 0.10000000149011612.
 */
export function shortFloat(value: number): number {
  const wanted = Math.fround(value)
  if (Number.isInteger(wanted) && Math.abs(wanted) < 1e6) return wanted
  for (let digits = 6; digits < 9; digits++) {
    const short = toDigits(wanted, digits)
    if (Math.fround(short) === wanted) return short
  }
  return toDigits(wanted, 9)
}

/** The same as a text. */
export const floatText = (value: number): string => String(shortFloat(value))

/**
 * A length such that `start + length` is the same 32-bit float as `end`, where start and end are written by
 * `shortFloat`: of x y width height, readers make x2 by adding.
 */
export function lengthBetween(start: number, end: number): number {
  const from = shortFloat(start)
  const rough = Math.fround(end) - from
  for (let digits = 6; digits < 17; digits++) {
    const short = toDigits(rough, digits)
    if (Math.fround(from + short) === Math.fround(end)) return short
  }
  return rough
}
