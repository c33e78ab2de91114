import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cocoAp } from '../../../src/evaluate/coco-ap.js'
import { metricNames, pictureMetric } from '../../../src/evaluate/compare/picture-metrics.js'
import { phraseRecall } from '../../../src/evaluate/phrase-recall.js'
import { thresholdsReached, truePositivesNeeded } from '../../../src/evaluate/precision-curve.js'
import { presenceScores } from '../../../src/evaluate/presence-scores.js'
import { type Answered, allKnown, drawAnswers, outcomesOf } from '../../helpers/any-outcomes.js'

const images = 12

/** The set in which each picture stands as often as it counts, copies side by side. */
function copied({ truth, detections, phrases }: Answered, counts: readonly number[]): Answered {
  const first = counts.map((_, image) => counts.slice(0, image).reduce((sum, count) => sum + count, 0))
  const copy = <T extends { readonly image: number }>(items: readonly T[]): T[] =>
    items.flatMap((item) =>
      Array.from({ length: counts[item.image]! }, (_, at) => ({ ...item, image: first[item.image]! + at })),
    )
  return { truth: copy(truth), detections: copy(detections), phrases: copy(phrases) }
}

const scoresOf = ({ truth, detections, phrases }: Answered, copies: number) => {
  const { ap, ap50, ap75 } = cocoAp(truth, detections)
  const [recall1, recall5, recall10] = phraseRecall(phrases, [1, 5, 10])
  const { cgf1, pmf1, il_mcc } = presenceScores(allKnown(copies), [0, 1, 2, 3], truth, detections, 0.5)
  return { ap, ap50, ap75, cgf1, pmf1, il_mcc, recall1, recall5, recall10 }
}

describe('metrics over pictures', () => {
  it('are those of a set in which each picture stands as often as it counts', () => {
    const counted = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: images, maxLength: images })
    fc.assert(
      fc.property(fc.integer(), counted, (seed, counts) => {
        const answered = drawAnswers(seed, 'a', images)
        const outcomes = outcomesOf(answered, images)
        const expected = scoresOf(
          copied(answered, counts),
          counts.reduce((sum, count) => sum + count, 0),
        )
        for (const name of metricNames)
          expect(pictureMetric(name, outcomes).over(Int32Array.from(counts)), name).toBeCloseTo(
            expected[name],
            12,
          )
      }),
    )
  })

  it('do not depend on the order of the pictures, and are read back from JSON', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.shuffledSubarray([...Array(images).keys()], { minLength: images }),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: images, maxLength: images }),
        (seed, places, counts) => {
          const { truth, detections, phrases } = drawAnswers(seed, 'a', images)
          const move = <T extends { readonly image: number }>(items: readonly T[]) =>
            items
              .map((item) => ({ ...item, image: places[item.image]! }))
              .toSorted((a, b) => a.image - b.image)
          const moved = { truth: move(truth), detections: move(detections), phrases: move(phrases) }
          const movedCounts = new Int32Array(images)
          counts.forEach((count, image) => {
            movedCounts[places[image]!] = count
          })
          const before = outcomesOf({ truth, detections, phrases }, images)
          const after = JSON.parse(JSON.stringify(outcomesOf(moved, images)))
          for (const name of metricNames)
            expect(pictureMetric(name, after).over(movedCounts), name).toBeCloseTo(
              pictureMetric(name, before).over(Int32Array.from(counts)),
              12,
            )
        },
      ),
    )
  })

  it('see where two models answer alike', () => {
    const same = outcomesOf(drawAnswers(1, 'a', images), images)
    const other = outcomesOf(drawAnswers(1, 'b', images), images)
    for (const name of metricNames) {
      const { seen } = pictureMetric(name, same)
      expect(seen).toHaveLength(images)
      expect(pictureMetric(name, same).seen).toEqual(seen)
      expect(pictureMetric(name, other).seen).not.toEqual(seen)
    }
    const [first, ...rest] = drawAnswers(1, 'a', images).detections
    const shifted = { ...first!, score: first!.score / 2 }
    const { truth, phrases } = drawAnswers(1, 'a', images)
    const changed = outcomesOf({ truth, phrases, detections: [shifted, ...rest] }, images)
    const differing = pictureMetric('ap', changed).seen.filter(
      (own, image) => own !== pictureMetric('ap', same).seen[image],
    )
    expect(differing).toHaveLength(1)
  })
})

it('counts the recall thresholds that are reached as the true positives they need', () => {
  for (const positives of [1, 2, 3, 7, 50, 99, 100, 101, 1000]) {
    const needed = truePositivesNeeded(positives)
    for (let count = 0; count <= positives; count++)
      expect(thresholdsReached(count, positives)).toBe(needed.filter((least) => least <= count).length)
  }
})
