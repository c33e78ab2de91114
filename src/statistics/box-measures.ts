import { areaOf } from '../boxes/iou.js'
import { mapBox, type Xyxy } from '../boxes/xyxy.js'
import type { MeasureName } from './measures.js'

/**
 * What is measured of a box, in float32 as it is once stored.
 *
 * @param picture its size in pixels
 * @param box x1 y1 x2 y2 in pixels, and its score
 */
export function boxMeasures(
  picture: { readonly width: number; readonly height: number },
  box: { readonly xyxy: Xyxy; readonly score: number },
) {
  const xyxy = mapBox(box.xyxy, Math.fround)
  return {
    score: Math.fround(box.score),
    // A box of the whole picture may be a rounding larger.
    area_share: Math.min(1, areaOf(xyxy) / (picture.width * picture.height)),
    aspect: (xyxy[2] - xyxy[0]) / (xyxy[3] - xyxy[1]),
  } satisfies Partial<Record<MeasureName, number>>
}
