/** Solves for a right side, in its place. */
export type Solve = (side: Float64Array) => void

/**
 * Factors a symmetric, positive definite matrix into a triangular one and its transpose (Cholesky), once for many
 * right sides.
 *
 * @param matrix n x n, by rows; what lies above the diagonal is not looked at, and it is overwritten
 * @throws RangeError where it is not positive definite
 */
export function cholesky(matrix: Float64Array, n: number): Solve {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!
      for (let k = 0; k < j; k++) sum -= matrix[i * n + k]! * matrix[j * n + k]!
      if (i !== j) matrix[i * n + j] = sum / matrix[j * n + j]!
      else if (sum > 0) matrix[i * n + i] = Math.sqrt(sum)
      else throw new RangeError(`the matrix is not positive definite: ${sum} in row ${i}`)
    }
  return (side) => {
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < i; k++) side[i]! -= matrix[i * n + k]! * side[k]!
      side[i]! /= matrix[i * n + i]!
    }
    for (let i = n - 1; i >= 0; i--) {
      side[i]! /= matrix[i * n + i]!
      for (let k = 0; k < i; k++) side[k]! -= matrix[i * n + k]! * side[i]!
    }
  }
}
