import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { captionPhrases } from '../../src/nlp/caption-phrases.js'
import { chunkConfig } from '../../src/nlp/config.js'
import { nGrams } from '../../src/nlp/n-grams.js'
import { plainText } from '../../src/words/plain-text.js'
import { anyCaption } from './any-caption.js'

const told = (caption: string, longest = 10) =>
  nGrams(caption, longest).map(({ text, leftOut }) => (leftOut ? `${text}: ${leftOut}` : text))

describe('n-grams', () => {
  it('are all runs of words, without those that ask for nothing', () => {
    expect(told('a photo of red dogs', 3)).toEqual([
      ...['a: stop_words', 'a photo: generic', 'a photo of: generic', 'photo: generic', 'photo of: generic'],
      ...['photo of red', 'of: stop_words', 'of red', 'of red dogs', 'red', 'red dogs', 'dogs'],
    ])
  })

  it('go over no punctuation, but over a possessive', () => {
    expect(told("dogs, cats' or a man's hat", 3)).not.toContain('dogs, cats')
    expect(told("a man's hat")).toContain("man's hat")
  })

  it('have their last noun for a head', () => {
    const heads = Object.fromEntries(nGrams('red dogs sitting', 3).map(({ text, head }) => [text, head]))
    expect(heads).toMatchObject({ 'red dogs sitting': 'dog', 'red dogs': 'dog', sitting: 'sitting' })
  })

  it('are as many as there are pairs of ends no further apart than they may be', () => {
    const count = (words: number, longest: number) =>
      nGrams(Array(words).fill('dog').join(' '), longest).length
    expect([count(12, 10), count(4, 10), count(4, 2)]).toEqual([75, 10, 7])
  })

  it('are exact spans of any string', () => {
    fc.assert(
      fc.property(anyCaption, (caption) => {
        const points = [...caption]
        for (const { text, start, end } of nGrams(caption, 4)) {
          expect(plainText(points.slice(start, end).join(''))).toBe(text)
          expect(text.trim()).toBe(text)
        }
      }),
    )
  })

  it('are what a caption gives in their mode, as many as are wanted', () => {
    const config = chunkConfig.parse({ mode: 'ngrams', max_ngrams: 2 })
    const { kept, leftOut } = captionPhrases({ text: 'red dogs run', kind: 'web' }, config)
    expect(kept.map(({ text, kept: why }) => `${text}: ${why}`)).toEqual(['red: ngram', 'red dogs: ngram'])
    expect(leftOut.map(({ leftOut: why }) => why)).toEqual(Array(4).fill('too_many'))
  })
})
