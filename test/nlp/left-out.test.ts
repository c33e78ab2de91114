import { describe, expect, it } from 'vitest'
import { chunk } from '../../src/nlp/chunk.js'

const reasons = (caption: string) => chunk(caption).map(({ text, leftOut }) => `${text}: ${leftOut}`)

describe('a phrase is left out', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    'a photo on the left': ['a photo: depiction', 'the left: relational_head'],
    'the right side of a street corner': ['the right side: relational_head', 'a street corner: undefined'],
    'a parking lot with lots of cars': ['a parking lot: undefined', 'lots of cars: undefined'],
    'a painting of a cat': ['a painting: depiction', 'a cat: undefined'],
    'a cat under a painting': ['a cat: undefined', 'a painting: undefined'],
    'a woman taking a picture': ['a woman: undefined', 'a picture: depiction'],
    'a close up of a cat': ['a close up: depiction', 'a cat: undefined'],
    'a man without a helmet': ['a man: undefined', 'a helmet: negated'],
    'there are no cars': ['no cars: negated'],
    'a boat by an unknown artist': ['a boat: undefined', 'an unknown artist: credit'],
    'an artist in the seventies': ['an artist: undefined', 'the seventies: abstract_head'],
    'best wishes for a birthday': ['best wishes: abstract_head', 'a birthday: abstract_head'],
    'pastries on display': ['pastries: undefined', 'display: abstract_head'],
    'a display of pastries': ['a display: undefined', 'pastries: undefined'],
    'a red top on his back': ['a red top: undefined', 'his back: undefined'],
    'at the back of a truck': ['the back: relational_head', 'a truck: undefined'],
    'a woman smiling at the camera': ['a woman: undefined', 'the camera: not_in_picture'],
    'a woman with the camera': ['a woman: undefined', 'the camera: undefined'],
    'someone with an ability': ['someone: abstract_head', 'an ability: abstract_head'],
    'a dog, Nikon D90': ['a dog: undefined', 'Nikon D90: noise'],
    'a variety of foods, a variety': ['a variety of foods: undefined', 'a variety: abstract_head'],
  }
  for (const [caption, expected] of Object.entries(cases)) {
    it(caption, () => expect(reasons(caption)).toEqual(expected))
  }
})
