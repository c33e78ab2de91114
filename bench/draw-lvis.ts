/** Made-up annotations of LVIS' form and size, and detections around them. */
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Random } from '../src/base/random.js'

export interface LvisDrawing {
  readonly pictures: number
  /** Of each picture. */
  readonly detections: number
  readonly categories: number
}

/** LVIS v1 val, with as many detections as count. */
export const lvisVal: LvisDrawing = { pictures: 19_809, detections: 300, categories: 1203 }

type Bbox = readonly [number, number, number, number]

/** LVIS v1 val has 244,707 boxes. */
const meanBoxes = 244_707 / 19_809
/** Pictures are drawn so many times, and come again under other ids: to write new numbers takes longer than to score. */
const drawnPictures = 2000

/**
 * Writes an annotation file with outlines, and detections in COCO's result form with all digits of a network's
 * 32-bit floats, as Python's `json.dump` writes them. Half of the detections are of categories that the picture
 * is known to show; of most of the others nothing is known, as in LVIS.
 *
 * @returns how many boxes there are
 */
export async function writeLvis(
  draw: Random,
  { pictures, detections, categories }: LvisDrawing,
  paths: { readonly truth: string; readonly found: string },
): Promise<number> {
  const drawn = Array.from({ length: Math.min(pictures, drawnPictures) }, () =>
    drawPicture(draw, detections, categories),
  )
  const pictureOf = (at: number) => drawn[at % drawn.length]!
  await pipeline(function* () {
    for (let at = 0; at < pictures; at++) {
      const rows = pictureOf(at).results.map((row) => `{"image_id": ${at + 1}, ${row}}`)
      yield `${at === 0 ? '[' : ', '}${rows.join(', ')}`
    }
    yield ']'
  }, createWriteStream(paths.found))
  const named = Array.from({ length: categories }, (_, at) => ({
    ...{ id: at + 1, name: `thing ${at}`, frequency: 'fcr'[Math.floor((3 * at) / categories)] },
  }))
  let boxes = 0
  await pipeline(function* () {
    yield `{"categories": ${JSON.stringify(named)}, "images": [`
    for (let at = 0; at < pictures; at++)
      yield `${at === 0 ? '' : ', '}{"id": ${at + 1}, ${pictureOf(at).image}}`
    yield '], "annotations": ['
    for (let at = 0; at < pictures; at++) {
      for (const box of pictureOf(at).boxes)
        yield `${boxes === 0 ? '' : ', '}{"id": ${++boxes}, "image_id": ${at + 1}, ${box}}`
    }
    yield ']}'
  }, createWriteStream(paths.truth))
  return boxes
}

/** What the entries of a picture have behind their ids. */
function drawPicture(draw: Random, detections: number, categories: number) {
  // A few categories have most of the boxes.
  const category = () => Math.floor((categories + 1) ** draw.next())
  const box = (): Bbox => {
    const [width, height] = [Math.exp(draw.between(1.5, 5.5)), Math.exp(draw.between(1.5, 5.5))]
    return [draw.between(0, 640 - width), draw.between(0, 480 - height), width, height]
  }
  const shown = Array.from({ length: 1 + draw.integer(6) }, category)
  const negative = Array.from({ length: 8 }, category).filter((one) => !shown.includes(one))
  const loose = shown.filter(() => draw.next() < 0.1)
  const things = Array.from({ length: Math.round(2 * meanBoxes * draw.next()) }, () => ({
    category: draw.pick(shown),
    bbox: box(),
  }))
  return {
    image: `"neg_category_ids": [${negative}], "not_exhaustive_category_ids": [${loose}]`,
    boxes: things.map(({ category, bbox }) => {
      const [x, y, width, height] = bbox
      const point = () => `${(x + width * draw.next()).toFixed(2)}, ${(y + height * draw.next()).toFixed(2)}`
      const outline = Array.from({ length: 30 }, point).join(', ')
      return `"category_id": ${category}, "bbox": [${bbox.map((side) => side.toFixed(2))}], "area": ${0.7 * width * height}, "segmentation": [[${outline}]]`
    }),
    results: Array.from({ length: detections }, (_, at) => {
      const thing = things[at >> 2]
      const other = draw.next() < 0.5 ? draw.pick(shown) : category()
      const [x, y, width, height] = thing?.bbox ?? box()
      const shift = () => 0.15 * (draw.next() - draw.next())
      const sides = [x + width * shift(), y + height * shift(), width * (1 + shift()), height * (1 + shift())]
      const own = thing && draw.next() < 0.8 ? thing.category : other
      const score = Math.fround(draw.next() * (thing ? 1 : 0.5))
      return `"category_id": ${own}, "bbox": [${sides.map(Math.fround).join(', ')}], "score": ${score}`
    }),
  }
}
