/** Boxes as columns, so that a large evaluation walks over numbers and not over objects. */
export interface BoxTable {
  readonly length: number
  /**
   * Place of the box's image and category among all, ascending by id; what does not count is -1.
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

export interface Detection {
  readonly image: number
  readonly category: number
  /** x, y, width, height. */
  readonly bbox: readonly [number, number, number, number]
  readonly score: number
}

/**
 * Detections as columns that grow: six million of LVIS take 0.33 GB, and three times that as objects.
 */
export class DetectionTable implements Iterable<Detection> {
  #length = 0
  #image = new Float64Array(1024)
  #category = new Float64Array(1024)
  #bbox = new Float64Array(4 * 1024)
  #score = new Float64Array(1024)

  get length(): number {
    return this.#length
  }

  /** What was added until now; `bbox` as in a `BoxTable`. */
  columns() {
    return {
      image: this.#image.subarray(0, this.#length),
      category: this.#category.subarray(0, this.#length),
      bbox: this.#bbox.subarray(0, 4 * this.#length),
      score: this.#score.subarray(0, this.#length),
    }
  }

  push({ image, category, bbox, score }: Detection): void {
    const at = this.#length++
    if (at === this.#score.length) this.#grow()
    this.#image[at] = image
    this.#category[at] = category
    for (let side = 0; side < 4; side++) this.#bbox[4 * at + side] = bbox[side]!
    this.#score[at] = score
  }

  *[Symbol.iterator](): Generator<Detection> {
    for (let at = 0; at < this.#length; at++) {
      const side = (place: number) => this.#bbox[4 * at + place]!
      const bbox = [side(0), side(1), side(2), side(3)] as const
      yield { image: this.#image[at]!, category: this.#category[at]!, bbox, score: this.#score[at]! }
    }
  }

  #grow(): void {
    const size = Math.ceil(1.5 * this.#score.length)
    const larger = (column: Float64Array, width = 1) => {
      const into = new Float64Array(width * size)
      into.set(column)
      return into
    }
    this.#image = larger(this.#image)
    this.#category = larger(this.#category)
    this.#bbox = larger(this.#bbox, 4)
    this.#score = larger(this.#score)
  }
}

/** Detections as columns. */
export function detectionTable(detections: Iterable<Detection>): DetectionTable {
  if (detections instanceof DetectionTable) return detections
  const table = new DetectionTable()
  for (const detection of detections) table.push(detection)
  return table
}

/** Place of each id in the ascending list of distinct ids. */
export function placesOf(ids: Iterable<number>): Map<number, number> {
  return new Map([...new Set(ids)].sort((a, b) => a - b).map((id, place) => [id, place]))
}

export function boxTable<T extends Box & { readonly area: number }>(
  boxes: readonly T[],
  images: ReadonlyMap<number, number>,
  categories: ReadonlyMap<number, number>,
): BoxTable {
  const { length } = boxes
  const table = {
    length,
    image: Int32Array.from(boxes, ({ image }) => images.get(image) ?? -1),
    category: Int32Array.from(boxes, ({ category }) => categories.get(category) ?? -1),
    bbox: new Float64Array(4 * length),
    area: Float64Array.from(boxes, ({ area }) => area),
  }
  boxes.forEach(({ bbox }, index) => {
    table.bbox.set(bbox, 4 * index)
  })
  return table
}

function placesIn(ids: Float64Array, places: ReadonlyMap<number, number>): Int32Array {
  const columns = new Int32Array(ids.length)
  let [last, place] = [Number.NaN, -1]
  for (let index = 0; index < ids.length; index++) {
    // Detections mostly come picture by picture.
    if (ids[index] !== last) {
      last = ids[index]!
      place = places.get(last) ?? -1
    }
    columns[index] = place
  }
  return columns
}

export interface FoundTable extends BoxTable {
  readonly score: Float64Array
}

/** Detections as a table of boxes, with the area and the score of each. */
export function foundTable(
  detections: DetectionTable,
  images: ReadonlyMap<number, number>,
  categories: ReadonlyMap<number, number>,
): FoundTable {
  const { image, category, bbox, score } = detections.columns()
  const { length } = detections
  const area = new Float64Array(length)
  for (let index = 0; index < length; index++) area[index] = bbox[4 * index + 2]! * bbox[4 * index + 3]!
  return {
    ...{ length, image: placesIn(image, images), category: placesIn(category, categories) },
    ...{ bbox, area, score },
  }
}

/** Some rows of a table, in an order of their own. */
export function rowsOf(table: FoundTable, rows: Int32Array): FoundTable {
  const bbox = new Float64Array(4 * rows.length)
  for (let at = 0; at < rows.length; at++)
    for (let side = 0; side < 4; side++) bbox[4 * at + side] = table.bbox[4 * rows[at]! + side]!
  const numbers = (column: Float64Array) => {
    const own = new Float64Array(rows.length)
    for (let at = 0; at < rows.length; at++) own[at] = column[rows[at]!]!
    return own
  }
  const places = (column: Int32Array) => rows.map((row) => column[row]!)
  return {
    ...{ length: rows.length, image: places(table.image), category: places(table.category) },
    ...{ bbox, area: numbers(table.area), score: numbers(table.score) },
  }
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
