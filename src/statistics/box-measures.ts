import type { Xyxy } from '../boxes/xyxy.js'
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
  // Side by side: `mapBox` and `areaOf` would make an array of each box that is kept.
  const width = Math.fround(box.xyxy[2]) - Math.fround(box.xyxy[0])
  const height = Math.fround(box.xyxy[3]) - Math.fround(box.xyxy[1])
  return {
    score: Math.fround(box.score),
    // A box of the whole picture may be a rounding larger.
    area_share: Math.min(1, (Math.max(0, width) * Math.max(0, height)) / (picture.width * picture.height)),
    aspect: width / height,
  } satisfies Partial<Record<MeasureName, number>>
}
