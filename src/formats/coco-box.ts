import { numberOf, numbersOf } from './box-numbers.js'
import { maskBox, polygonBox, type Xywh } from './outline-box.js'

/**
 * The box of an annotation in COCO's form, without nulls: its `bbox`, whose numbers may be texts; where there
 * is none (or it is empty, or of no size, as COCO Annotator leaves it), what encloses its `segmentation`, by
 * polygons or by runs, as labelme, FiftyOne and VIA write it.
 *
 * @returns undefined where there is neither, or where a number of it is none or is not finite
 */
export function cocoBox(annotation: {
  readonly bbox?: unknown
  readonly segmentation?: unknown
}): Xywh | undefined {
  const { bbox, segmentation } = annotation
  const isLeftOut = bbox === undefined || (Array.isArray(bbox) && bbox.length === 0)
  const box = isLeftOut ? undefined : numbersOf(bbox)
  if (!isLeftOut && box?.length !== 4) return undefined
  const [x = 0, y = 0, width = 0, height = 0] = box ?? []
  const own: Xywh | undefined = box && [x, y, width, height]
  if (own && (width !== 0 || height !== 0)) return own
  return outlineBox(segmentation) ?? own
}

/** What encloses a segmentation, in COCO's form. */
function outlineBox(segmentation: unknown): Xywh | undefined {
  if (Array.isArray(segmentation)) {
    // VIA writes one polygon without the list around it.
    const polygons = Array.isArray(segmentation[0]) ? segmentation : [segmentation]
    const points = polygons.flatMap((polygon) => numbersOf(polygon) ?? [Number.NaN])
    return polygonBox(points)
  }
  const { counts, size } = Object(segmentation) as { readonly counts?: unknown; readonly size?: unknown }
  const height = Array.isArray(size) ? numberOf(size[0]) : undefined
  const runs = typeof counts === 'string' ? counts : numbersOf(counts)
  return height && runs ? maskBox(runs, height) : undefined
}
