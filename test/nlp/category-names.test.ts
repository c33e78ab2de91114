import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { categoryNames } from '../../src/nlp/category-names.js'

describe('category names', () => {
  it('are the parts of the caption, by their heads', () => {
    expect(categoryNames('person. stop sign. wine glass').map(({ text, head }) => [text, head])).toEqual([
      ['person', 'person'],
      ['stop sign', 'sign'],
      ['wine glass', 'glass'],
    ])
  })

  it('have exact spans, whatever they are made of', () => {
    const name = fc.constantFrom('dog', '犬', '🦓 zebra', 'U.S. flag', ' cat', 'a.', '', '.', "dog's")
    fc.assert(
      fc.property(fc.array(name), (names) => {
        const caption = names.join('. ')
        const points = [...caption]
        let last = 0
        for (const { text, start, end } of categoryNames(caption)) {
          expect(points.slice(start, end).join('')).toBe(text)
          expect(text.trim()).not.toBe('')
          expect(start).toBeGreaterThanOrEqual(last)
          last = end
        }
      }),
    )
  })
})
