import { expect, it } from 'vitest'
import { random } from '../../../src/base/random.js'
import { fallingKeyOf, keyOf, sortedRows } from '../../../src/inspect/index/sorted-rows.js'

it('rows come by falling keys, those of one key in their order', () => {
  const draw = random(5)
  for (const most of [3, 70_000, 2 ** 32]) {
    const keys = Uint32Array.from({ length: 3000 }, () => Math.floor(draw.next() * most))
    const rows = Uint32Array.from({ length: 3000 }, (_, at) => 7 * at)
    const expected = [...rows].sort((a, b) => (keys[b / 7] ?? 0) - (keys[a / 7] ?? 0) || a - b)
    expect([...sortedRows(rows, keys)]).toEqual(expected)
  }
})

it('keys are in the order of the numbers that they are of, and more than of none', () => {
  const scores = [0, 1e-9, 0.3, Math.fround(0.3) + 1e-7, 0.5, 0.999999, 1]
  for (const [at, score] of scores.entries()) {
    expect(keyOf(score)).toBeGreaterThan(at === 0 ? 0 : keyOf(scores[at - 1]!))
    expect(fallingKeyOf(score)).toBeGreaterThan(0)
    if (at > 0) expect(fallingKeyOf(score)).toBeLessThan(fallingKeyOf(scores[at - 1]!))
    expect(Number.isInteger(keyOf(score)) && keyOf(score) < 2 ** 32).toBe(true)
  }
})
