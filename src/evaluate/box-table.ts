/** Boxes as columns, so that a large evaluation walks over numbers and not over objects. */
export interface BoxTable {
  readonly length: number
  /**
   * Place of the box's image and category among all, ascending by id; a category that does not count is -1.
   */
  readonly image: Int32Array
  readonly category: Int32Array
  /** [length * 4]: x, y, width, height. */
  readonly bbox: Float64Array
  readonly area: Float64Array
}

interface Box {
  readonly image: number
  readonly category: number
  readonly bbox: readonly [number, number, number, number]
}

/** Place of each id in the ascending list of distinct ids. */
export function placesOf(ids: Iterable<number>): Map<number, number> {
  return new Map([...new Set(ids)].sort((a, b) => a - b).map((id, place) => [id, place]))
}

export function boxTable<T extends Box>(
  boxes: readonly T[],
  images: ReadonlyMap<number, number>,
  categories: ReadonlyMap<number, number>,
  areaOf: (box: T) => number,
): BoxTable {
  const { length } = boxes
  const table = {
    length,
    image: new Int32Array(length),
    category: new Int32Array(length),
    bbox: new Float64Array(4 * length),
    area: new Float64Array(length),
  }
  for (let index = 0; index < length; index++) {
    const box = boxes[index]!
    table.image[index] = images.get(box.image) as number
    table.category[index] = categories.get(box.category) ?? -1
    table.bbox.set(box.bbox, 4 * index)
    table.area[index] = areaOf(box)
  }
  return table
}

/**
 * The area that box `a` of one list [boxes * 4] of x, y, width, height shares with box `b` of another. The
 * order of the operations is that of pycocotools' maskApi.c, so that the last bit agrees.
 */
export function sharedArea(of: Float64Array, a: number, and: Float64Array, b: number): number {
  const [x, y] = [of[4 * a]!, of[4 * a + 1]!]
  const [otherX, otherY] = [and[4 * b]!, and[4 * b + 1]!]
  const width = Math.min(of[4 * a + 2]! + x, and[4 * b + 2]! + otherX) - Math.max(x, otherX)
  if (width <= 0) return 0
  const height = Math.min(of[4 * a + 3]! + y, and[4 * b + 3]! + otherY) - Math.max(y, otherY)
  return height <= 0 ? 0 : width * height
}
