import { iouThresholds } from '../each-category.js'
import { addCounts, noPairs, type PairCounts } from '../pair-counts.js'
import type { PairOutcomes, PhraseOutcomes, PictureOutcomes } from '../picture-outcomes.js'
import { scoresOfCounts } from '../presence-scores.js'
import { averagePrecisionOver } from './average-precision-over.js'
import type { PictureMetric } from './picture-metric.js'

/** The metrics that can be computed over any multiset of pictures. */
const metrics = {
  ap: ({ categories, images }) => averagePrecisionOver(categories, images, [...iouThresholds.keys()]),
  ap50: ({ categories, images }) => averagePrecisionOver(categories, images, [0]),
  ap75: ({ categories, images }) => averagePrecisionOver(categories, images, [5]),
  cgf1: ({ pairs }) => presenceOver(pairs, 'cgf1'),
  pmf1: ({ pairs }) => presenceOver(pairs, 'pmf1'),
  il_mcc: ({ pairs }) => presenceOver(pairs, 'il_mcc'),
  recall1: ({ phrases, images }) => recallOver(phrases, images, 1),
  recall5: ({ phrases, images }) => recallOver(phrases, images, 5),
  recall10: ({ phrases, images }) => recallOver(phrases, images, 10),
} satisfies Record<string, (outcomes: PictureOutcomes) => PictureMetric>

export type MetricName = keyof typeof metrics

export const metricNames = Object.keys(metrics) as [MetricName, ...MetricName[]]

/** A metric of outcomes, by its name in an evaluation. */
export function pictureMetric(name: MetricName, outcomes: PictureOutcomes): PictureMetric {
  return metrics[name](outcomes)
}

/** Recall@k of phrases. */
function recallOver({ image, rank }: PhraseOutcomes, images: number, k: number): PictureMetric {
  const phrases = new Int32Array(images)
  const found = new Int32Array(images)
  image.forEach((at, index) => {
    phrases[at]!++
    if (rank[index]! >= 0 && rank[index]! < k) found[at]!++
  })
  return {
    over(counts) {
      let all = 0
      let right = 0
      for (let at = 0; at < images; at++) {
        all += counts[at]! * phrases[at]!
        right += counts[at]! * found[at]!
      }
      return all === 0 ? -1 : right / all
    },
    seen: Array.from(found, String),
  }
}

/** A score of presence. Its counts add up; what it does not read of them is 0. */
function presenceOver(pairs: PairOutcomes, name: 'cgf1' | 'pmf1' | 'il_mcc'): PictureMetric {
  const pictures = pairs.truePresent.map(
    (truePresent, at): PairCounts => ({
      ...noPairs(),
      truePresent,
      falseAbsent: pairs.falseAbsent[at]!,
      falsePresent: pairs.falsePresent[at]!,
      trueAbsent: pairs.trueAbsent[at]!,
      matched: Float64Array.from(pairs.matched[at]!),
      missed: Float64Array.from(pairs.missed[at]!),
      wrongOfPresent: Float64Array.from(pairs.wrongOfPresent[at]!),
    }),
  )
  return {
    over(counts) {
      const sums = noPairs()
      pictures.forEach((picture, at) => {
        addCounts(sums, picture, counts[at]!)
      })
      return scoresOfCounts([sums])[name]
    },
    seen: pictures.map(
      ({ truePresent, falseAbsent, falsePresent, trueAbsent, matched, missed, wrongOfPresent }) =>
        [truePresent, falseAbsent, falsePresent, trueAbsent, matched, missed, wrongOfPresent].join(';'),
    ),
  }
}
