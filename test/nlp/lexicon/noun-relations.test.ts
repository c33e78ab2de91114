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

  it.each([
    ['dog', 'dog', 1, '15/8'],
    [' Wine  Glasses', 'wine glass', 1, '9/8'],
    ['hot_dog', 'hot dog', 3, '8/7 10/9 13/9'],
    ['air bag', 'air bag', 1, '11/8'],
    ['t shirt', 't shirt', 1, '12/9'],
    ['kitten', 'kitten', 1, '58/10'],
    ['kid', 'kid', 1, '16/6'],
    ['toy dolphin', 'toy dolphin', 0, '16/15 16/15'],
    ['zorgle', 'zorgle', 0, ''],
    ['', '', 0, ''],
    ['turkey', 'turkey', 2, '13/12 9/8'],
    ['crane', 'crane', 5, '13/12 9/8 7/6 12/8 11/7'],
    ['mouse', 'mouse', 1, '13/12'],
    ['paris', 'paris', 1, '17/10'],
  ])('"%s" stands where WordNet has it', (noun, words, own, above) => {
    const place = placeOf(noun)
    // How many ideas are above each sense in use, and the steps to the furthest.
    const senses = place.senses.map((steps) => `${steps.size}/${Math.max(...steps.values())}`)
    expect([place.words.join(' '), place.own.size, senses.join(' ')]).toEqual([words, own, above])
    expect(placeOf(noun)).toBe(place)
  })

  it.each([
    ['car', 'truck', 2],
    ['apple', 'orange', 3],
    ['car', 'bicycle', 4],
    ['cat', 'horse', 7],
    ['boat', 'train', 6],
    ['ant', 'snake', 10],
    ['cat', 'lizard', 9],
    ['eagle', 'penguin', 6],
    ['crane', 'bird', 3],
    ['person', 'animal', undefined],
    ['shirt', 'shoe', undefined],
    ['lion', 'whale', undefined],
    ['guitar', 'drum', 4],
  ])('%s and %s are so far apart: %s', (a, b, steps) => {
    expect(siblingDistance(placeOf(a), placeOf(b))).toBe(steps)
  })

  it.each([
    ['fire truck', 'red truck', false],
    ['zorgle dog', 'dog', true],
    ['dog', 'zorgle dog', false],
    ['guide dog', 'guide', false],
    ['toy dog', 'animal', true],
    ['sea lion', 'lion', false],
    ['lion', 'sea lion', false],
    ['big wine glass', 'wine glass', true],
    ['turkey', 'bird', false],
    ['', 'dog', false],
    ['dog', '', false],
  ])('whether each %s is of %s: %s', (noun, general, isKind) => {
    expect(isKindOf(placeOf(noun), placeOf(general))).toBe(isKind)
  })
})
