import { iou } from '../boxes/iou.js'
import type { Xyxy } from '../boxes/xyxy.js'

export interface PhrasePrediction {
  /** Best first. */
  readonly predicted: readonly Xyxy[]
  readonly targets: readonly Xyxy[]
}

/**
 * Recall@k of phrase grounding, any-box protocol of Flickr30k Entities: a phrase is found when one of its
 * first k boxes overlaps one of its targets with an IoU of at least 0.5. Phrases without targets do not
 * count.
 *
 * @param ks Infinity for the upper bound over all boxes
 * @returns 0 to 1 for each k; -1 where no phrase has a target
 */
export function phraseRecall<const Ks extends readonly number[]>(
  phrases: readonly PhrasePrediction[],
  ks: Ks,
): { -readonly [At in keyof Ks]: number } {
  const ranks = phrases.filter(({ targets }) => targets.length > 0).map(rankOf)
  const recalls = ks.map((k) =>
    ranks.length === 0 ? -1 : ranks.filter((rank) => rank < k).length / ranks.length,
  )
  return recalls as { -readonly [At in keyof Ks]: number }
}

/** Place of the first box that is right, from 0; Infinity where none is. */
export function rankOf({ predicted, targets }: PhrasePrediction): number {
  const first = predicted.findIndex((box) => targets.some((target) => iou(box, target) >= 0.5))
  return first < 0 ? Number.POSITIVE_INFINITY : first
}
