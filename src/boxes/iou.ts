import type { Xyxy } from './xyxy.js'

/** Area of a box in continuous coordinates; 0 where it is turned inside out. */
export const areaOf = (box: Xyxy): number => Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1])

/** Intersection over union of two boxes in continuous coordinates, 0 to 1. */
export const iou = (a: Xyxy, b: Xyxy): number => iouAt(a, 0, b, 0)

/** The same for boxes in flat arrays of four numbers a box, whose first numbers stand at `i` and `j`. */
export function iouAt(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number): number {
  const ax1 = a[i] as number
  const ay1 = a[i + 1] as number
  const ax2 = a[i + 2] as number
  const ay2 = a[i + 3] as number
  const bx1 = b[j] as number
  const by1 = b[j + 1] as number
  const bx2 = b[j + 2] as number
  const by2 = b[j + 3] as number
  const width = Math.min(ax2, bx2) - Math.max(ax1, bx1)
  const height = Math.min(ay2, by2) - Math.max(ay1, by1)
  if (width <= 0 || height <= 0) return 0
  const overlap = width * height
  // Boxes that overlap are not turned inside out.
  return overlap / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - overlap)
}
