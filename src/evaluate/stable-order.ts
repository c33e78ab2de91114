/** Orders of indices over typed arrays, all stable: what is equal stays as it came. */

/**
 * Indices of `values`, largest first (NumPy: argsort(-values, kind="mergesort")), ties in the order of
 * `from`, NaN last.
 */
export function descending(values: Float64Array, from: Int32Array): Int32Array {
  let source = Int32Array.from(from)
  let target = new Int32Array(source.length)
  for (let width = 1; width < source.length; width *= 2) {
    for (let start = 0; start < source.length; start += 2 * width) {
      const middle = Math.min(start + width, source.length)
      const end = Math.min(start + 2 * width, source.length)
      let [left, right] = [start, middle]
      for (let at = start; at < end; at++) {
        const takeLeft =
          right >= end || (left < middle && !isBehind(values[source[left]!]!, values[source[right]!]!))
        target[at] = takeLeft ? source[left++]! : source[right++]!
      }
    }
    ;[source, target] = [target, source]
  }
  return source
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
