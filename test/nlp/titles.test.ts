import { describe, expect, it } from 'vitest'
import { chunk } from '../../src/nlp/chunk.js'
import { inBounds } from '../helpers/in-bounds.js'
import { keptPhrases, leftPhrases } from './kept-phrases.js'

/** Captions and the phrases that are kept of them, parted by bars. */
const names = {
  'Nike Air Max 270 React - Black/White Size 10': 'Nike Air Max 270 React',
  'Apple iPhone 13 Pro Max 256GB - Sierra Blue': 'Apple iPhone 13 Pro Max',
  "Vintage Levi's 501 Jeans Size 32": "Vintage Levi's 501 Jeans",
  'Samsung 55 inch 4K Smart TV with Remote': 'Samsung 55 inch 4K Smart TV | Remote',
  'Canon RF 50mm f/1.8 Lens': 'Canon RF 50mm f/1.8 Lens',
  'Fisher-Price Laugh & Learn Puppy': 'Fisher-Price Laugh & Learn Puppy',
  'Dyson V11 Cordless Vacuum Cleaner - Refurbished': 'Dyson V11 Cordless Vacuum Cleaner',
  'Prada Re-Edition small shoulder bag': 'Prada Re-Edition small shoulder bag',
  'a man leaning on an orange Volkswagen Golf': 'a man | an orange Volkswagen Golf',
  'KitchenAid® Artisan® Stand Mixer | Graphite': 'KitchenAid Artisan Stand Mixer',
  'Peugeot 208 alloy wheels w/ winter tyres': 'Peugeot 208 alloy wheels | winter tyres',
  'a diner on Route 66': 'a diner | Route 66',
  'Zip Up Hoodie UK 12': 'Zip Up Hoodie',
  "Pope Francis at St. Peter's Square": "Pope Francis | St. Peter's Square",
  'Ed Burke leaves the courthouse': 'Ed Burke | the courthouse',
  'Voters queue outside a school': 'Voters | a school',
  'Qorvan shares a drink': 'Qorvan | a drink',
  "The bag's handles, a hedge trimmer": "The bag's handles | a hedge trimmer",
  'Sony PlayStation 5 Console': 'Sony PlayStation 5 Console',
  'Tesla Model 3 at a station': 'Tesla Model 3 | a station',
  "Women's Knitted Dress Summer Beach Skirt": "Women's Knitted Dress | Summer Beach Skirt",
  'Glow in the Dark Wall Stickers': 'Glow in the Dark Wall Stickers',
  'Celebrity in a silver sequined dress': 'Celebrity | a silver sequined dress',
  'President Barack Obama waves to a crowd': 'President Barack Obama | a crowd',
  'Taylor Swift performs on a stage': 'Taylor Swift | a stage',
  'A crowd waits for the Museum of Modern Art with Vincent van Gogh':
    'A crowd | the Museum of Modern Art | Vincent van Gogh',
  'Woman Wearing a Red Dress': 'Woman | a Red Dress',
  'How to Make Chocolate Cookies': 'Chocolate Cookies',
  'a T. rex skeleton and Samuel L. Jackson': 'a T. rex skeleton | Samuel L. Jackson',
  '<PERSON> wears a hat': 'PERSON | a hat',
  'NIKE SHOES ARE ON THE TABLE': 'NIKE SHOES | THE TABLE',
}
const parts = {
  'one of the horses and most of its tail': 'one of the horses | most of its tail',
  'a litter of puppies on a chest of drawers': 'a litter of puppies | a chest of drawers',
  'pasta with tahini dressing, pouring concrete': 'pasta | tahini dressing | concrete',
  'A pan with brass handles.': 'A pan | brass handles',
  'Protesters hold placards': 'Protesters | placards',
  'A firefighter sprays water': 'A firefighter | water',
  'His jersey bears the number 23': 'His jersey | the number',
  'She says hello as she leaves court': '',
  'a tall glass, top view': 'a tall glass',
  'the best ever lasagna in a crystal clear bowl': 'the best ever lasagna | a crystal clear bowl',
  'Happy New Year 2023 candle': 'candle',
  'a happy birthday message': 'a happy birthday message',
  'girl boat sea summer': 'girl | boat | sea',
  'palm tree chair sand ocean': 'palm tree | chair | sand | ocean',
}
const pictures = {
  'Red rose stock photo': 'Red rose',
  'Cute cat vector illustration png': 'Cute cat',
  'Shopping cart icon': 'Shopping cart',
  'Banana bread recipe': 'Banana bread',
  'Rustic dining room decor ideas': 'Rustic dining room',
  'Mazda CX-5 interior': 'Mazda CX-5',
  'floral wallpaper in a bedroom': 'floral wallpaper | a bedroom',
  'Seamless pattern with leaves': 'leaves',
  'Watercolor background with birds': 'birds',
  'The map shows a river': 'a river',
  'a framed photograph on the wall': 'a framed photograph | the wall',
}
const things = {
  'a phone case on a table': 'a phone case | a table',
  'cars in an empty lot': 'cars | an empty lot',
  'he smiles a lot': '',
  'Baseball player number 22 swings the bat': 'Baseball player | the bat',
  'a lot of magnets': 'a lot of magnets',
  'gears and springs': 'gears | springs',
}

describe('noun phrases', () => {
  for (const [style, captions] of Object.entries({ names, parts, pictures, things })) {
    describe(`of the web: ${style}`, () => {
      for (const [caption, phrases] of Object.entries(captions)) {
        it(caption, () => expect(keptPhrases(caption).join(' | ')).toBe(phrases))
      }
    })
  }
})

describe('of a caption of the web is left out', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    // Places.
    'a street in Paris, France': ['Paris: place', 'France: place'],
    'the port of Qorvan': ['Qorvan: place'],
    'an old town, Qorvan, Croatia': ['Qorvan: place', 'Croatia: place'],
    'a market in south London and Orange County': ['south London: place', 'Orange County: place'],
    'a turkey on the Grand Canal near Mount Fuji': [],
    'Man and woman': [],
    // What goods are said to be.
    'Wine Glasses, 12 oz': ['12 oz: specification'],
    'Curtains, Navy Blue, 2 Panels': ['Navy: specification', '2 Panels: specification'],
    'a bag in black leather': ['black leather: specification'],
    'a table made of oak': ['oak: specification'],
    'Pressure Cooker, Stainless Steel': ['Stainless Steel: specification'],
    // What they are for, and who sells them.
    'Silicone Case for iPhone 13': ['iPhone 13: purpose'],
    'Hoop Earrings for Women | Etsy': ['Women: purpose', 'Etsy: noise'],
    'Leather Journal - Christmas Gift for Him': ['Christmas Gift: purpose'],
    'gifts under the tree': [],
    'Leather Wallet by Guccini': ['Guccini: credit'],
    'an ornament for a tree, from Charles Bridge': [],
    'QORV - Classic Dog Toy': ['QORV: credit'],
    'a bridge (Reuters)': ['Reuters: credit'],
    'Photo by Jane Doe. A road': ['Photo: depiction', 'Jane Doe: credit'],
    // Words that are quoted, and tags.
    'mug "I Am Your Father"': ['Your Father: quoted'],
    'a "red" dress': [],
    'a puppy #dogs #hawaii': ['dogs: noise', 'hawaii: noise'],
    'Dollar bills, 3d illustration': ['3d illustration: depiction'],
    'a rug with geometric patterns in natural light': [
      ...['geometric patterns: abstract_head', 'natural light: abstract_head'],
    ],
    // What is done.
    'children playing football': ['football: abstract_head'],
    'a family having breakfast at sunset': ['breakfast: abstract_head', 'sunset: abstract_head'],
    'a sunset over a breakfast table': [],
    'an inn off the coast, in the center of the frame': [
      ...['the coast: relational_head', 'the center: relational_head', 'the frame: relational_head'],
    ],
    'The overall atmosphere is a sense of calm': [
      'The overall atmosphere: abstract_head',
      'a sense: abstract_head',
    ],
  }
  for (const [caption, expected] of Object.entries(cases)) {
    it(caption, () => expect(leftPhrases(caption).filter((text) => !/^calm/.test(text))).toEqual(expected))
  }

  it('nothing that keeps a long caption from being read in bounded time', async () => {
    for (const part of [
      '"',
      'Air Max 270 ',
      'Salt & Pepper ',
      '#a ',
      'of London ',
      'Dress 12 oz ',
      'wallpaper ',
      '<b>',
    ])
      await inBounds(() => chunk(part.repeat(5000)), part)
  })
})
