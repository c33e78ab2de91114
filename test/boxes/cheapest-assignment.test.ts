import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { cheapestAssignment } from '../../src/boxes/cheapest-assignment.js'

/** The least total over all ways to give min(rows, columns) pairs. */
function cheapest(costs: Float64Array, rows: number, columns: number): number {
  const [few, many] = rows <= columns ? [rows, columns] : [columns, rows]
  const cost = (a: number, b: number) => (rows <= columns ? costs[a * columns + b] : costs[b * columns + a])
  const search = (at: number, used: number): number => {
    if (at === few) return 0
    let best = Number.POSITIVE_INFINITY
    for (let other = 0; other < many; other++) {
      if (used & (1 << other)) continue
      best = Math.min(best, cost(at, other) + search(at + 1, used | (1 << other)))
    }
    return best
  }
  return search(0, 0)
}

function check(costs: Float64Array, rows: number, columns: number): number {
  const assigned = cheapestAssignment(costs, rows, columns)
  const chosen = [...assigned].flatMap((column, row) => (column >= 0 ? [{ row, column }] : []))
  expect(assigned.length).toBe(rows)
  expect(chosen.length).toBe(Math.min(rows, columns))
  expect(new Set(chosen.map(({ column }) => column)).size).toBe(chosen.length)
  for (const { column } of chosen) expect(column).toBeLessThan(columns)
  return chosen.reduce((sum, { row, column }) => sum + costs[row * columns + column], 0)
}

const side = fc.integer({ min: 0, max: 7 })
const matrix = (cost: fc.Arbitrary<number>) =>
  fc
    .tuple(side, side)
    .chain(([rows, columns]) =>
      fc.tuple(
        fc.constant(rows),
        fc.constant(columns),
        fc.array(cost, { minLength: rows * columns, maxLength: rows * columns }),
      ),
    )

describe('the cheapest assignment', () => {
  it.each([
    ['any costs', matrix(fc.double({ min: -100, max: 100, noNaN: true }))],
    ['costs that tie', matrix(fc.integer({ min: 0, max: 2 }))],
  ])('is as cheap as the best of all, of %s', (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, ([rows, columns, values]) => {
        const costs = Float64Array.from(values)
        expect(check(costs, rows, columns)).toBeCloseTo(cheapest(costs, rows, columns), 9)
      }),
      { numRuns: 200 },
    )
  })

  // bench/parity/write-assignment-fixture.ts
  const path = new URL('./fixtures/assignment.json', import.meta.url)
  const expected: {
    total: number
    columns: number[]
    ties: { rows: number; columns: number; costs: number[]; assigned: number[] }[]
  } = JSON.parse(readFileSync(path, 'utf8'))

  it('costs what scipy finds, of 100 x 60 and of 60 x 100', () => {
    const draw = random('assignment')
    const costs = Float64Array.from({ length: 6000 }, () => Math.round(draw.next() * 1e6) / 1e3)
    expect(check(costs, 100, 60)).toBeCloseTo(expected.total, 6)
    expect([...cheapestAssignment(costs, 100, 60)]).toEqual(expected.columns)
    const turned = Float64Array.from(costs, (__, at) => costs[(at % 100) * 60 + Math.floor(at / 100)])
    expect(check(turned, 60, 100)).toBeCloseTo(expected.total, 6)
  })

  it('is the one that scipy gives where several are as cheap', () => {
    expect(expected.ties.length).toBe(60)
    for (const { rows, columns, costs, assigned } of expected.ties)
      expect([...cheapestAssignment(Float64Array.from(costs), rows, columns)]).toEqual(assigned)
  })

  it('refuses what is not a number, and costs that are no matrix', () => {
    expect(() => cheapestAssignment(Float64Array.of(1, Number.NaN), 1, 2)).toThrow('not a finite number')
    expect(() => cheapestAssignment(Float64Array.of(1, 2, 3), 2, 2)).toThrow('3 costs for 2 x 2')
  })
})
