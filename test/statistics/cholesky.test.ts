import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { cholesky } from '../../src/statistics/cholesky.js'

describe('a factored matrix', () => {
  it('solves for any right side, in its place', () => {
    const draw = random(5)
    for (const n of [1, 2, 7, 40]) {
      const rows = Array.from({ length: n }, () => Array.from({ length: n }, () => draw.normal()))
      const product = (i: number, j: number) =>
        rows[i].reduce((sum, value, at) => sum + value * rows[j][at], i === j ? 0.5 : 0)
      const matrix = Float64Array.from({ length: n * n }, (_, at) => product(Math.floor(at / n), at % n))
      const solve = cholesky(matrix.slice(), n)
      for (let side = 0; side < 3; side++) {
        const wanted = Float64Array.from({ length: n }, () => draw.normal())
        const given = Float64Array.from({ length: n }, (_, i) =>
          wanted.reduce((sum, value, j) => sum + matrix[i * n + j] * value, 0),
        )
        solve(given)
        for (let at = 0; at < n; at++) expect(given[at]).toBeCloseTo(wanted[at], 8)
      }
    }
  })

  it('looks at nothing above the diagonal', () => {
    const side = Float64Array.of(2, 3)
    cholesky(Float64Array.of(1, Number.NaN, 0, 1), 2)(side)
    expect([...side]).toEqual([2, 3])
  })

  it('is refused where it is not positive definite', () => {
    expect(() => cholesky(Float64Array.of(1, 0, 2, 1), 2)).toThrow(/not positive definite: -3 in row 1/)
  })
})
