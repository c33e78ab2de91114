import { describe, expect, it } from 'vitest'
import { keptPhrases, leftPhrases } from './kept-phrases.js'

describe('titles of the web', () => {
  const captions: Readonly<Record<string, string>> = {
    // Inside names.
    'a 1/2" Makita Hammer Drill': 'a 1/2" Makita Hammer Drill',
    'Spalding NBA "The Beast" Street Basketball': 'Spalding NBA "The Beast" Street Basketball',
    'Olay Vitamin C 15% Serum': 'Olay Vitamin C 15% Serum',
    "Graco Pack 'n Play Playard": "Graco Pack 'n Play Playard",
    'Hydro Flask Wide Mouth Bottle': 'Hydro Flask Wide Mouth Bottle',
    'salt & pepper grinder set, white': 'salt & pepper grinder set',
    'a lamp and coffee maker': 'a lamp | coffee maker',
    'the $9 sandwich': 'the $9 sandwich',
    'a side of fries with a dollop of mayonnaise': 'a side of fries | a dollop of mayonnaise',
    'Bose 700 headphones vs Coach Tabby 26': 'Bose 700 headphones | Coach Tabby 26',
    'Garmin Venu GPS Running Smartwatch': 'Garmin Venu GPS Running Smartwatch',
    'Nutella Hazelnut Spread 750g jar': 'Nutella Hazelnut Spread',
    "Toddler Girls' Floral Print Dress": "Toddler Girls' Floral Print Dress",
    'the Statue of Liberty in the city of London': 'the Statue of Liberty | the city',
    'Dog Harness No Pull Vest': 'Dog Harness | No Pull Vest',
    'cars along Interstate 10 in Houston': 'cars | Interstate 10',
    // Words that the lexicon does not have so.
    'dairy-free chocolate cake': 'dairy-free chocolate cake',
    'wide-brimmed hat, cycling gloves & boots': 'wide-brimmed hat | cycling gloves | boots',
    'a man wearing helmet and holding gloves': 'a man | helmet | gloves',
    'Barefoot girl in a field': 'Barefoot girl | a field',
    'the runner’s watch': 'the runner’s watch',
    'measuring cups and spoons set': 'measuring cups and spoons set',
    'stars & hearts, a bee pollinating lavender': 'stars | hearts | a bee | lavender',
    // What somebody does.
    'Angry activists block traffic on a bridge': 'Angry activists | traffic | a bridge',
    'Prime Minister Ana Reis visits wounded soldiers': 'Prime Minister Ana Reis | wounded soldiers',
    'Marta Silva hugs goalkeeper Ana Reis': 'Marta Silva | goalkeeper Ana Reis',
    'Bishop Tom Mboya and the Queen share a drink': 'Bishop Tom Mboya | the Queen | a drink',
    // Slogans, and what people write to each other.
    'Stay Wild and Wander Far mug': 'mug',
    "I'm Silently Correcting Your Grammar coffee mug": 'coffee mug',
    'Stay in bed with a mug': 'bed | a mug',
    "World's Best Aunt mug": 'mug',
    'FREE stickers, #ootd denim jacket, link in bio': 'stickers | denim jacket',
    'stock footage timelapse traffic': 'traffic',
    'lol my dog stole the burger omg': 'my dog | the burger',
  }
  for (const [caption, phrases] of Object.entries(captions)) {
    it(caption, () => expect(keptPhrases(caption).join(' | ')).toBe(phrases))
  }
})

describe('of titles of the web is left out', () => {
  const captions: Readonly<Record<string, readonly string[]>> = {
    'Sony Wireless Speaker | Graphite Mist': ['Graphite Mist: specification'],
    'Lavazza Ground Coffee, dark espresso roast': ['dark espresso roast: specification'],
    'Toyota Yaris, chassis no. 1234': ['chassis: specification'],
    'runners in the park. Photograph: Ana Reis/AFP': [
      'Photograph: depiction',
      'Ana Reis: credit',
      'AFP: credit',
    ],
    'A crowd at the gate (AP Photo/Ana Reis)': ['AP: credit', 'Photo: depiction', 'Ana Reis: credit'],
    'a suspect | Kent County Police Department': ['Kent County Police Department: credit'],
    'a player throws a ball against the Saints': ['the Saints: credit'],
    'a woman sings on October 31': ['October 31: abstract_head'],
    'players during the second half of Game 5': ['the second half: relational_head', 'Game 5: abstract_head'],
    'a man walks in Harare’s Mbare township': ['Harare’s Mbare township: place'],
    'Castle Combe, the prettiest village in the hills': ['Castle Combe: place'],
    'cliffs above the sea, Portofino': ['Portofino: place'],
    'Family portrait of two dogs': ['Family portrait: depiction'],
    'Tile Mate: Bluetooth tracker for keys, bags & more': ['keys: purpose', 'bags: purpose'],
    'Sen. Ana Reis, D-Mass., greets a crowd': ['D-Mass: place'],
    'a player in the fourth quarter': ['the fourth quarter: abstract_head'],
    'Ingredients for gazpacho on a table': ['gazpacho: purpose'],
    'gloves (medium) – FREE P&P': ['medium: specification', 'P&P: noise'],
    'roses, clipping path included': ['clipping path: depiction'],
    'a bee, shallow depth of field': ['field: depiction', 'shallow depth: abstract_head'],
    'cast of "Cats" on a stage': ['Cats: quoted'],
  }
  for (const [caption, expected] of Object.entries(captions)) {
    it(caption, () => expect(leftPhrases(caption).sort()).toEqual([...expected].sort()))
  }
  it('but no year of a good and no way to run on', () => {
    expect(keptPhrases('a small plane on a run way, the number 20')).toEqual([
      'a small plane',
      'a run way',
      'the number',
    ])
  })
})
