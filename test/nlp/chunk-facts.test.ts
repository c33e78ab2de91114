import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunk } from '../../src/nlp/chunk.js'
import { anyCaption } from './any-caption.js'

describe('number and count', () => {
  const cases: Readonly<Record<string, string>> = {
    'a dog': 'singular 1',
    'the dog': 'singular null',
    'two dogs': 'plural 2',
    'four zebra': 'plural 4',
    '3 people': 'plural 3',
    'a couple of giraffes': 'plural 2',
    'a pair of shoes': 'plural 2',
    'two pairs of shoes': 'plural 4',
    'a black pair of shorts': 'plural 1',
    'a dozen eggs': 'plural 12',
    'both hands': 'plural 2',
    'a group of people': 'plural null',
    'many kites': 'plural null',
    'some water': 'mass null',
    'green grass': 'mass null',
    '1967 Ford Mustang': 'singular null',
  }
  for (const [caption, expected] of Object.entries(cases)) {
    it(`of ${caption}: ${expected}`, () => {
      const [{ number, count, text }] = chunk(caption)
      expect(text).toBe(caption)
      expect(`${number} ${count}`).toBe(expected)
    })
  }
})

describe('attributes', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    'a large red and white umbrella': ['size large', 'colour red', 'colour white'],
    'two small wooden chairs': ['size small', 'material wooden'],
    'a glass vase': ['material glass'],
    'a worn brick wall': ['other worn', 'material brick'],
    'several other dogs': [],
    'a tennis racket': [],
  }
  for (const [caption, expected] of Object.entries(cases)) {
    it(`of ${caption}`, () => {
      expect(chunk(caption)[0].attributes.map(({ kind, text }) => `${kind} ${text}`)).toEqual(expected)
    })
  }
})

describe('referring expressions', () => {
  const expressions = (caption: string) => {
    const points = [...caption]
    return chunk(caption)
      .filter(({ end, expressionEnd, kept }) => kept && expressionEnd > end)
      .map(({ start, expressionEnd }) => points.slice(start, expressionEnd).join(''))
  }
  const cases: Readonly<Record<string, readonly string[]>> = {
    'A man in a red coat rides a horse': ['A man in a red coat'],
    'A dog sitting in a basket on the grass': [
      'A dog sitting in a basket on the grass',
      'a basket on the grass',
    ],
    'A man holds a cup of coffee in a park': ['a cup of coffee'],
    'A man and a woman in a boat': ['a woman in a boat'],
    'A man in a shirt and tie': ['A man in a shirt'],
    'A person on a bench reading a book': ['A person on a bench reading a book'],
    'A man in a coat holding a bat': ['A man in a coat holding a bat'],
    'A cake cut into pieces': ['A cake cut into pieces'],
    'A car parked in front of a house': ['A car parked in front of a house'],
    'A woman is holding a dog wearing a hat': ['a dog wearing a hat'],
    'A cat sits on a chair while a dog sleeps': [],
    'A bed with pillows on it': ['A bed with pillows on it', 'pillows on it'],
  }
  for (const [caption, expected] of Object.entries(cases)) {
    it(caption, () => expect(expressions(caption)).toEqual(expected))
  }

  it('contain their phrase and lie in the caption, of any string', () => {
    fc.assert(
      fc.property(anyCaption, (caption) => {
        const { length } = [...caption]
        for (const { end, expressionEnd, count, kept, leftOut } of chunk(caption)) {
          expect(expressionEnd).toBeGreaterThanOrEqual(end)
          expect(expressionEnd).toBeLessThanOrEqual(length)
          expect(count === null || count >= 0).toBe(true)
          expect((kept === undefined) !== (leftOut === undefined)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})
