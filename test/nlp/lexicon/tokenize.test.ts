import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tokenize } from '../../../src/nlp/lexicon/tokenize.js'
import { plainText } from '../../../src/words/plain-text.js'
import { anyCaption } from '../any-caption.js'

const texts = (caption: string) => tokenize(caption).map(({ text }) => text)

describe('tokens', () => {
  it('keep hyphens, apostrophes and points inside words, and possessives apart', () => {
    expect(texts("O'Neil's T-shirt, U.S. 1,200 men's")).toEqual([
      ...["O'Neil", "'s", 'T-shirt', ',', 'U.S', '.', '1,200', 'men', "'s"],
    ])
    expect(texts("a person 's hand, the dogs' bowl, the car.The dog")).toEqual([
      ...['a', 'person', "'s", 'hand', ',', 'the', 'dogs', "'", 'bowl', ',', 'the', 'car', '.', 'The', 'dog'],
    ])
  })

  it('take addresses, files, handles and markup as one sign each', () => {
    const caption = 'cat @zoo https://a.example/b?c=1 IMG_2.jpg <br/> salt &amp; milk'
    expect(texts(caption)).toEqual([
      ...['cat', '@zoo', 'https://a.example/b?c=1', 'IMG_2.jpg', '<br/>', 'salt', '&', 'milk'],
    ])
    const words = tokenize(caption).filter(({ isWord }) => isWord)
    expect(words.map(({ text }) => text)).toEqual(['cat', 'salt', 'milk'])
  })

  it('take mail addresses, sites without "www" and hashtags of several words for signs', () => {
    const caption =
      'dog me@shop.example.org amazon.com/dp/1 shop.co.uk cat.jpeg #dog_lover the car.the cat<!-- x -->'
    const words = tokenize(caption).filter(({ isWord }) => isWord)
    expect(words.map(({ text }) => text)).toEqual(['dog', 'the', 'car', 'the', 'cat'])
  })

  it('are read through entities, tags, emphasis and broken quotation marks, and have their place as stored', () => {
    const caption = 'a &quot;red&quot;dog&#39;s <b>big</b> **bowl** donâ€™t dog\ufffds it´s AT&amp;T'
    const found = tokenize(caption)
    expect(found.map(({ word }) => word)).toEqual([
      ...['a', '"', 'red', '"', 'dog', "'s", 'big', 'bowl', "don't", 'dog', '\ufffds', 'it', '´s', 'at&t'],
    ])
    const stored = found.map(({ start, end }) => [...caption].slice(start, end).join(''))
    expect(stored).toEqual([
      ...[
        'a',
        '&quot;',
        'red',
        '&quot;',
        'dog',
        '&#39;s',
        'big',
        'bowl',
        'donâ€™t',
        'dog',
        '\ufffds',
        'it',
        '´s',
      ],
      'AT&amp;T',
    ])
  })

  it('take dates and the names of pictures for signs, and no other numbers', () => {
    const caption = 'dog 12/05/2010 cat 2009-05-12 14:33 DSC_0012 IMG-2015-WA3 a 3/4 pie, 5-4-3, 1/2/3/4'
    const words = tokenize(caption).filter(({ isWord }) => isWord)
    expect(words.map(({ text }) => text)).toEqual([
      ...['dog', 'cat', 'a', '3/4', 'pie', '5-4-3', '1', '2', '3', '4'],
    ])
  })

  it('clean the word and leave the text', () => {
    const odd = 'ｄｏｇ CAFE\u0301 O’Neil so\u00adfa <PERSON>'
    expect(tokenize(odd).map(({ word }) => word)).toEqual([
      'dog',
      'café',
      "o'neil",
      'sofa',
      '<',
      'person',
      '>',
    ])
    expect(texts(odd)).toEqual([...odd.split(' ').slice(0, -1), '<', 'PERSON', '>'])
  })

  it('pass over what nobody sees, and make no word of the parts of an emoji', () => {
    expect(texts('a\u200b red\u200f \ufeff❤\ufe0f 1\ufe0f\u20e3 👨‍👩‍👧')).toEqual([
      ...['a', 'red', '❤\ufe0f', '1\ufe0f\u20e3', '👨', '👩', '👧'],
    ])
  })

  it('are exact spans in code points of any string, in order, apart, and leave out only what is invisible', () => {
    fc.assert(
      fc.property(anyCaption, (caption) => {
        const points = [...caption]
        let last = 0
        for (const { text, start, end } of tokenize(caption)) {
          expect(plainText(points.slice(start, end).join(''))).toBe(plainText(text))
          expect(plainText(points.slice(last, start).join(''))).toMatch(
            /^(?:\s|\p{C}|\p{Z}|\p{M}|[*_`®™+])*$/u,
          )
          expect(end).toBeGreaterThan(start)
          last = end
        }
      }),
      { numRuns: 1000 },
    )
  })
})
