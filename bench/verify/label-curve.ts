/** How precise the regions of a grounding are at each recall, by their scores. */
import type { GroundedPicture } from '../../src/audit/grounded-pictures.js'
import { type PictureTruth, spanKey } from '../../src/audit/truth.js'
import { iou } from '../../src/boxes/iou.js'
import { liesIn } from '../../src/boxes/lies-in.js'
import { leastIou } from '../../src/boxes/match-boxes.js'

export interface CurvePoint {
  readonly score: number
  readonly regions: number
  readonly precision: number
  readonly recall: number
}

/** Points from the surest region on; regions of one score come together. */
export type LabelCurve = readonly CurvePoint[]

/**
 * A region is right where it overlaps a thing that its phrase names by an IoU of 0.5, as an audit has it; a thing is
 * found once a phrase that names it has a right region on it. Regions of phrases that the truth has not are left out.
 */
export async function labelCurve(
  pictures: AsyncIterable<GroundedPicture>,
  truthOf: (picture: GroundedPicture) => PictureTruth | undefined,
): Promise<LabelCurve> {
  const regions: { readonly score: number; readonly right: boolean; readonly found: readonly string[] }[] = []
  let named = 0
  for await (const picture of pictures) {
    const truth = truthOf(picture)
    if (!truth) continue
    for (const [at, { caption, start, end }] of picture.phrases.entries()) {
      const span = spanKey(caption, start, end)
      const objects = truth.mentions.get(span)
      if (!objects) continue
      named += objects.length
      for (const { phrase, score, xyxy } of picture.regions) {
        if (phrase !== at) continue
        const hits = objects.filter((object) => iou(truth.objects[object]!.xyxy, xyxy) >= leastIou)
        if (hits.length === 0 && liesIn(xyxy, truth.unsure?.get(span) ?? [])) continue
        const found = hits.map((object) => `${picture.key}/${at}/${object}`)
        regions.push({ score, right: hits.length > 0, found })
      }
    }
  }
  regions.sort((a, b) => b.score - a.score)
  const found = new Set<string>()
  const points: CurvePoint[] = []
  let right = 0
  regions.forEach((region, at) => {
    right += region.right ? 1 : 0
    for (const one of region.found) found.add(one)
    if (regions[at + 1]?.score === region.score) return
    points.push({
      ...{ score: region.score, regions: at + 1 },
      ...{ precision: right / (at + 1), recall: found.size / Math.max(1, named) },
    })
  })
  return points
}

/** The most precise point of those that reach a recall; undefined where none does. */
export function precisionAt(curve: LabelCurve, recall: number): CurvePoint | undefined {
  let best: CurvePoint | undefined
  for (const point of curve)
    if (point.recall >= recall && (!best || point.precision > best.precision)) best = point
  return best
}

/** The point with the best F1. */
export const bestPoint = (curve: LabelCurve): CurvePoint | undefined =>
  [...curve].sort((a, b) => f1(b) - f1(a))[0]

const f1 = ({ precision, recall }: CurvePoint) =>
  (2 * precision * recall) / Math.max(1e-12, precision + recall)
