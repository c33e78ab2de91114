import { describe, expect, it } from 'vitest'
import { isKindOf, mayBeSame, placeOf, siblingDistance } from '../../../src/nlp/lexicon/noun-relations.js'

const same = (a: string, b: string) => mayBeSame(placeOf(a), placeOf(b))

describe('nouns', () => {
  it.each([
    ['cat', 'cats'],
    ['cat', 'animal'],
    ['puppy', 'dog'],
    ['sofa', 'couch'],
    ['man', 'people'],
    ['fire truck', 'truck'],
    ['wine glass', 'glass'],
    ['toy dolphin', 'dolphin'],
    ['kitten', 'cat'],
    ['zorgle', 'zorgle'],
    ['scissors', 'scissors'],
  ])('%s and %s may be the same thing', (a, b) => {
    expect(same(a, b)).toBe(true)
    expect(same(b, a)).toBe(true)
  })

  it.each([
    ['cat', 'dog'],
    ['cat', 'person'],
    ['dolphin', 'whale'],
    ['car', 'truck'],
    ['zorgle', 'cat'],
    ['apple', 'orange'],
  ])('%s and %s are two things', (a, b) => {
    expect(same(a, b)).toBe(false)
    expect(same(b, a)).toBe(false)
  })

  it('are kinds of others, in all of their senses', () => {
    expect(isKindOf(placeOf('puppy'), placeOf('dog'))).toBe(true)
    expect(isKindOf(placeOf('dog'), placeOf('puppy'))).toBe(false)
    expect(isKindOf(placeOf('hot dog'), placeOf('dog'))).toBe(false)
    expect(isKindOf(placeOf('hot dog'), placeOf('person'))).toBe(false)
    expect(isKindOf(placeOf('red truck'), placeOf('truck'))).toBe(true)
    expect(isKindOf(placeOf('zorgle'), placeOf('animal'))).toBe(false)
  })

  it('are siblings where they share an idea nearby that is not too wide', () => {
    const distance = (a: string, b: string) =>
      siblingDistance(placeOf(a), placeOf(b)) ?? Number.POSITIVE_INFINITY
    expect(distance('car', 'truck')).toBeLessThan(distance('car', 'bicycle'))
    expect(distance('dog', 'fox')).toBe(2)
    expect(distance('apple', 'orange')).toBeLessThanOrEqual(4)
    expect(distance('dog', 'sofa')).toBe(Number.POSITIVE_INFINITY)
    expect(distance('apple', 'car')).toBe(Number.POSITIVE_INFINITY)
    expect(distance('zorgle', 'car')).toBe(Number.POSITIVE_INFINITY)
  })
})
