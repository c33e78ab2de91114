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
