import { nms } from '../boxes/nms.js'
import type { Xyxy } from '../boxes/xyxy.js'
import type { DetectOptions } from './teacher.js'

/** Candidates that go into suppression at most: PRE_NMS_TOP_N of GLIP's configuration. */
const candidatesKept = 1000

interface Scored {
  readonly xyxy: Xyxy
  readonly score: number
}

/** The best boxes of one phrase after non-maximum suppression, best first, at most `max_boxes`. */
export function keepBest<T extends Scored>(candidates: readonly T[], options: DetectOptions): T[] {
  const best = [...candidates].sort((a, b) => b.score - a.score).slice(0, candidatesKept)
  return nms(best, options.nms)
    .slice(0, options.max_boxes)
    .map((index) => best[index]!)
}

/** Corners of a box given by centre and size, both as shares of (width, height). */
export function cornersOf(boxes: Float32Array, index: number, width: number, height: number): Xyxy {
  const at = 4 * index
  const [x, y, w, h] = [boxes[at]!, boxes[at + 1]!, boxes[at + 2]!, boxes[at + 3]!]
  return [(x - 0.5 * w) * width, (y - 0.5 * h) * height, (x + 0.5 * w) * width, (y + 0.5 * h) * height]
}
