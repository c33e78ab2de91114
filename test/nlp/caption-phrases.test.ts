import { describe, expect, it } from 'vitest'
import { captionPhrases } from '../../src/nlp/caption-phrases.js'
import { chunkConfig } from '../../src/nlp/config.js'
import type { Caption } from '../../src/rows/rows.js'

/** What is kept, what is left out and why nothing is kept, in one line. */
function told(text: string, kind: Caption['kind'] = 'web', config: object = {}): string {
  const { kept, leftOut, reason } = captionPhrases({ text, kind }, chunkConfig.parse(config))
  return [
    ...kept.map((phrase) => `${phrase.text} (${phrase.kept})`),
    ...leftOut.map((phrase) => `${phrase.text}: ${phrase.leftOut}, ${phrase.kept}`),
    ...(reason === undefined ? [] : [reason]),
  ].join(' | ')
}

describe('of a caption', () => {
  it.each([
    ['a cat and a dog', 'a cat (animal) | a dog (animal)'],
    ['a cat for sale', 'a cat (animal) | sale: abstract_head, undefined'],
    ['for sale', 'sale: abstract_head, undefined | no_phrase'],
    ['el perro en la casa con una silla', 'not_english'],
    ['   ', 'empty_caption'],
    ['<b> </b>', 'empty_caption'],
  ])('%j is kept: %s', (caption, expected) => expect(told(caption)).toBe(expected))

  it.each([
    ['person. stop sign. photo', 'person (category) | stop sign (category) | photo (category)'],
    [' person .  stop sign . cats', 'person (category) | stop sign (category) | cats (category)'],
    ['person.', 'person (category)'],
    ['. .', 'no_phrase'],
    ['El perro en la casa con una silla', 'El perro en la casa con una silla (category)'],
    ['🦓 zebra. 🐶 dogs', '🦓 zebra (category) | 🐶 dogs (category)'],
    ['St. Bernard', 'St (category) | Bernard (category)'],
    ['red  car. a &amp; b', 'red  car (category) | a & b (category)'],
  ])('of names, %j is kept: %s', (caption, expected) => expect(told(caption, 'categories')).toBe(expected))

  it('names are kept however many and long they are', () => {
    expect(told('big red old bus. cats. dogs', 'categories', { max_words: 1, max_phrases: 1 })).toBe(
      'big red old bus (category) | cats (category) | dogs (category)',
    )
  })

  it.each([
    [{ max_phrases: 1 }, 'a cat (animal) | a big red dog: too_many, undefined'],
    [{ max_phrases: 2 }, 'a cat (animal) | a big red dog (animal)'],
    [{ max_words: 3 }, 'a cat (animal) | a big red dog: too_long, undefined'],
    [{ max_words: 4 }, 'a cat (animal) | a big red dog (animal)'],
    [{ max_ngrams: 1 }, 'a cat (animal) | a big red dog (animal)'],
  ])('with %j as many and as long phrases are kept as are wanted', (config, expected) =>
    expect(told('a cat, a big red dog', 'web', config)).toBe(expected),
  )

  it('n-grams have a limit of their own', () => {
    expect(told('red dogs', 'web', { mode: 'ngrams', max_words: 2, max_phrases: 1, max_ngrams: 3 })).toBe(
      'red (ngram) | red dogs (ngram) | dogs (ngram)',
    )
    expect(told('red dogs', 'web', { mode: 'ngrams', max_words: 1, max_phrases: 9, max_ngrams: 1 })).toBe(
      'red (ngram) | dogs: too_many, undefined',
    )
  })
})
