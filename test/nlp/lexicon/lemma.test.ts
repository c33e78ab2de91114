import { describe, expect, it } from 'vitest'
import { lemma } from '../../../src/nlp/lexicon/lemma.js'

describe('a lemma', () => {
  it('is the singular, lower case', () => {
    const words = {
      Dogs: 'dog',
      buses: 'bus',
      horses: 'horse',
      boxes: 'box',
      dishes: 'dish',
      cherries: 'cherry',
      cookies: 'cookie',
      movies: 'movie',
      potatoes: 'potato',
      shoes: 'shoe',
      leaves: 'leaf',
      knives: 'knife',
      bookshelves: 'bookshelf',
      policemen: 'policeman',
      snowmen: 'snowman',
      people: 'person',
      children: 'child',
      giraffes: 'giraffe',
      skis: 'ski',
      houses: 'house',
      glasses: 'glass',
      benches: 'bench',
    }
    for (const [word, singular] of Object.entries(words)) expect(lemma(word), word).toBe(singular)
  })

  it('is the word itself where it only looks like a plural', () => {
    for (const word of [
      'bus',
      'glass',
      'tennis',
      'scissors',
      'jeans',
      'cactus',
      'species',
      'dress',
      'lens',
    ]) {
      expect(lemma(word)).toBe(word)
    }
  })

  it('is the word itself for names of an object’s prototype', () => {
    for (const word of ['__proto__', 'constructor', 'valueof']) expect(lemma(word)).toBe(word)
  })
})
