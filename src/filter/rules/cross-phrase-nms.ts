import { iou } from '../../boxes/iou.js'
import type { Rule } from './rule.js'
import { suppress } from './suppress.js'

/**
 * Of the boxes of one caption's phrases that overlap by more than an IoU of `iou`, keeps the best: one thing, one name
 * (Kosmos-2). Two occurrences of the same words name the same things, so these leave each other alone; so do captions,
 * each of which tells of the whole picture.
 */
export function crossPhraseNms({ iou: most }: { readonly iou: number }): Rule {
  return (candidates, { phrases }) =>
    suppress(
      candidates,
      ({ phrase }) => phrases[phrase].caption,
      (a, b) =>
        (a.phrase === b.phrase || phrases[a.phrase].text !== phrases[b.phrase].text) &&
        iou(a.xyxy, b.xyxy) > most,
    )
}
