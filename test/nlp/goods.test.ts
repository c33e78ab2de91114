import { describe, expect, it } from 'vitest'
import { nameEnd } from '../../src/nlp/goods/name-end.js'
import { tokenize } from '../../src/nlp/lexicon/tokenize.js'
import { isWare } from '../../src/nlp/lexicon/wares.js'
import { repairTags } from '../../src/nlp/tags/repair-tags.js'
import { tag } from '../../src/nlp/tags/tag.js'
import { keptPhrases, leftPhrases } from './kept-phrases.js'

/** Captions and the phrases that are kept of them, parted by bars. */
const titles = {
  'where another name begins': {
    'Chair Cover Stretch Dining Seat Slipcover': 'Chair Cover | Stretch Dining Seat Slipcover',
    'Steel Pot Set Stackable Cookware': 'Steel Pot Set | Stackable Cookware',
    'School Backpack Kids Lunch Bag Rainbow': 'School Backpack | Kids Lunch Bag',
    'Desk Lamp 48" Red Plaid Floor Mat': 'Desk Lamp | Red Plaid Floor Mat',
    'Torch Flashlight 900 Lumens Zoomable Bicycle Light': 'Torch Flashlight | Zoomable Bicycle Light',
    'Leopard Print Faux Fur Throw Blanket': 'Leopard Print Faux Fur Throw Blanket',
    'Leather Wallet Father’s Day Gift Cotton Tee': 'Leather Wallet | Cotton Tee',
    'Star Confetti Jar Table Decoration, 14g': 'Star Confetti Jar',
    '4 Pairs Mens Wool Socks': '4 Pairs Mens Wool Socks',
  },
  'where data begin': {
    'Painted Bedside Cabinet 3 Drawer': 'Painted Bedside Cabinet',
    'Watercolour Brush Set 24 Colours x 12ml Tubes': 'Watercolour Brush Set',
    'Makita Hammer Drill RH 10.5': 'Makita Hammer Drill',
    'Soft Bath Towel Round Natural': 'Soft Bath Towel',
    'Revlon Matte Lipstick Berry Bliss': 'Revlon Matte Lipstick',
    'Old Silver Dollar Coin BU 2019 Type 2': 'Old Silver Dollar Coin',
    'Vintage Postcards Italy 1900': 'Vintage Postcards',
    'Garden Chairs Set of 4, Teak': 'Garden Chairs',
    'Sony Wireless Controller Midnight Black': 'Sony Wireless Controller',
    'Silk Evening Dress A-Line Sweetheart Neckline': 'Silk Evening Dress',
    'Steel Pocket Lighter High Polish Brass': 'Steel Pocket Lighter',
    'SKU 40219 Brass Door Handle': 'Brass Door Handle',
    'BMW X3 M Sport 5dr Auto': 'BMW X3 M Sport',
    'Aston Martin DB5 at a castle': 'Aston Martin DB5 | a castle',
    'Leather Handbag 30 in Togo leather with gold hardware': 'Leather Handbag | gold hardware',
  },
  'what is inside a name': {
    'USB-C to Lightning Cable': 'USB-C to Lightning Cable',
    'Stick and Peel Border 17"': 'Stick and Peel Border',
    'Oster Corded/Cordless Magic Hair Clipper': 'Oster Corded/Cordless Magic Hair Clipper',
    "Boys' Under Armour Logo T-Shirt": "Boys' Under Armour Logo T-Shirt",
    "Ben & Jerry's Ice Cream Tub": "Ben & Jerry's Ice Cream Tub",
    'Matchbox Trucks 1:64 Die-Cast Van': 'Matchbox Trucks 1:64 Die-Cast Van',
    'Olaplex No. 3 Hair Mask': 'Olaplex No. 3 Hair Mask',
    'New Holland T7.210 tractor': 'New Holland T7.210 tractor',
    'Samsung 970 M.2 SSD': 'Samsung 970 M.2 SSD',
    'Seresto Flea and Tick Collar': 'Seresto Flea and Tick Collar',
    'Red 1965 Mustang convertible': 'Red 1965 Mustang convertible',
    'Nissan Leaf SL | white': 'Nissan Leaf SL',
    'Chicco NextFit Zip Convertible Car Seat': 'Chicco NextFit Zip Convertible Car Seat',
    'Nivea Rich Hand Cream 75ml': 'Nivea Rich Hand Cream',
  },
  'tags of words': {
    'a navy three-piece suit': 'a navy three-piece suit',
    'Sage green linen napkins': 'Sage green linen napkins',
    'Mini dashboard and steering wheel': 'Mini dashboard | steering wheel',
    'a sink & his-and-hers sinks': 'a sink | his-and-hers sinks',
    '4 bedroom detached house': '4 bedroom detached house',
    '2 bedroom flat to rent': '2 bedroom flat',
    'Floor to ceiling windows over a lake': 'Floor to ceiling windows | a lake',
    'jars with labels and funnel': 'jars | labels | funnel',
    'a bowl, hand thrown': 'a bowl',
    'Cheddar & Bacon Quiche': 'Cheddar & Bacon Quiche',
    'a girl holding pen and paper': 'a girl | pen | paper',
  },
}

describe('names of goods', () => {
  for (const [kind, captions] of Object.entries(titles)) {
    describe(kind, () => {
      for (const [caption, phrases] of Object.entries(captions)) {
        it(caption, () => expect(keptPhrases(caption).join(' | ')).toBe(phrases))
      }
    })
  }
})

describe('of a title of a good is left out', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    // What is said of it.
    'Lush Bath Gift Set Vegan & Cruelty Free': ['Vegan: specification', 'Cruelty Free: specification'],
    'Dog Bed, Washable Removable Cover': ['Washable Removable Cover: specification'],
    'Oak Garden Bench, WEATHER RESISTANT HDPE': ['WEATHER RESISTANT HDPE: specification'],
    'Slate Coaster Set - Any Name Engraved': ['Any Name: specification'],
    'Steel Digital Kitchen Lamp, batteries not included': ['batteries: specification'],
    'HB Pencil Set - Box of 12': ['Box: specification'],
    'Lamp Shade, M9/W11': ['M9/W11: specification'],
    'Apple Phone Case - 10 ft Drop Protection': ['10 ft Drop Protection: specification'],
    'Ranch House, 3 Bed, 2 Bath': ['3 Bed: specification', '2 Bath: specification'],
    'Ford Focus hatchback, 1.0 EcoBoost, 67 plate': [
      '1.0 EcoBoost: specification',
      '67 plate: specification',
    ],
    'Gluten-Free Muffins (Dairy Free)': ['Dairy Free: specification'],
    // What shops shout.
    'BRAND NEW - Lego Technic Car': ['BRAND NEW: noise'],
    // Titles of works, by what they come on.
    'The Girl on the Train by Paula Hawkins (Paperback, 2016)': [
      ...['The Girl: quoted', 'the Train: quoted', 'Paula Hawkins: credit'],
    ],
    'Mario Kart 8 (Nintendo Switch)': ['Mario Kart 8: quoted', 'Nintendo Switch: specification'],
    // Rooms and houses.
    'Teen bedroom decor with fairy lights': ['decor: depiction'],
    '123 Maple Ave, Springfield': ['123 Maple Ave: place', 'Springfield: place'],
    'a bedroom in shades of blue': ['shades: abstract_head'],
  }
  for (const [caption, expected] of Object.entries(cases)) {
    it(caption, () =>
      expect(
        leftPhrases(caption).filter((text) =>
          expected.some((one) => one.split(':')[0] === text.split(':')[0]),
        ),
      ).toEqual(expected),
    )
  }

  it('nothing where a sentence is told', () => {
    expect(keptPhrases('A woman in a dress holds a large white phone case')).toEqual([
      'A woman',
      'a dress',
      'a large white phone case',
    ])
    expect(keptPhrases('a boombox with CD player')).toEqual(['a boombox', 'CD player'])
  })
})

describe('a ware', () => {
  it('is made to be used, worn or eaten', () => {
    const words = ['lamp', 'dress', 'lawnmower', 'smartwatch', 'tee', 'signature', 'zip', 'print', 'beckham']
    expect(words.filter(isWare)).toEqual(['lamp', 'dress', 'lawnmower', 'smartwatch', 'tee'])
  })

  it('ends a name in titles only', () => {
    const tokens = (caption: string) => repairTags(tag(tokenize(caption)))
    expect(nameEnd(tokens('Wool Rug Runner Vintage Floor Mat'), 0, 6)).toBeLessThan(6)
    expect(nameEnd(tokens('he says the rug runner vintage floor mat is old'), 2, 8)).toBe(8)
  })
})
