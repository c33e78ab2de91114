import { describe, expect, it } from 'vitest'
import { foundIn, readCaptions, writeCaptions } from './caption-table.js'

/**
 * Captions of many kinds and all that is found in each, so that no branch changes unseen. New ones are added to
 * fixtures/captions.tsv by themselves; `WRITE_CAPTIONS=1 npx vitest run test/nlp/caption-table` writes anew what
 * stands behind all of them. Read the difference before it is committed.
 */
if (process.env.WRITE_CAPTIONS) writeCaptions()

/** A failure says few rows, and a change that breaks a kind is noticed before all of it is read. */
const rowsAtOnce = 12

describe('what is found in captions', () => {
  for (const { title, rows } of readCaptions()) {
    for (let first = 0; first < rows.length; first += rowsAtOnce) {
      it(`${title}, from row ${first + 1}`, () => {
        const wrong = rows
          .slice(first, first + rowsAtOnce)
          .map(({ caption, phrases }) => ({ caption, expected: phrases, got: foundIn(caption) }))
          .filter(({ expected, got }) => got !== expected)
        expect(wrong).toEqual([])
      })
    }
  }
})
