import { isKept } from '../view/threshold.js'
import type { LayerPart } from './index-part.js'

/** Thresholds are looked up by so many equal steps from 0 to 1. */
const steps = 1024

const stepOf = (threshold: number) => Math.max(0, Math.min(steps - 1, Math.floor(threshold * steps)))

/** Boxes by a threshold at which they change: box after box, those of a step together. */
interface Steps {
  readonly starts: Uint32Array
  readonly boxes: Uint32Array
}

/** The boxes of a part in the order of the thresholds at which they come and go. */
interface ThresholdOrder {
  /** About how many boxes change between two thresholds. */
  count(from: number, to: number): number
  /** Those that may, in no order; others are left out. */
  boxes(from: number, to: number): Iterable<Uint32Array>
}

const orders = new WeakMap<LayerPart, ThresholdOrder>()

/** The order of a part, made when it is first asked for. */
export function thresholdOrder(part: LayerPart): ThresholdOrder {
  const known = orders.get(part)
  if (known) return known
  const sides = [stepsBy(part.boxTo), ...(part.boxFrom ? [stepsBy(part.boxFrom)] : [])]
  const range = ({ starts }: Steps, a: number, b: number) =>
    [starts[stepOf(Math.min(a, b))] as number, starts[stepOf(Math.max(a, b)) + 1] as number] as const
  const order: ThresholdOrder = {
    count(from, to) {
      if (from === to) return 0
      return sides.reduce((sum, side) => {
        const [start, end] = range(side, from, to)
        return sum + end - start
      }, 0)
    },
    boxes: (from, to) =>
      from === to ? [] : sides.map((side) => side.boxes.subarray(...range(side, from, to))),
  }
  orders.set(part, order)
  return order
}

/** A counting sort; boxes without such a threshold, which is below 0, are left out. */
function stepsBy(thresholds: Float32Array | Float64Array): Steps {
  const starts = new Uint32Array(steps + 1)
  for (const value of thresholds) if (value >= 0) starts[stepOf(value) + 1]!++
  for (let step = 0; step < steps; step++) starts[step + 1]! += starts[step] as number
  const boxes = new Uint32Array(starts[steps] as number)
  const next = starts.slice()
  for (let box = 0; box < thresholds.length; box++) {
    const value = thresholds[box] as number
    if (value >= 0) boxes[next[stepOf(value)]!++] = box
  }
  return { starts, boxes }
}

/** A layer's part, and the thresholds between which it moves. */
export interface MovedPart {
  readonly part: LayerPart
  readonly from: number
  readonly to: number
}

/** 1 for each row of a shard in which a box is kept at one of two thresholds alone, in any of its parts. */
export function changedRows(sides: readonly MovedPart[]): Uint8Array {
  const isChanged = new Uint8Array(Math.max(...sides.map(({ part }) => part.rows)))
  for (const { part, from, to } of sides) {
    const { boxFrom, boxTo, boxStart } = part
    for (const boxes of thresholdOrder(part).boxes(from, to))
      for (let at = 0; at < boxes.length; at++) {
        const box = boxes[at] as number
        const low = boxFrom === null ? -1 : (boxFrom[box] as number)
        const high = boxTo[box] as number
        if (isKept(low, high, from) !== isKept(low, high, to)) isChanged[rowOfBox(boxStart, box)] = 1
      }
  }
  return isChanged
}

/** The row whose boxes a box is one of. */
function rowOfBox(boxStart: Uint32Array, box: number): number {
  let low = 0
  let high = boxStart.length - 2
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((boxStart[middle] as number) <= box) low = middle
    else high = middle - 1
  }
  return low
}
