import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { iou } from '../../src/boxes/iou.js'
import { type BoxList, boxMatcher, isEqualPair, isSameScore } from '../../src/boxes/match-boxes.js'
import { matchRegions, type SpannedBox } from '../../src/boxes/match-regions.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'

const region = fc
  .record({
    phrase: fc.constantFrom(0, 1),
    x: fc.integer({ min: 0, max: 4 }),
    wide: fc.constantFrom(40, 44),
    score: fc.constantFrom(0.5, 0.6),
  })
  .map(({ phrase, x, wide, score }): SpannedBox => {
    return { caption: 0, start: phrase, end: phrase + 1, score, xyxy: [10 * x, 0, 10 * x + wide, 40] }
  })
const regions = (maxLength: number, minLength = 0) => fc.array(region, { minLength, maxLength })

/** The rule in plain words: all pairs that may belong together, sorted, and each box taken once. */
function plainPairs(before: readonly SpannedBox[], after: readonly SpannedBox[]) {
  const pairs = before.flatMap((a, one) =>
    after.flatMap((b, other) => {
      const isEqual = String(a.xyxy) === String(b.xyxy)
      const rank = isEqual ? (a.score === b.score ? 3 : 2) : iou(a.xyxy, b.xyxy)
      return a.start === b.start && rank >= 0.5 ? [{ one, other, rank }] : []
    }),
  )
  const [ones, others] = [new Set<number>(), new Set<number>()]
  return pairs
    .sort((a, b) => b.rank - a.rank)
    .filter(({ one, other }) => {
      const isFree = !ones.has(one) && !others.has(other)
      if (isFree) {
        ones.add(one)
        others.add(other)
      }
      return isFree
    })
}

/** Regions in flat arrays, in a place that is not their own. */
function listOf(all: readonly SpannedBox[]): BoxList {
  return {
    xyxy: Float32Array.from([0, 0, 0, 0, ...all.flatMap(({ xyxy }) => xyxy)]),
    phrase: Uint32Array.from([9, ...all.map(({ start }) => start)]),
    places: all.map((_, at) => at + 1),
    count: all.length,
  }
}

describe('matching the boxes of two groundings', () => {
  it('takes the closest pairs of one phrase first, each box once, of few boxes and of many', () => {
    // Of 25 and more there are more pairs than the arrays hold at first, and they are sorted otherwise.
    for (const [least, most] of [
      [0, 6],
      [25, 40],
    ] as const) {
      fc.assert(
        fc.property(regions(most, least), regions(most, least), (before, after) => {
          const pairs = matchRegions(before, after)
          expect(pairs.map((pair) => [pair.before, pair.after])).toEqual(
            plainPairs(before, after).map(({ one, other }) => [one, other]),
          )
        }),
        { numRuns: 60 },
      )
    }
  })

  it('finds as many equal and moved boxes where it knows no scores, picture after picture', () => {
    const match = boxMatcher()
    fc.assert(
      fc.property(regions(12), regions(12), (before, after) => {
        const { length, overlap } = match(listOf(before), listOf(after))
        const expected = matchRegions(before, after)
        expect(length).toBe(expected.length)
        const ranks = Array.from({ length }, (_, at) => overlap[at] as number)
        expect(ranks.filter(isEqualPair)).toHaveLength(expected.filter(({ isEqual }) => isEqual).length)
      }),
    )
  })

  it('matches those of an IoU of one half, and of one span of one caption alone', () => {
    const of = (change: Partial<SpannedBox>): SpannedBox => {
      return { caption: 1, start: 2, end: 3, score: 0.5, xyxy: [0, 0, 40, 40], ...change }
    }
    const pairsOf = (change: Partial<SpannedBox>) => matchRegions([of({})], [of(change)]).length
    expect(pairsOf({ xyxy: [0, 0, 20, 40] })).toBe(1)
    expect(pairsOf({ xyxy: [0, 0, 19.9, 40] })).toBe(0)
    for (const other of [{ caption: 0 }, { start: 1 }, { end: 4 }]) expect(pairsOf(other)).toBe(0)
    // Whichever of them comes first.
    expect(matchRegions([of({ end: 4 }), of({})], [of({}), of({ caption: 0 })])).toEqual([
      { before: 1, after: 0, iou: 1, isEqual: true, isSameScore: true },
    ])
  })

  it('takes boxes for equal that have all four sides in common', () => {
    const xyxy = [1, 2, 31, 42] as const
    const at = (sides: readonly number[]) =>
      ({ caption: 0, start: 0, end: 1, score: 0.5, xyxy: sides }) as unknown as SpannedBox
    for (let side = 0; side < 4; side++) {
      const moved = xyxy.map((value, index) => (index === side ? value + 1 : value))
      const [pair] = matchRegions([at(xyxy)], [at(moved)])
      expect(pair).toMatchObject({ isEqual: false, isSameScore: false })
      expect(pair.iou).toBe(iou(xyxy, moved as unknown as Xyxy))
    }
  })

  it('takes no scores for the same where one list has none', () => {
    const list = listOf([{ caption: 0, start: 0, end: 1, score: 0.5, xyxy: [0, 0, 40, 40] }])
    const scored = { ...list, score: Float32Array.from([0, 0.5]) }
    const overlapOf = (before: BoxList, after: BoxList) => boxMatcher()(before, after).overlap[0]
    expect(
      [overlapOf(scored, scored), overlapOf(scored, list), overlapOf(list, scored)].map(isSameScore),
    ).toEqual([true, false, false])
  })

  it('tells equal boxes from moved ones, and those with another score', () => {
    const at = (x: number, score: number, start = 0): SpannedBox => {
      return { caption: 0, start, end: start + 1, score, xyxy: [x, 0, x + 40, 40] }
    }
    const before = [at(0, 0.5), at(100, 0.5), at(200, 0.5), at(300, 0.5)]
    const after = [at(300, 0.5, 7), at(210, 0.5), at(100, 0.9), at(0, 0.5)]
    expect(matchRegions(before, after)).toEqual([
      { before: 0, after: 3, iou: 1, isEqual: true, isSameScore: true },
      { before: 1, after: 2, iou: 1, isEqual: true, isSameScore: false },
      { before: 2, after: 1, iou: 0.6, isEqual: false, isSameScore: false },
    ])
  })
})
