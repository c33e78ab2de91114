import type { NewReviewEntry } from '../../src/review/review-log.js'

/** An entry about a box of the first phrase of a picture, unless it says something else. */
export const newEntry = (changes: Partial<NewReviewEntry> = {}): NewReviewEntry => ({
  key: '000000000',
  action: 'accept',
  phrase: { caption: 0, start: 0, end: 5, text: 'a cat' },
  xyxy: [1, 2, 30, 40],
  redrawn: null,
  words: null,
  stage: 'teacher',
  undoes: null,
  ...changes,
})
