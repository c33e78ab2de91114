import { type BoxList, boxMatcher, isEqualPair, isSameScore } from './match-boxes.js'
import type { Xyxy } from './xyxy.js'

/** A box for the words of a caption. */
export interface SpannedBox {
  readonly caption: number
  readonly start: number
  readonly end: number
  readonly xyxy: Xyxy
  readonly score: number
}

/** Two regions that belong together, by their places in the two lists. */
export interface RegionPair {
  readonly before: number
  readonly after: number
  /** 1 where the boxes are equal. */
  readonly iou: number
  readonly isEqual: boolean
  readonly isSameScore: boolean
}

/**
 * What belongs together of the regions of two groundings of one picture, by the span of their phrases and as
 * `boxMatcher` matches boxes: the closest pairs first.
 */
export function matchRegions(before: readonly SpannedBox[], after: readonly SpannedBox[]): RegionPair[] {
  const spans: SpannedBox[] = []
  const pairs = boxMatcher()(boxListOf(before, spans), boxListOf(after, spans))
  return Array.from({ length: pairs.length }, (_, at): RegionPair => {
    const overlap = pairs.overlap[at] as number
    return {
      before: pairs.before[at] as number,
      after: pairs.after[at] as number,
      iou: Math.min(1, overlap),
      isEqual: isEqualPair(overlap),
      isSameScore: isSameScore(overlap),
    }
  })
}

/**
 * @param spans those that are known by now, to which others are added: a region's phrase is the place of its
 * span
 */
function boxListOf(regions: readonly SpannedBox[], spans: SpannedBox[]): BoxList {
  return {
    xyxy: Float64Array.from(regions.flatMap(({ xyxy }) => xyxy)),
    phrase: regions.map((region) => {
      const known = spans.findIndex((span) => isSameSpan(span, region))
      return known === -1 ? spans.push(region) - 1 : known
    }),
    score: regions.map(({ score }) => score),
    places: regions.map((_, at) => at),
    count: regions.length,
  }
}

const isSameSpan = (a: SpannedBox, b: SpannedBox) =>
  a.caption === b.caption && a.start === b.start && a.end === b.end
