/** Orders of indices over typed arrays, all stable: what is equal stays as it came. */

/**
 * Indices of `values`, largest first (NumPy: argsort(-values, kind="mergesort")), ties in the order of
 * `from`, NaN last.
 */
export function descending(values: Float64Array, from: Int32Array): Int32Array {
  const order = from.slice()
  sortDescending(values, order)
  return order
}

/** Runs of so many are sorted by insertion. */
const runLength = 8

/** Brings indices of `values` into the order of `descending`, in place. */
export function sortDescending(values: Float64Array, order: Int32Array): void {
  for (let start = 0; start < order.length; start += runLength) {
    const end = Math.min(start + runLength, order.length)
    for (let at = start + 1; at < end; at++) {
      const index = order[at]!
      const value = values[index]!
      let into = at
      for (; into > start && isBehind(values[order[into - 1]!]!, value); into--)
        order[into] = order[into - 1]!
      order[into] = index
    }
  }
  if (order.length <= runLength) return
  // Values are moved along with their indices: to look each up takes longer.
  const value = new Float64Array(order.length)
  for (let at = 0; at < order.length; at++) value[at] = values[order[at]!]!
  let source: Sorted = { index: order, value }
  let target: Sorted = { index: new Int32Array(order.length), value: new Float64Array(order.length) }
  for (let width = runLength; width < order.length; width *= 2) {
    for (let start = 0; start < order.length; start += 2 * width) {
      const middle = Math.min(start + width, order.length)
      merge(source, start, middle, Math.min(start + 2 * width, order.length), target)
    }
    ;[source, target] = [target, source]
  }
  if (source.index !== order) order.set(source.index)
}

interface Sorted {
  readonly index: Int32Array
  readonly value: Float64Array
}

/** Merges two sorted runs, up to `middle` and up to `end`, without these. */
function merge(from: Sorted, start: number, middle: number, end: number, into: Sorted): void {
  let [left, right] = [start, middle]
  for (let at = start; at < end; at++) {
    const takeLeft = right >= end || (left < middle && !isBehind(from.value[left]!, from.value[right]!))
    const taken = takeLeft ? left++ : right++
    into.index[at] = from.index[taken]!
    into.value[at] = from.value[taken]!
  }
}

/** Whether a value comes behind one that came later. */
const isBehind = (value: number, later: number) =>
  value < later || (Number.isNaN(value) && !Number.isNaN(later))

export interface Grouped {
  readonly order: Int32Array
  /** Group g is order[starts[g]] up to, without, order[starts[g + 1]]. */
  readonly starts: Int32Array
}

/** The indices of `from` by group, 0 to `groups` - 1; those of a group below 0 are left out. */
export function grouped(from: Int32Array, groupOf: Int32Array, groups: number): Grouped {
  const starts = new Int32Array(groups + 1)
  for (const index of from) if (groupOf[index]! >= 0) starts[groupOf[index]! + 1]!++
  for (let group = 0; group < groups; group++) starts[group + 1]! += starts[group]!
  const order = new Int32Array(starts[groups]!)
  const next = starts.slice()
  for (const index of from) if (groupOf[index]! >= 0) order[next[groupOf[index]!]!++] = index
  return { order, starts }
}

/** 0, 1, 2 up to, without, `length`. */
export function upTo(length: number): Int32Array {
  const order = new Int32Array(length)
  for (let index = 0; index < length; index++) order[index] = index
  return order
}
