import { describe, expect, it } from 'vitest'
import { random } from '../../../src/base/random.js'
import { boxMoves } from '../../../src/inspect/index/box-moves.js'
import { pairCounter, pairsOf } from '../../../src/inspect/index/count-changes.js'
import { type LayerPart, layerPartBuilder } from '../../../src/inspect/index/index-part.js'
import { pairMoves } from '../../../src/inspect/index/pair-moves.js'
import { lastPlace, placeCount, placesBetween } from '../../../src/inspect/index/slider-places.js'
import { StringTable } from '../../../src/inspect/index/string-table.js'
import { isKept } from '../../../src/inspect/view/threshold.js'

const thresholds = Array.from({ length: placeCount + 1 }, (_, place) => place / placeCount)

describe('places of the slider', () => {
  it('are told from all that lies between them', () => {
    for (const [place, threshold] of thresholds.entries()) {
      expect(placesBetween(0, threshold)).toEqual({ start: 0, end: place, sign: 1 })
      expect(Number(String(threshold))).toBe(threshold)
    }
    expect(placesBetween(0.41, 0.3)).toEqual({ start: 30, end: 41, sign: -1 })
    for (const odd of [0.355, 0.1 + 0.2, -0.01, 1.01]) expect(placesBetween(0, odd)).toBeUndefined()
  })

  it('say at which of them a box is kept', () => {
    const draw = random(1, 'places')
    const scores = Array.from({ length: 300 }, () => draw.next())
    for (const score of [...scores, ...scores.map(Math.fround), ...thresholds, -1, 1.5])
      for (const [place, threshold] of thresholds.entries()) {
        expect(isKept(-1, score, threshold)).toBe(place <= lastPlace(score))
        expect(isKept(score, 2, threshold)).toBe(place > lastPlace(score))
      }
  })
})

/** A part of rows with boxes at random, kept between two thresholds. @param scores of which those are drawn */
function part(seed: number, rows: number, boxes: number, scores: readonly number[]): LayerPart {
  const draw = random(seed, 'part')
  const phrase = { caption: 0, text: 'a dog', head: 'dog', start: 0, end: 5 }
  const passing = () =>
    Array.from({ length: boxes }, () => {
      const x = draw.integer(8)
      const [from, to] = [draw.pick(scores), draw.pick(scores)].sort((a, b) => a - b) as [number, number]
      const xyxy: [number, number, number, number] = [x, 0, x + 20, 20]
      return { phrase: 0, xyxy, score: to, from: draw.next() < 0.5 ? -1 : from, to }
    })
  const builder = layerPartBuilder({ passing }, new StringTable(), new StringTable())
  for (let row = 0; row < rows; row++) builder.add({ width: 64, height: 64, phrases: [phrase], boxes: [] })
  return builder.build()
}

describe('moves of the slider', () => {
  const draw = random(2, 'scores')
  const scores = Array.from({ length: 40 }, () => draw.next())
  const cases = {
    'of few boxes': [part(1, 30, 5, scores), part(2, 30, 5, scores)],
    'of more boxes than a byte counts, at one place': [part(3, 2, 400, [0.5]), part(4, 2, 300, [0.5, 0.7])],
  } satisfies Record<string, [LayerPart, LayerPart]>

  for (const [name, [before, after]] of Object.entries(cases)) {
    it(`sum up to the boxes that are kept, ${name}`, () => {
      for (const { rows, boxStart, boxFrom, boxTo, ...bins } of [before, after]) {
        const { going, coming } = boxMoves({ rows, boxStart, boxFrom, boxTo, ...bins })
        const kept = (place: number) =>
          Array.from({ length: rows }, (_, row) => {
            let count = 0
            for (let box = boxStart[row]!; box < boxStart[row + 1]!; box++)
              if (isKept(boxFrom?.[box] ?? -1, boxTo[box]!, thresholds[place]!)) count++
            return count
          })
        const sums = kept(0)
        for (let place = 0; place < placeCount; place++) {
          for (let at = going.start[place]!; at < going.start[place + 1]!; at++) sums[going.row[at]!]!--
          if (coming)
            for (let at = coming.start[place]!; at < coming.start[place + 1]!; at++) sums[coming.row[at]!]!++
          expect(sums).toEqual(kept(place + 1))
        }
      }
    })

    it(`sum up to the pairs that are counted, ${name}`, () => {
      const pairs = pairsOf(before, after)
      const moves = pairMoves(before, after, pairs)
      const count = pairCounter()
      const counted = (place: number) =>
        Array.from({ length: before.rows }, (_, row) => {
          const t = thresholds[place]!
          const { kept, moved, before: old, after: now } = count(before, t, after, t, row, pairs)
          return { kept, moved, lost: old - kept - moved, added: now - kept - moved }
        })
      const sums = counted(0)
      for (let place = 0; place < placeCount; place++) {
        for (let at = moves.start[place]!; at < moves.start[place + 1]!; at++) {
          const sum = sums[moves.row[at]!]!
          for (const change of ['kept', 'moved', 'lost', 'added'] as const) sum[change] += moves[change][at]!
        }
        expect(sums).toEqual(counted(place + 1))
      }
    })
  }
})
