import type { Xyxy } from '../../../boxes/xyxy.js'

/** A box that is being drawn. */
export interface BoxEdit {
  /** Of which phrase. */
  readonly phrase: number
  /** The box that it is to replace; null of one that is added. */
  readonly original: Xyxy | null
  readonly box: Xyxy
  /** What the arrow keys move. */
  readonly part: EditPart
}

export type EditPart = 'whole' | 'start' | 'end'
const parts: readonly EditPart[] = ['whole', 'start', 'end']
export const nextPart = (part: EditPart): EditPart =>
  parts[(parts.indexOf(part) + 1) % parts.length] as EditPart

interface Size {
  readonly width: number
  readonly height: number
}

/** Sides of a box have at least so many pixels. */
const leastSide = 1

/** A box in its picture, by hundredths of a pixel, with its sides the right way round. */
export function settled([x1, y1, x2, y2]: Xyxy, { width, height }: Size): Xyxy {
  const [left, right] = sides(x1, x2, width)
  const [top, bottom] = sides(y1, y2, height)
  return [left, top, right, bottom]
}

function sides(a: number, b: number, most: number): [number, number] {
  const inside = (side: number) => Math.round(100 * Math.min(most, Math.max(0, side))) / 100
  const [low, high] = [inside(Math.min(a, b)), inside(Math.max(a, b))]
  if (high - low >= leastSide) return [low, high]
  const start = Math.max(0, Math.min(low, most - leastSide))
  return [start, Math.min(most, start + leastSide)]
}

/** A box moved by some pixels as a whole, within its picture, or one of its corners. */
export function nudged(box: Xyxy, part: EditPart, x: number, y: number, size: Size): Xyxy {
  const [x1, y1, x2, y2] = box
  if (part === 'start') return settled([Math.min(x1 + x, x2), Math.min(y1 + y, y2), x2, y2], size)
  if (part === 'end') return settled([x1, y1, Math.max(x2 + x, x1), Math.max(y2 + y, y1)], size)
  const across = Math.max(-x1, Math.min(x, size.width - x2))
  const down = Math.max(-y1, Math.min(y, size.height - y2))
  return settled([x1 + across, y1 + down, x2 + across, y2 + down], size)
}

/** Which sides of a box a handle moves: -1 the first, 1 the last, 0 neither. */
export interface Handle {
  readonly x: -1 | 0 | 1
  readonly y: -1 | 0 | 1
}

export const handles: readonly Handle[] = ([-1, 0, 1] as const).flatMap((y) =>
  ([-1, 0, 1] as const).flatMap((x) => (x === 0 && y === 0 ? [] : [{ x, y }])),
)

/** A box whose handle was dragged to a place. */
export function dragged(
  [x1, y1, x2, y2]: Xyxy,
  { x, y }: Handle,
  toX: number,
  toY: number,
  size: Size,
): Xyxy {
  return settled([x === -1 ? toX : x1, y === -1 ? toY : y1, x === 1 ? toX : x2, y === 1 ? toY : y2], size)
}

/** Where a drawn box begins that is made with keys alone: the middle of the picture. */
export const middleBox = ({ width, height }: Size): Xyxy =>
  settled([width / 3, height / 3, (2 * width) / 3, (2 * height) / 3], { width, height })
