import type { CategoryOutcomes } from '../picture-outcomes.js'
import { epsilon, recallPoints, thresholdsReached } from '../precision-curve.js'
import type { PictureMetric } from './picture-metric.js'

/** One category, laid out for being walked over many times. */
interface Walk {
  readonly truths: Int32Array
  readonly image: Int32Array
  /**
   * For each IoU threshold the detections that are no false positives: their places, and whether they count
   * neither way.
   */
  readonly thresholds: readonly { readonly places: Int32Array; readonly ignored: Uint8Array }[]
}

/**
 * COCO's average precision over any multiset of pictures: what `cocoAp` gives for a set in which each picture
 * stands as often as it counts. (Of boxes of one picture with the very same score the first counts first in
 * all its copies, where copies would take turns.) Categories of which the multiset has nothing to find are
 * left out of the mean.
 *
 * False positives are only counted; precision is computed at true positives, as it rises there alone.
 *
 * @param thresholds which of the IoU thresholds the mean is taken over
 */
export function averagePrecisionOver(
  categories: readonly CategoryOutcomes[],
  images: number,
  thresholds: readonly number[],
): PictureMetric {
  const walks = categories.map((category) => walkOf(category, thresholds))
  const longest = Math.max(0, ...categories.map(({ image }) => image.length))
  const before = new Int32Array(longest + 1)
  const reached = new Int32Array(longest + 1)
  const precision = new Float64Array(longest)
  return {
    over(counts) {
      let sum = 0
      let some = 0
      for (const walk of walks) {
        let positives = 0
        for (const at of walk.truths) positives += counts[at]!
        if (positives === 0) continue
        some++
        for (let place = 0; place < walk.image.length; place++)
          before[place + 1] = before[place]! + counts[walk.image[place]!]!
        for (const { places, ignored } of walk.thresholds) {
          let truePositives = 0
          let neither = 0
          let curve = 0
          for (let at = 0; at < places.length; at++) {
            const place = places[at]!
            const copies = before[place + 1]! - before[place]!
            if (copies === 0) continue
            if (ignored[at]) {
              neither += copies
              continue
            }
            // Of copies, which stand one behind the other, the last has the best precision.
            const counted = before[place + 1]! - neither
            truePositives += copies
            precision[curve] = truePositives / (counted + epsilon)
            reached[++curve] = thresholdsReached(truePositives, positives)
          }
          let best = 0
          for (let at = curve; at > 0; at--) {
            best = Math.max(best, precision[at - 1]!)
            sum += best * (reached[at]! - reached[at - 1]!)
          }
        }
      }
      return some === 0 ? -1 : sum / (some * thresholds.length * recallPoints)
    },
    seen: seenOf(categories, images, thresholds),
  }
}

function walkOf({ truths, image, matched, ignored }: CategoryOutcomes, thresholds: readonly number[]): Walk {
  return {
    truths: Int32Array.from(truths),
    image: Int32Array.from(image),
    thresholds: thresholds.map((t) => {
      const isSet = (bits: readonly number[], place: number) => ((bits[place]! >> t) & 1) === 1
      const places = [...image.keys()].filter((place) => isSet(matched, place) || isSet(ignored, place))
      return {
        places: Int32Array.from(places),
        ignored: Uint8Array.from(places, (place) => (isSet(ignored, place) ? 1 : 0)),
      }
    }),
  }
}

/** Of each picture its detections with what became of them. */
function seenOf(
  categories: readonly CategoryOutcomes[],
  images: number,
  thresholds: readonly number[],
): string[] {
  const mask = thresholds.reduce((bits, t) => bits | (1 << t), 0)
  const seen = new Array<string>(images).fill('')
  categories.forEach(({ image, score, matched, ignored }, category) => {
    image.forEach((at, place) => {
      seen[at] += `${category} ${score[place]} ${matched[place]! & mask} ${ignored[place]! & mask};`
    })
  })
  return seen
}
