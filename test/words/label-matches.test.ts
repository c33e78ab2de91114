import { describe, expect, it } from 'vitest'
import { isSameName, labelMatcher, labelMatches, pluralOf } from '../../src/words/label-matches.js'

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

const coco =
  `person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,
bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,
baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,
broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,
microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush`
    .replaceAll('\n', '')
    .split(',')
/** A phrase that ends with its head. */
const headed = (text: string) => phrase(text, text.split(' ').at(-1) ?? '')

describe('the labels of COCO', () => {
  const matches = labelMatcher(coco)
  const meant = (named: string) => coco.filter((label) => matches(label, headed(named)))

  it('are each meant by their own name, and by no other', () => {
    expect(coco).toHaveLength(80)
    for (const name of coco) {
      expect(meant(`a ${name}`)).toEqual([name])
      expect(meant(`two big ${name.split(' ').slice(0, -1).join(' ')} ${name.split(' ').at(-1)}`)).toEqual([
        name,
      ])
    }
  })

  it.each([
    ['a hot dog', ['hot dog']],
    ['three hot dogs', ['hot dog']],
    ['a hungry dog', ['dog']],
    ['a hot dog bun', []],
    ['a brown teddy bear', ['teddy bear']],
    ['a brown bear', ['bear']],
    ['a table', []],
    ['a glass', []],
    ['a red light', []],
  ])('of %s: %j', (named, labels) => {
    expect(meant(named)).toEqual(labels)
  })

  it('are told from synonyms that are longer, and by them', () => {
    const withSynonyms = labelMatcher(['person', 'officer'], { person: ['police officer'] })
    expect(withSynonyms('person', headed('a police officer'))).toBe(true)
    expect(withSynonyms('officer', headed('a police officer'))).toBe(false)
    expect(withSynonyms('officer', headed('an officer'))).toBe(true)
  })
})

describe('names of categories', () => {
  it('are the same in another writing, and in no other form', () => {
    for (const a of coco) for (const b of coco) expect(isSameName(a, b)).toBe(a === b)
    for (const other of [
      'Traffic Light',
      'traffic_light',
      'TRAFFIC-LIGHT',
      ' traffic  light',
      'traffic_light_(street)',
    ])
      expect(isSameName('traffic light', other)).toBe(true)
    for (const other of ['light', 'traffic lights', 'trafficlight', 'red traffic light'])
      expect(isSameName('traffic light', other)).toBe(false)
  })
})
