import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RuleConfig, ruleSchema } from '../../src/filter/config.js'
import { createRowFilter } from '../../src/filter/filter-proposals.js'
import { ledgerLine, ledgerPlaces } from '../../src/filter/ledger-line.js'
import { type FilteredRow, whyAbsent } from '../../src/filter/why-absent.js'
import type { Proposal, Region, Xyxy } from '../../src/shards/rows.js'

const phrases = [0, 1].map((phrase) => ({
  ...{ caption: 0, text: 'a dog', start: 6 * phrase, end: 6 * phrase + 5, head: 'dog' },
}))
const image = { width: 100, height: 100, phrases }
const proposal: fc.Arbitrary<Proposal> = fc
  .tuple(fc.constantFrom(0, 1), fc.integer({ min: -6, max: 12 }), fc.integer({ min: 1, max: 20 }))
  .map(([phrase, x, score]) => ({
    ...{ phrase, score: score / 20, label: null },
    xyxy: [10 * x, 10, 10 * x + 40, 50],
  }))
const rules: RuleConfig[] = [
  { rule: 'soft_nms', method: 'gaussian', sigma: 0.5, iou: 0.3, min: 0.1 },
  { rule: 'score', min: 0.3 },
  { rule: 'nms', iou: 0.5 },
  { rule: 'max_boxes', phrase: 1 },
].map((rule) => ruleSchema.parse(rule))

const filtered = async (proposals: readonly Proposal[]) =>
  (await createRowFilter(rules, {}, true)([{ candidates: proposals, image }]))[0]

describe("a filter's ledger of single boxes", () => {
  it('has every box that is not kept once, under the reason that counts it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(proposal, { maxLength: 12 }), async (proposals) => {
        const { kept, dropped, places = {} } = await filtered(proposals)
        const counts = Object.entries(places).map(([reason, own]) => [reason, own.length])
        expect(Object.fromEntries(counts)).toEqual(dropped)
        const gone = Object.values(places).flat()
        expect(new Set(gone).size).toBe(gone.length)
        expect(gone.length + kept.length).toBe(proposals.length)
        // What is kept are the others: cut off at the edge, and perhaps with another score.
        const cut = ({ phrase, xyxy: [x1, y1, x2, y2] }: Proposal) =>
          [phrase, Math.max(0, x1), y1, Math.min(100, x2), y2].join()
        const left = proposals.filter((_, place) => !gone.includes(place))
        expect(left.map(cut).sort()).toEqual([...kept].map(cut).sort())
        for (const place of places.outside ?? []) {
          const [x1, , x2] = proposals[place].xyxy
          expect(x2 <= 0 || x1 >= 100).toBe(true)
        }
      }),
    )
  })

  it('is written as a line that is read back; lines of older versions name no places', () => {
    expect(ledgerPlaces(ledgerLine(2, 4, [0, 3]))).toEqual([0, 3])
    expect(ledgerPlaces('2 of 4 boxes')).toBeUndefined()
    expect(ledgerPlaces('a caption: 3')).toBeUndefined()
  })
})

const region = (xyxy: Xyxy, phrase = 0): Region => ({
  ...{ caption: 0, phrase: 7, start: 6 * phrase, end: 6 * phrase + 5, xyxy, score: 0.9, origin: 'other' },
})

describe('why a grounding lacks a box of another', () => {
  const proposals = [
    { phrase: 0, xyxy: [0, 0, 10, 10] as Xyxy, score: 0.5 },
    { phrase: 0, xyxy: [1, 0, 11, 10] as Xyxy, score: 0.4 },
    { phrase: 1, xyxy: [50, 50, 60, 60] as Xyxy, score: 0.3 },
  ]
  const droppedBy = new Map([
    [1, 'nms'],
    [2, 'score'],
  ])
  const row: FilteredRow = { phrases, proposals, droppedBy }

  it('is the rule that dropped the proposal nearest to it, by the span of its phrase', () => {
    expect(whyAbsent(region([1, 0, 11, 10]), row)).toBe('nms')
    expect(whyAbsent(region([50, 50, 60, 61], 1), row)).toBe('score')
    // Another phrase's box, however near.
    expect(whyAbsent(region([50, 50, 60, 60]), row)).toBe('no_proposal')
    expect(whyAbsent(region([0, 0, 10, 10]), row)).toBe('another_box')
    expect(whyAbsent({ ...region([0, 0, 10, 10]), caption: 1 }, row)).toBe('no_phrase')
    expect(whyAbsent(region([0, 0, 10, 10]), undefined)).toBe('unknown')
  })
})
