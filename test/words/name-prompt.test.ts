import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinNames, splitNames } from '../../src/words/name-prompt.js'

describe('a prompt of names', () => {
  it('has a full stop and a space between names, and nothing after the last', () => {
    expect(joinNames(['bird', 'red 🚗', 'zebra'])).toEqual({
      text: 'bird. red 🚗. zebra',
      spans: [
        [0, 4],
        [6, 11],
        [13, 18],
      ],
    })
    expect(joinNames([])).toEqual({ text: '', spans: [] })
  })

  it('is taken apart into the names that it was joined of, each where it stands', () => {
    const name = fc
      .array(fc.constantFrom('a', 'Z', 'é', '🦓', ' ', '.', '-'), { minLength: 1, maxLength: 8 })
      .map((points) => points.join(''))
      .filter(
        (text) => !`${text}. `.slice(0, -2).includes('. ') && !text.endsWith('.') && !text.startsWith(' '),
      )
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 8 }), (names) => {
        const { text, spans } = joinNames(names)
        expect(splitNames(text)).toEqual(names.map((own, index) => ({ name: own, span: spans[index] })))
        const points = [...text]
        for (const [index, span] of spans.entries()) expect(points.slice(...span).join('')).toBe(names[index])
      }),
    )
  })
})
