import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedPhrases, type PhraseChanges } from '../../src/filter/changed-phrases.js'

const ways = ['lost', 'added', 'moved'] as const
const change = fc.record({
  // Some phrases are frequent, and most are not.
  text: fc.oneof(
    fc.constantFrom('a dog', 'a cat', '__proto__'),
    fc.integer({ min: 0, max: 60 }).map((at) => `thing ${at}`),
  ),
  way: fc.constantFrom(...ways),
})
/** Several changes of a phrase one after another, so that what is forgotten is not always one. */
const runs = fc
  .array(fc.tuple(change, fc.integer({ min: 1, max: 6 })), { minLength: 30, maxLength: 200, size: 'max' })
  .map((own) => own.flatMap(([one, times]) => Array.from({ length: times }, () => one)))
const sum = ({ lost, added, moved }: PhraseChanges) => lost + added + moved

function truth(changes: readonly { readonly text: string; readonly way: (typeof ways)[number] }[]) {
  const all = new Map<string, { lost: number; added: number; moved: number }>()
  for (const { text, way } of changes) {
    const counts = all.get(text) ?? { lost: 0, added: 0, moved: 0 }
    counts[way]++
    all.set(text, counts)
  }
  return all
}

describe('changed phrases', () => {
  it('are counted exactly, most changes first, while there is room', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200, size: 'max' }), (changes) => {
        const counted = changedPhrases(100)
        for (const { text, way } of changes) counted.add(text, way)
        const expected = truth(changes)
        const top = counted.top(Number.POSITIVE_INFINITY)
        expect(new Map(top)).toEqual(expected)
        expect(counted.error()).toBe(0)
        for (let at = 1; at < top.length; at++)
          expect(sum(top[at - 1][1])).toBeGreaterThanOrEqual(sum(top[at][1]))
        expect(counted.top(2)).toEqual(top.slice(0, 2))
      }),
    )
  })

  it('are forgotten beyond it, within the error that is told', () => {
    let forgot = 0
    fc.assert(
      fc.property(runs, (changes) => {
        const limit = 5
        const counted = changedPhrases(limit)
        for (const { text, way } of changes) counted.add(text, way)
        const top = counted.top(Number.POSITIVE_INFINITY)
        expect(top.length).toBeLessThanOrEqual(2 * limit)
        const told = new Map(top)
        for (const [text, counts] of truth(changes)) {
          const own = told.get(text) ?? { lost: 0, added: 0, moved: 0 }
          for (const way of ways) expect(own[way]).toBeLessThanOrEqual(counts[way])
          expect(sum(counts)).toBeLessThanOrEqual(sum(own) + counted.error())
        }
        if (counted.error() > 0) forgot++
      }),
    )
    expect(forgot).toBeGreaterThan(0)
  })
})
