import { expect, it } from 'vitest'
import { judgedByReview } from '../../src/audit/judged-by-review.js'
import type { Judgement } from '../../src/audit/judgements.js'
import type { ReviewEntry } from '../../src/review/review-entry.js'
import { newEntry } from '../review/entries.js'

const line = (changes: Partial<Judgement> = {}): Judgement => ({
  ...{ key: 'a', caption: 0, start: 2, end: 5, xyxy: [1, 2, 30, 40], stratum: 's', population: 9 },
  ...{ right: null, missed: null, ...changes },
})
let count = 0
const entry = (reviewer: string, changes: Partial<ReviewEntry> = {}): ReviewEntry => ({
  ...newEntry({ key: 'a', ...changes }),
  ...{ id: `s.${++count}`, at: '2026-01-01T00:00:00.000Z', reviewer },
})
const right = (...entries: ReviewEntry[]) => judgedByReview([line()], entries)[0]?.right

it('judges a sample as most reviewers do, what the file says before them', () => {
  expect(right(entry('Ann'))).toBe(true)
  expect(right(entry('Ann', { action: 'reject' }))).toBe(false)
  expect(right(entry('Ann'), entry('Bob', { action: 'reject' }))).toBeNull()
  expect(right(entry('Ann'), entry('Bob', { action: 'reject' }), entry('Cid', { action: 'reject' }))).toBe(
    false,
  )
  expect(right(entry('Ann', { action: 'redraw', redrawn: [1, 2, 30, 44] }))).toBe(true)
  expect(right(entry('Ann', { action: 'redraw', redrawn: [20, 2, 70, 44] }))).toBe(false)
  expect(right(entry('Ann', { action: 'relabel', words: { start: 2, end: 5 } }))).toBe(false)
  expect(right(entry('Ann', { xyxy: [1, 2, 9, 9] }), entry('Ann', { key: 'b' }))).toBeNull()
  expect(right(entry('Ann', { phrase: { caption: 1, start: 0, end: 5, text: '' } }))).toBeNull()
  expect(judgedByReview([line({ right: true })], [entry('Ann', { action: 'reject' })])[0]?.right).toBe(true)
})

it('counts what was missed where a reviewer has found all', () => {
  const missed = (...entries: ReviewEntry[]) => judgedByReview([line({ xyxy: null })], entries)[0]?.missed
  const add = entry('Ann', { action: 'add', xyxy: [50, 50, 60, 60] })
  expect(missed(add)).toBeNull()
  expect(missed(add, entry('Ann', { action: 'complete', xyxy: null }))).toBe(1)
  expect(missed(add, entry('Bob', { action: 'unseen', xyxy: null }))).toBe(0)
  expect(judgedByReview([line({ missed: 3 })], [add])[0]?.missed).toBe(3)
})
