import { describe, expect, it } from 'vitest'
import { type AskedPart, askedSpan } from '../../src/words/asked-span.js'
import { withoutDeterminer } from '../../src/words/without-determiner.js'

describe('the words that stand for a phrase', () => {
  const text = '🎉 all the three small dogs in a red coat'
  const points = [...text]
  const start = 2
  const end = points.join('').indexOf(' in') - 1
  const asked = (part: AskedPart, more: object = {}) => {
    const phrase = { text: points.slice(start, end).join(''), start, end, ...more }
    return points.slice(...askedSpan(phrase, part)).join('')
  }

  it('are the phrase, its expression, or what it says', () => {
    expect(asked('phrase')).toBe('all the three small dogs')
    expect(asked('expression', { expression_end: points.length })).toBe(
      'all the three small dogs in a red coat',
    )
    expect(asked('expression', { expression_end: null })).toBe('all the three small dogs')
    expect(asked('expression')).toBe('all the three small dogs')
    expect(asked('attributes', { attributes: [{ text: 'small' }] })).toBe('small dogs')
    expect(asked('attributes', { attributes: [] })).toBe('three small dogs')
    expect(asked('attributes', { attributes: null })).toBe('three small dogs')
  })

  it('are never none', () => {
    expect(withoutDeterminer('The')).toBe('The')
    expect(askedSpan({ text: 'another', start: 4, end: 11 }, 'attributes')).toEqual([4, 11])
  })
})
