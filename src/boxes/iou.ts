import type { Xyxy } from './xyxy.js'

/** Area of a box in continuous coordinates; 0 where it is turned inside out. */
export const areaOf = (box: Xyxy): number => Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1])

/** Intersection over union of two boxes in continuous coordinates, 0 to 1. */
export function iou(a: Xyxy, b: Xyxy): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1])
  if (width <= 0 || height <= 0) return 0
  const overlap = width * height
  return overlap / (areaOf(a) + areaOf(b) - overlap)
}
