import { areaOf } from '../boxes/iou.js'
import type { Xyxy } from '../boxes/xyxy.js'

export interface Label {
  readonly text: string
  /** The box that it names, in pixels of the drawing. */
  readonly box: Xyxy
  readonly width: number
  readonly height: number
}

export interface PlacedLabel {
  /** Index into the labels. */
  readonly index: number
  readonly x: number
  readonly y: number
}

/**
 * Places for labels at their boxes, inside the drawing and clear of each other where there is room. Small
 * boxes choose first. In a crowd, a label is left out where one with the same text stands in its way: the
 * colour says enough.
 */
export function placeLabels(labels: readonly Label[], width: number, height: number): PlacedLabel[] {
  const order = labels
    .map((_, index) => index)
    .sort((a, b) => areaOf(labels[a]!.box) - areaOf(labels[b]!.box) || a - b)
  const placed: (PlacedLabel & { readonly at: Xyxy })[] = []
  for (const index of order) {
    const label = labels[index]!
    const choices = placesFor(label, width, height).map(([x, y]) => {
      const at = [x, y, x + label.width, y + label.height] as const
      const over = placed.filter((other) => shared(at, other.at) > 0)
      return { index, x, y, at, over, covered: over.reduce((sum, other) => sum + shared(at, other.at), 0) }
    })
    const best = choices.reduce((a, b) => (b.covered < a.covered ? b : a))
    if (best.over.some((other) => labels[other.index]!.text === label.text)) continue
    placed.push(best)
  }
  return placed.map(({ index, x, y }) => ({ index, x, y }))
}

/** Above, below and inside, at the left and at the right end of the box, moved into the drawing. */
function placesFor({ box, ...label }: Label, width: number, height: number): [number, number][] {
  const [x1, y1, x2, y2] = box
  const columns = [x1, x2 - label.width]
  const rows = [y1 - label.height, y2, y1, y2 - label.height]
  const fits = (y: number) => y >= 0 && y + label.height <= height
  const places = rows
    .filter(fits)
    .flatMap((y) => columns.map((x): [number, number] => [Math.max(0, Math.min(x, width - label.width)), y]))
  return places.length > 0 ? places : [[Math.max(0, Math.min(x1, width - label.width)), 0]]
}

function shared(a: Xyxy, b: Xyxy): number {
  return areaOf([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])])
}
