import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunk } from '../../src/nlp/chunk.js'
import { distinctPhrases } from '../../src/nlp/distinct-phrases.js'
import { lemma } from '../../src/nlp/heads.js'
import { tokenize } from '../../src/nlp/tokenize.js'

const kept = (caption: string) => chunk(caption).flatMap(({ text, leftOut }) => (leftOut ? [] : [text]))

const examples: Readonly<Record<string, readonly string[]>> = {
  'a red zebra next to a small blue car': ['a red zebra', 'a small blue car'],
  'there are two green trees on the left and a big cat': ['two green trees', 'a big cat'],
  'photo of a purple umbrella under a cloud, on a sunny morning': ['a purple umbrella', 'a cloud'],
  'the orange key in the bottom left corner to the left of a purple jellyfish': [
    'the orange key',
    'a purple jellyfish',
  ],
  'a yellow bed beside a wrench': ['a yellow bed', 'a wrench'],
  'the green leaf and two leaves': ['the green leaf', 'two leaves'],
  'a bat above an orange': ['a bat', 'an orange'],
  'A man riding a wave on top of a surfboard.': ['A man', 'a wave', 'a surfboard'],
  'two brown dogs chase a frisbee near the bus stop': ['two brown dogs', 'a frisbee', 'the bus stop'],
  'A group of people standing around a parking meter': ['A group of people', 'a parking meter'],
  'a red and white umbrella': ['a red and white umbrella'],
  "A tiny red bird perched on a car's mirror": ['A tiny red bird', "a car's mirror"],
  'A bedroom with a bed, a dresser, and decorated walls.': [
    'A bedroom',
    'a bed',
    'a dresser',
    'decorated walls',
  ],
  'a couple of giraffes in a field': ['a couple of giraffes', 'a field'],
  'A young man is holding his skateboard': ['A young man', 'his skateboard'],
  'Three Asian people are riding on top of an elephant.': ['Three Asian people', 'an elephant'],
  'THERE ARE PEOPLE STANDING IN THE GRASS': ['PEOPLE', 'THE GRASS'],
  'the café 🦓 next to the naïve dog': ['the café', 'the naïve dog'],
  'A kitchen with black and white tiles': ['A kitchen', 'black and white tiles'],
  'for sale': [],
}

describe('noun phrases', () => {
  for (const [caption, phrases] of Object.entries(examples)) {
    it(caption, () => expect(kept(caption)).toEqual(phrases))
  }

  it('are exact spans of any caption, in order and apart', () => {
    const word = fc.constantFrom(
      ...[
        'a',
        'two',
        'red',
        'dogs',
        "dog's",
        'T-shirt',
        'café',
        'cafe\u0301',
        '🦓',
        '👨‍👩‍👧',
        'of',
        'a group of',
        'and',
        ',',
        '.',
        '中文',
        'שלום',
        '\u200b',
        '__proto__',
        'constructor',
        "O'Neil’s",
        '  ',
        '#tag',
        '1,200',
      ],
    )
    const caption = fc.oneof(
      fc.array(word, { maxLength: 12 }).map((words) => words.join(' ')),
      fc.string({ unit: 'binary', maxLength: 40 }),
    )
    fc.assert(
      fc.property(caption, (text) => {
        const points = [...text]
        let last = 0
        for (const { text: phrase, start, end, head } of chunk(text)) {
          expect(points.slice(start, end).join('')).toBe(phrase)
          expect(start).toBeGreaterThanOrEqual(last)
          expect(end).toBeGreaterThan(start)
          expect(head).toBe(head.toLowerCase())
          last = end
        }
        expect(chunk(text)).toEqual(chunk(text))
      }),
      { numRuns: 500 },
    )
  })

  it('say why one is left out', () => {
    expect(chunk('a photo on the left').map(({ head, leftOut }) => [head, leftOut])).toEqual([
      ['photo', 'abstract_head'],
      ['left', 'relational_head'],
    ])
  })

  it('that say the same are asked once, and every occurrence is kept', () => {
    const phrases = ['A dog', 'a cat', 'a  dog'].map((text) => ({
      caption: 0,
      text,
      start: 0,
      end: 1,
      head: 'x',
    }))
    expect(distinctPhrases(phrases)).toEqual([
      { text: 'a dog', occurrences: [0, 2] },
      { text: 'a cat', occurrences: [1] },
    ])
  })
})

describe('tokens', () => {
  it('keep hyphens, apostrophes and points inside words, and possessives apart', () => {
    expect(tokenize("O'Neil's T-shirt, U.S. 1,200").map(({ text }) => text)).toEqual([
      "O'Neil",
      "'s",
      'T-shirt',
      ',',
      'U.S',
      '.',
      '1',
      ',',
      '200',
    ])
  })
})

describe('lemmas', () => {
  it('are singular', () => {
    const words = {
      dogs: 'dog',
      buses: 'bus',
      bus: 'bus',
      people: 'person',
      leaves: 'leaf',
      children: 'child',
      cherries: 'cherry',
      glass: 'glass',
      foxes: 'fox',
    }
    for (const [word, singular] of Object.entries(words)) expect(lemma(word)).toBe(singular)
  })
})
