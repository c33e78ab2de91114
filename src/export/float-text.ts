/**
 * The shortest decimal that a reader of 32-bit floats takes for the same value: 0.1, not 0.10000000149011612.
 */
export function floatText(value: number): string {
  const wanted = Math.fround(value)
  if (Number.isInteger(wanted) && Math.abs(wanted) < 1e6) return String(wanted)
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(wanted.toPrecision(digits))
    if (Math.fround(short) === wanted) return String(short)
  }
  return String(Number(wanted.toPrecision(9)))
}

/** A float as the number of its shortest decimal, for JSON. */
export const shortFloat = (value: number): number => Number(floatText(value))

/**
 * A length such that `start + length` is the same 32-bit float as `end`, where start and end are written by
 * `shortFloat`: of x y width height, readers make x2 by adding.
 */
export function lengthBetween(start: number, end: number): number {
  const from = shortFloat(start)
  const rough = Math.fround(end) - from
  for (let digits = 6; digits < 17; digits++) {
    const short = Number(rough.toPrecision(digits))
    if (Math.fround(from + short) === Math.fround(end)) return short
  }
  return rough
}
