/**
 * What an entry of a file is called by others of it, one text whatever the file writes it as: 1, 1.0, "1" and
 * " 1 " are the same (VIA, early CVAT and pandas turn one into another), and numbers of any size keep their
 * digits (`parseJson` gives those over 2^53 as `bigint`).
 *
 * @returns undefined where the value names nothing: null, NaN, an empty text, a list, an object
 */
export function entryId(value: unknown): string | undefined {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (text === '') return undefined
  // A number that became a text on its way is that number: "1.0" of pandas, not "007" of a camera.
  return /^-?(0|[1-9]\d*)\.0+$/.test(text) ? text.slice(0, text.indexOf('.')) : text
}

/** Ids in their order: numbers by size, then words in the order of the file (sorting is stable). */
export function compareIds(a: string, b: string): number {
  const [isA, isB] = [isWhole.test(a), isWhole.test(b)]
  if (!isA || !isB) return Number(isB) - Number(isA)
  if (a.length < 16 && b.length < 16) return Number(a) - Number(b)
  const [left, right] = [BigInt(a), BigInt(b)]
  return left < right ? -1 : Number(left > right)
}

const isWhole = /^-?\d+$/

/** An id as JSON: a number where it is one, so that files that are written say it as most files do. */
export function idNumber(id: string): number | bigint | string {
  if (!/^-?(0|[1-9]\d*)$/.test(id) || id === '-0') return id
  const number = Number(id)
  return Number.isSafeInteger(number) ? number : BigInt(id)
}
