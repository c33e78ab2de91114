import { expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { lengthBetween, shortFloat, toDecimals } from '../../src/export/float-text.js'

/** The shortest decimal of a float by trying texts. */
function shortByText(value: number): number {
  const wanted = Math.fround(value)
  const tries = [6, 7, 8, 9].map((digits) => Number(wanted.toPrecision(digits)))
  return tries.find((short) => Math.fround(short) === wanted) ?? wanted
}

const draws = Array.from({ length: 10_000 }, (_, index) => index)

it('floats get the shortest decimal that is the same float', () => {
  const draw = random('floats', 'export test')
  const values = draws.map(() => draw.between(-1, 1) * 10 ** Math.floor(draw.between(-12, 12)))
  // Whole numbers, halves of the last digit, and what rounds up to a power of ten.
  values.push(
    0,
    1,
    640,
    999_999,
    1e6,
    16_777_216,
    0.1,
    2.5,
    0.0000305175781,
    99_999.95,
    9.9999995,
    Number.NaN,
  )
  expect(values.filter((value) => !Object.is(shortFloat(value), shortByText(value)))).toEqual([])
})

it('a length leads from the one float to the other', () => {
  const draw = random('lengths', 'export test')
  const pairs = draws.map((): [number, number] => [draw.between(-500, 500), draw.between(-500, 1000)])
  const isReached = ([start, end]: [number, number]) =>
    Math.fround(shortFloat(start) + lengthBetween(start, end)) === Math.fround(end)
  expect(pairs.filter((pair) => !isReached(pair))).toEqual([])
})

it('shares are rounded as their text is, also near a half', () => {
  const draw = random('shares', 'export test')
  const halves = draws.map(() => (Math.floor(draw.between(0, 1e10)) + 0.5) / 1e10)
  const shares = [...draws.map(() => draw.next()), ...halves]
  expect(shares.filter((share) => toDecimals(share, 10) !== Number(share.toFixed(10)))).toEqual([])
})
