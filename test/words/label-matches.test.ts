import { describe, expect, it } from 'vitest'
import { labelMatches, pluralOf } from '../../src/words/label-matches.js'

const phrase = (text: string, head: string) => ({ text, head })

describe('a label', () => {
  it.each([
    ['dog', phrase('a brown dog', 'dog')],
    ['dog', phrase('two Dogs', 'dog')],
    ['Dog', phrase('the dog', 'dog')],
    ['scissors', phrase('a pair of scissors', 'scissors')],
    ['cars', phrase('a red car', 'car')],
    ['people', phrase('a person', 'person')],
    ['traffic light', phrase('a red traffic light', 'light')],
    ['tv_monitor', phrase('an old TV monitor', 'monitor')],
    ['potted-plant', phrase('three potted plants', 'plant')],
    ['bus', phrase('some buses', 'bus')],
  ])('%s names %j', (label, named) => {
    expect(labelMatches(label, named)).toBe(true)
  })

  it.each([
    ['dog', phrase('a dog house', 'house')],
    ['hot dog', phrase('a dog', 'dog')],
    ['hot dog', phrase('a dog beside a hot stove', 'dog')],
    ['traffic light', phrase('light traffic', 'traffic')],
    ['cat', phrase('a category', 'category')],
    ['', phrase('a dog', 'dog')],
  ])('%s does not name %j', (label, named) => {
    expect(labelMatches(label, named)).toBe(false)
  })

  it('names what its synonyms name, whatever their case', () => {
    const synonyms = { Person: ['man', 'woman', 'police officer'], vehicle: ['dog'] }
    expect(labelMatches('person', phrase('two men', 'man'), synonyms)).toBe(true)
    expect(labelMatches('person', phrase('police officers', 'officer'), synonyms)).toBe(true)
    expect(labelMatches('person', phrase('an officer', 'officer'), synonyms)).toBe(false)
    expect(labelMatches('person', phrase('a dog', 'dog'), synonyms)).toBe(false)
  })

  it('has a plural', () => {
    const nouns = {
      person: 'people',
      box: 'boxes',
      bench: 'benches',
      berry: 'berries',
      toy: 'toys',
      knife: 'knives',
      cat: 'cats',
    }
    for (const [noun, plural] of Object.entries(nouns)) expect(pluralOf(noun)).toBe(plural)
  })
})
