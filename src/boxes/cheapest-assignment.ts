/**
 * The assignment of least total cost between rows and columns, exact (the Hungarian method, Kuhn 1955; here
 * as shortest augmenting paths with potentials, Jonker and Volgenant 1987), in min^2 * max steps. Each row
 * gets a column of its own, or where there are more rows than columns each column a row. Of several cheapest
 * assignments it gives the one that SciPy's linear_sum_assignment gives: columns are looked at in the same order.
 *
 * @param costs [rows * columns], row by row, finite
 * @returns for each row its column, or -1
 */
export function cheapestAssignment(costs: Float64Array, rows: number, columns: number): Int32Array {
  if (costs.length !== rows * columns) throw new Error(`${costs.length} costs for ${rows} x ${columns}`)
  if (!costs.every(Number.isFinite)) throw new RangeError('a cost is not a finite number')
  if (rows > columns) {
    const transposed = assignRows((row, column) => costs[column * columns + row]!, columns, rows)
    const result = new Int32Array(rows).fill(-1)
    transposed.forEach((row, column) => {
      result[row] = column
    })
    return result
  }
  return assignRows((row, column) => costs[row * columns + column]!, rows, columns)
}

/** For each row its column; no more rows than columns. */
function assignRows(
  cost: (row: number, column: number) => number,
  rows: number,
  columns: number,
): Int32Array {
  // cost - rowPotential - columnPotential is never negative, and 0 where a row has its column.
  const rowPotential = new Float64Array(rows)
  const columnPotential = new Float64Array(columns)
  const rowOf = new Int32Array(columns).fill(-1)
  const columnOf = new Int32Array(rows).fill(-1)
  const distance = new Float64Array(columns)
  const from = new Int32Array(columns)
  /** Columns in the order in which they are looked at; those from `unsettled` on are settled. */
  const order = new Int32Array(columns)
  for (let start = 0; start < rows; start++) {
    // The shortest augmenting path (Dijkstra) from the new row to a free column: each row on it moves to its
    // next column.
    distance.fill(Number.POSITIVE_INFINITY)
    from.fill(-1)
    for (let at = 0; at < columns; at++) order[at] = columns - at - 1
    let unsettled = columns
    let row = start
    let pathCost = 0
    let free = -1
    while (free < 0) {
      let nearest = -1
      let least = Number.POSITIVE_INFINITY
      for (let at = 0; at < unsettled; at++) {
        const column = order[at]!
        const length = pathCost + cost(row, column) - rowPotential[row]! - columnPotential[column]!
        if (length < distance[column]!) {
          distance[column] = length
          from[column] = row
        }
        // Of equals a free column, with which the path ends.
        if (distance[column]! < least || (distance[column] === least && rowOf[column]! < 0)) {
          least = distance[column]!
          nearest = at
        }
      }
      const column = order[nearest]!
      pathCost = least
      if (rowOf[column]! < 0) free = column
      else row = rowOf[column]!
      order[nearest] = order[--unsettled]!
      order[unsettled] = column
    }
    rowPotential[start]! += pathCost
    for (let at = unsettled; at < columns; at++) {
      const column = order[at]!
      if (column === free) continue
      rowPotential[rowOf[column]!]! += pathCost - distance[column]!
      columnPotential[column]! -= pathCost - distance[column]!
    }
    for (let column = free; column >= 0; ) {
      const taker = from[column]!
      const previous = columnOf[taker]!
      rowOf[column] = taker
      columnOf[taker] = column
      column = taker === start ? -1 : previous
    }
  }
  return columnOf
}
