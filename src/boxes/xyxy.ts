/** Left, top, right and bottom side of a box. */
export type Xyxy = readonly [x1: number, y1: number, x2: number, y2: number]

/** Box number `index` of an array of [count * 4] sides. */
export function boxAt(sides: Float32Array, index: number): Xyxy {
  const at = 4 * index
  return [sides[at]!, sides[at + 1]!, sides[at + 2]!, sides[at + 3]!]
}

/** A box with each side changed alike. */
export const mapBox = ([x1, y1, x2, y2]: Xyxy, change: (side: number) => number): Xyxy => [
  change(x1),
  change(y1),
  change(x2),
  change(y2),
]

/** A box with its sides times `x` across and `y` down. */
export const scaleBox = ([x1, y1, x2, y2]: Xyxy, x: number, y = x): Xyxy => [x1 * x, y1 * y, x2 * x, y2 * y]

/**
 * A box scaled as the official code of GLIP scales it: by the places of its first and its last pixel, not by
 * its edges. It ends one pixel behind the last, before and after: x2 becomes (x2 - 1) * x + 1.
 */
export const scalePixelBox = ([x1, y1, x2, y2]: Xyxy, x: number, y = x): Xyxy => [
  x1 * x,
  y1 * y,
  (x2 - 1) * x + 1,
  (y2 - 1) * y + 1,
]

/**
 * The box that `scaleBox` with this scale made: from the pixels of a picture that was decoded smaller to
 * those of the stored one. The sides are divided, for a product with 1 / scale would be rounded in another
 * way.
 */
export const unscaleBox = (box: Xyxy, scale: number): Xyxy => mapBox(box, (side) => side / scale)

/**
 * A box cut off at the edges of what reaches from 0 to (width, height); undefined where nothing of it is
 * inside.
 */
export function clipBox(
  [x1, y1, x2, y2]: Xyxy,
  { width, height }: { readonly width: number; readonly height: number },
): Xyxy | undefined {
  const inside: Xyxy = [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)]
  // Written so that what is not a number fails.
  return inside[2] > inside[0] && inside[3] > inside[1] ? inside : undefined
}
