import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { distinctPhrases } from '../../src/nlp/distinct-phrases.js'

const phrases = (texts: readonly string[]) => texts.map((text) => ({ text }))

describe('phrases that say the same', () => {
  it('are asked once, whatever their case, white space and composition', () => {
    expect(distinctPhrases(phrases(['A café', 'a cat', 'a  cafe\u0301']))).toEqual([
      { text: 'a café', occurrences: [0, 2] },
      { text: 'a cat', occurrences: [1] },
    ])
  })

  it('keep every occurrence, once and in order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a dog', 'A dog', 'a cat', '__proto__')), (texts) => {
        const groups = distinctPhrases(phrases(texts))
        const all = groups.flatMap(({ occurrences }) => occurrences)
        expect([...all].sort((a, b) => a - b)).toEqual(texts.map((_, index) => index))
        for (const { text, occurrences } of groups) {
          expect(occurrences).toEqual([...occurrences].sort((a, b) => a - b))
          for (const index of occurrences) expect(texts[index].toLowerCase()).toBe(text)
        }
        expect(new Set(groups.map(({ text }) => text)).size).toBe(groups.length)
      }),
    )
  })
})
