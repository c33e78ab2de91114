/** Made-up pairs in SA-Co's form, with all that may go wrong between annotators and a model. */
import type { Random } from '../src/base/random.js'

export interface SacoDrawing {
  readonly pairs: number
  /** Annotators. */
  readonly truths: number
  /** Share of boxes around several things. */
  readonly crowds: number
  /** Corners and scores on a coarse grid, so that overlaps and scores are equal, and exactly at thresholds. */
  readonly onGrid: boolean
  /** Share of pairs that an annotator has not boxed exhaustively. */
  readonly partial: number
}

type Bbox = readonly [number, number, number, number]

/** One file an annotator, and the predictions in COCO's result form. */
export function drawSaco(draw: Random, { pairs, truths, crowds, onGrid, partial }: SacoDrawing) {
  const box = (): Bbox => {
    if (onGrid) return [draw.integer(3) / 16, draw.integer(3) / 16, draw.pick(sides), draw.pick(sides)]
    const side = () => Math.exp(draw.between(-4, -0.7))
    return rounded([draw.between(0, 0.6), draw.between(0, 0.6), side(), side()])
  }
  const near = ([x, y, width, height]: Bbox, spread: number): Bbox => {
    if (onGrid) return draw.pick(gridMoves)([x, y, width, height])
    const moved = (value: number, side: number) => value + draw.normal() * spread * side
    const size = (side: number) => side * Math.exp(draw.normal() * spread)
    return rounded([moved(x, width), moved(y, height), size(width), size(height)])
  }
  const files = Array.from({ length: truths }, () => ({
    images: [] as object[],
    annotations: [] as object[],
    categories: [{ id: 1, name: 'visual' }],
  }))
  const predictions: { image_id: number; category_id: number; bbox: Bbox; score: number }[] = []
  for (let at = 0; at < pairs; at++) {
    const id = 7 * at + 3
    const things = draw.next() < 0.5 ? Array.from({ length: 1 + draw.integer(6) }, box) : []
    for (const { images, annotations } of files) {
      const pair = { id, file_name: `${at >> 1}.jpg`, text_input: `thing ${at}`, width: 640, height: 480 }
      images.push({ ...pair, is_instance_exhaustive: draw.next() < partial ? 0 : 1 })
      const isSeen = draw.next() < 0.85
      for (const thing of draw.next() < 0.05 ? [box()] : things) {
        if (!isSeen || draw.next() < 0.1) continue
        const bbox = truths > 1 ? near(thing, 0.04) : thing
        const iscrowd = draw.next() < crowds ? 1 : 0
        const area = bbox[2] * bbox[3]
        annotations.push({ id: annotations.length + 1, image_id: id, category_id: 1, bbox, area, iscrowd })
      }
    }
    const isSaid = draw.next() < (things.length > 0 ? 0.85 : 0.15)
    const boxes = isSaid
      ? [...things, ...(draw.next() < 0.3 ? [box(), box()] : []), ...things.slice(0, 2)]
      : []
    for (const thing of boxes) {
      const score = onGrid ? draw.pick([0.25, 0.5, 0.75]) : Math.round(1e4 * draw.between(0.3, 1)) / 1e4
      predictions.push({ image_id: id, category_id: 1, bbox: near(thing, 0.1), score })
    }
  }
  return { files, predictions: draw.shuffle(predictions) }
}

/** As many digits as SAM 3 writes. */
const rounded = (box: Bbox) => box.map((value) => Math.round(1e5 * value) / 1e5) as unknown as Bbox

const sides = [0.25, 0.5, 0.625]
/** Overlaps of 1, 3/5, 3/4, 4/5 and 1/2 with the box, and a neighbour. */
const gridMoves: readonly ((box: Bbox) => Bbox)[] = [
  (box) => box,
  ([x, y, width, height]) => [x + width / 4, y, width, height],
  ([x, y, width, height]) => [x, y, width, 0.75 * height],
  ([x, y, width, height]) => [x, y, 0.8 * width, height],
  ([x, y, width, height]) => [x, y, width, height / 2],
  ([x, y, width, height]) => [x + 1 / 16, y, width, height],
]
