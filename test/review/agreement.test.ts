import { describe, expect, it } from 'vitest'
import { agreementOf, cohensKappa } from '../../src/review/agreement.js'
import type { ReviewEntry } from '../../src/review/review-entry.js'
import { reviewStatus } from '../../src/review/review-status.js'
import { newEntry } from './entries.js'

let count = 0
const entry = (reviewer: string, changes: Partial<ReviewEntry> = {}): ReviewEntry => ({
  ...newEntry(changes),
  ...{ id: `s.${++count}`, at: changes.at ?? new Date(count * 1000).toISOString(), reviewer },
})
const said = (reviewer: string, verdicts: string) =>
  [...verdicts].map((one, at) =>
    entry(reviewer, { key: `p${at}`, action: one === '+' ? 'accept' : 'reject' }),
  )

describe('agreement of reviewers', () => {
  it('is kappa as it was published', () => {
    // Cohen's kappa of the table 20 5 / 10 15 is 0.4: p = 0.7, e = 0.5.
    const a = `${'+'.repeat(25)}${'-'.repeat(25)}`
    const b = `${'+'.repeat(20)}${'-'.repeat(5)}${'+'.repeat(10)}${'-'.repeat(15)}`
    const { pairs, boxes } = agreementOf([...said('Ann', a), ...said('Bob', b)])
    expect(pairs).toMatchObject([{ reviewers: ['Ann', 'Bob'], boxes: { both: 50, agreed: 35 } }])
    expect(pairs[0]?.boxes.kappa).toBeCloseTo(0.4, 12)
    expect(boxes).toBeCloseTo(0.4, 12)
  })

  it('is that of pairs, whose kappas have a mean; none where all is one and the same', () => {
    const { pairs, boxes } = agreementOf([
      ...said('Ann', '+-+-'),
      ...said('Bob', '+-+-+'),
      ...said('Cid', '-+'),
    ])
    expect(pairs.map(({ reviewers, boxes: { both, kappa } }) => [...reviewers, both, kappa])).toEqual([
      ['Ann', 'Bob', 4, 1],
      ['Ann', 'Cid', 2, -1],
      ['Bob', 'Cid', 2, -1],
    ])
    expect(boxes).toBeCloseTo(-1 / 3, 12)
    expect(agreementOf([...said('Ann', '++'), ...said('Bob', '++')]).pairs[0]?.boxes.kappa).toBeNull()
    expect(cohensKappa(new Map([['a', 1]]), new Map([['b', 1]]))).toEqual({ both: 0, agreed: 0, kappa: null })
  })

  it('is there where both have drawn alone, and not where each has said something else', () => {
    const drawn = (who: string) => entry(who, { action: 'add', key: 'drawn' })
    const { pairs } = agreementOf([drawn('Ann'), drawn('Bob'), entry('Cid', { key: 'other' })])
    expect(pairs.map(({ reviewers, added }) => [...reviewers, added.both])).toEqual([['Ann', 'Bob', 1]])
  })

  it('is the overlap of drawn boxes, and what was said of phrases', () => {
    const both = (who: string, x: number) => [
      entry(who, { action: 'redraw', redrawn: [0, 0, 10, 10 + x] }),
      entry(who, { action: 'add', xyxy: [0, 0, 10, 10 + x] }),
      entry(who, { action: 'add', xyxy: [50 + 50 * x, 0, 60 + 50 * x, 10] }),
      entry(who, { action: x > 0 ? 'complete' : 'unseen', xyxy: null }),
    ]
    const [pair] = agreementOf([...both('Ann', 0), ...both('Bob', 10)]).pairs
    expect(pair).toMatchObject({
      redrawn: { both: 1, iou: 0.5 },
      added: { both: 1, iou: 0.5 },
      phrases: { both: 1, agreed: 0, kappa: 0 },
    })
  })
})

describe('the status of a review', () => {
  it('counts what holds by reviewer, and verdicts an hour without pauses', () => {
    const at = (seconds: number) => new Date(seconds * 1000).toISOString()
    const entries = [
      entry('Ann', { key: 'a', at: at(0) }),
      entry('Ann', { key: 'a', action: 'reject', at: at(2) }),
      entry('Ann', { key: 'a', action: 'done', phrase: null, xyxy: null, at: at(3) }),
      entry('Ann', { key: 'b', at: at(4) }),
      entry('Ann', { key: 'c', at: at(1000) }),
      entry('Ann', { key: 'd', at: at(1004) }),
      entry('Bob', { key: 'a', action: 'unseen', xyxy: null, at: at(9) }),
    ]
    const { pictures, reviewers } = reviewStatus('first', entries)
    expect(pictures).toBe(4)
    expect(reviewers).toMatchObject([
      {
        reviewer: 'Ann',
        entries: 6,
        pictures: 4,
        done: 1,
        said: { accept: 3, reject: 1, unseen: 0 },
        anHour: 1350,
      },
      { reviewer: 'Bob', pictures: 1, said: { unseen: 1 }, anHour: null, last: at(9) },
    ])
  })
})
