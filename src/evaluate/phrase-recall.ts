import { iou } from '../boxes/iou.js'
import type { Xyxy } from '../shards/rows.js'

export interface PhrasePrediction {
  /** Best first. */
  readonly predicted: readonly Xyxy[]
  readonly targets: readonly Xyxy[]
}

/**
 * Recall@k of phrase grounding, any-box protocol of Flickr30k Entities: a phrase is found when one of its first k
 * boxes overlaps one of its targets with an IoU of at least 0.5. Phrases without targets do not count.
 *
 * @returns 0 to 1 for each k; -1 where no phrase has a target
 */
export function phraseRecall(phrases: readonly PhrasePrediction[], ks: readonly number[]): number[] {
  const counted = phrases.filter(({ targets }) => targets.length > 0)
  return ks.map((k) => {
    if (counted.length === 0) return -1
    const found = counted.filter(({ predicted, targets }) =>
      predicted.slice(0, k).some((box) => targets.some((target) => iou(box, target) >= 0.5)),
    )
    return found.length / counted.length
  })
}
