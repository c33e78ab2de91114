import { describe, expect, it } from 'vitest'
import { chunk } from '../../src/nlp/chunk.js'

const kept = (caption: string) =>
  chunk(caption)
    .flatMap(({ text, leftOut }) => (leftOut ? [] : [text]))
    .join(' | ')

const check = (captions: Readonly<Record<string, string>>) => {
  for (const [caption, phrases] of Object.entries(captions))
    it(caption, () => expect(kept(caption)).toBe(phrases))
}

describe('names with a small word inside', () => {
  check({
    'Museum of Modern Art, New York': 'Museum of Modern Art',
    'the Temple of Heaven and a tree': 'the Temple of Heaven | a tree',
    'Statue of Liberty, New York Harbor': 'Statue of Liberty | New York Harbor',
    'Breakfast at the Inn at Perry Cabin': 'Breakfast | the Inn at Perry Cabin',
    'Gardens by the Bay, Singapore': 'Gardens by the Bay',
    'Christ the Redeemer statue on a hill': 'Christ the Redeemer statue | a hill',
    'Mayor of London Sadiq Khan': 'Mayor of London Sadiq Khan',
    'The Duchess of Cambridge greets a boy': 'The Duchess of Cambridge | a boy',
    // No names.
    'Sea of clouds over a valley': 'Sea | clouds | a valley',
    'Statue of Lenin in Kyiv': 'Statue | Lenin',
    'Dave the dog': 'Dave | the dog',
    'the gardens at Versailles': 'the gardens',
  })

  it('of a head that is an idea say that nothing is known of what is seen', () => {
    const [name] = chunk('Statue of Liberty')
    expect(name).toMatchObject({ kept: 'unknown', leftOut: undefined })
  })
})

describe('names of places', () => {
  check({
    'Waterfall in Plitvice Lakes National Park': 'Waterfall | Plitvice Lakes National Park',
    'A rocket lifts off from Launch Complex 39A in Florida': 'A rocket | Launch Complex 39A',
    'Lake Louise with canoes, Banff National Park, Alberta': 'Lake Louise | canoes | Banff National Park',
    'a road in Palm Springs, California': 'a road',
    'a tent on Long Beach': 'a tent | Long Beach',
    'a tower in County Clare': 'a tower',
    'A man in Ohio, U.S., May 2': 'A man',
    'The U.S. flag on a pole': 'The U.S. flag | a pole',
    'Palms at Playa del Carmen, Mexico': 'Palms',
    'Snow leopard carrying her cub, Ladakh.': 'Snow leopard | her cub',
    'London Underground sign at a station': 'London Underground sign | a station',
    'Santorini blue domed church': 'Santorini blue domed church',
    'Sydney is sunny': '',
  })
})

describe('who does what in news', () => {
  check({
    "Britain's Prime Minister Theresa May leaves 10 Downing Street":
      "Britain's Prime Minister Theresa May | 10 Downing Street",
    'Actor Will Smith waves to fans': 'Actor Will Smith | fans',
    'Will a dog eat bread?': 'a dog | bread',
    "midfielder N'Golo Kante trains ahead of a game": "midfielder N'Golo Kante",
    'a fisherman from Senegal mends nets': 'a fisherman | nets',
    'Fans of Argentina cheer before the game': 'Fans',
    'South Korean boy band with flags': 'South Korean boy band | flags',
    'Ana Reis of Juventus celebrates his goal': 'Ana Reis',
    'Ana Reis, flanked by Roger Federer': 'Ana Reis | Roger Federer',
    'a red coat by Catherine Walker': 'a red coat',
    'Bill Gates, co-founder of Microsoft': 'Bill Gates | co-founder',
    "a sign reading 'No entry for dogs' on a door": 'a sign | a door',
    "a sign and the dogs' bowl": "a sign | the dogs' bowl",
  })
})

describe('words of the picture', () => {
  check({
    'Room with balcony and ocean view': 'Room | balcony',
    'Hotel Ritz Paris exterior': 'Hotel Ritz Paris',
    'Home office icon set, line style': 'Home office',
    'Minimalist bedroom inspiration': 'Minimalist bedroom',
    'traffic on highway interchange night': 'traffic | highway interchange',
    'a night at the museum': 'the museum',
    'teamwork and partnership concept': '',
    'Saving money concept': '',
    'Healthy food concept': 'Healthy food',
    'banner with place for your text': 'banner',
    'Product image 1': '',
    'cover photo': '',
    avatar: '',
    'logo design': 'logo',
    'a word cloud': '',
  })
})
