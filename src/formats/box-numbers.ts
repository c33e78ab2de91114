import type { Xyxy } from '../boxes/xyxy.js'

/** A finite number, which may be written as a text; undefined where it is none. */
export function numberOf(value: unknown): number | undefined {
  const isText = typeof value === 'string' && value.trim() !== ''
  const number = isText || typeof value === 'bigint' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/** A list of finite numbers; undefined where one of them is none. */
export function numbersOf(value: unknown): number[] | undefined {
  if (!Array.isArray(value)) return undefined
  const numbers = value.map(numberOf)
  return numbers.includes(undefined) ? undefined : (numbers as number[])
}

/** Left, top, right and bottom of a list of four numbers; undefined where it is another. */
export function cornersOf(value: unknown): Xyxy | undefined {
  const sides = numbersOf(value)
  return sides?.length === 4 ? (sides as unknown as Xyxy) : undefined
}
