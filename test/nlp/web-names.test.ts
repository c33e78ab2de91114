import { describe } from 'vitest'
import { itKeeps } from './kept-phrases.js'

describe('events and bodies by name', () => {
  itKeeps({
    'Fans watch the Super Bowl in Miami': 'Fans',
    'a concert at the Hollywood Bowl': 'the Hollywood Bowl',
    'Ana Reis wins the US Open': 'Ana Reis',
    'Cars race in the Monaco Grand Prix': 'Cars',
    'Visitors at Comic-Con in San Diego': 'Visitors',
    'Athletes at the Olympics in Tokyo': 'Athletes',
    'Workers of the World Health Organization unload boxes': 'Workers | boxes',
    'A spokesman for the Ministry of Health speaks': 'A spokesman',
    'The damaged bridge, according to the Peruvian army': 'The damaged bridge',
    'Ana Reis of the Tampa Bay Buccaneers throws a ball': 'Ana Reis | a ball',
    'Ana Reis in a scene from The Long Way Home': 'Ana Reis',
    'Ana Reis at the premiere of Spider-Man: No Way Home': 'Ana Reis',
    'a scene from a window': 'a window',
    // Names of what is there.
    'A view of the Rocky Mountains at dusk': 'the Rocky Mountains',
    'View of the Alps from a cable car': 'the Alps | a cable car',
    'a red cup and the open door': 'a red cup | the open door',
  })
})

describe('what is said of a good behind its name', () => {
  itKeeps({
    'Anker PowerCore 10000 Portable Charger, Ultra-Compact, Matte Black':
      'Anker PowerCore 10000 Portable Charger',
    'OXO Mixing Bowl Set | Dishwasher Safe': 'OXO Mixing Bowl Set',
    'Round Jute Rug, 5 ft, Natural, Farmhouse, Entryway, Reversible': 'Round Jute Rug',
    'Wall Clock 12 inch, Bedroom Wedding Party': 'Wall Clock',
    "Burt's Bees Lip Balm, Vanilla Bean, 4-Pack": "Burt's Bees Lip Balm",
    'Dell XPS 15 9520 i7-12700H 16GB RAM 512GB SSD Windows 11 Pro': 'Dell XPS 15 9520',
    'Herman Miller Aeron Chair Size B Graphite Refurbished': 'Herman Miller Aeron Chair',
    'LED String Lights 33ft 100 LEDs': 'LED String Lights',
    'Philips Hue Smart Bulb Online': 'Philips Hue Smart Bulb',
    'Rattan Patio Bistro Set: 2 Chairs + Glass Top Table':
      'Rattan Patio Bistro Set | 2 Chairs | Glass Top Table',
    'Yamaha Digital Piano with stand and bench': 'Yamaha Digital Piano | stand | bench',
    'velvet ottoman with storage': 'velvet ottoman',
    'Velvet Curtains 84 Inch Length 2 Panels Emerald, Living Room': 'Velvet Curtains',
    'Sofa, Living Room': 'Sofa | Living Room',
    // Things of their own.
    'Tomato Salad, Vanilla Bean': 'Tomato Salad | Vanilla Bean',
    'a cup, a kitchen and a garden': 'a cup | a kitchen | a garden',
    'OXO Good Grips 3-Piece Mixing Bowl Set': 'OXO Good Grips 3-Piece Mixing Bowl Set',
  })
})

describe('posts and stock pictures', () => {
  itKeeps({
    "Happy Friday y'all!": '',
    'Happy Friyay! Margaritas on the patio': 'Margaritas | the patio',
    'Happy dog in a park': 'Happy dog | a park',
    'So proud of my boys today!': 'my boys',
    'the harbour rn, ngl': 'the harbour',
    'Top 10 things to do in Lisbon': '',
    'Things on a table': 'Things | a table',
    'Our little bear is ready for school': 'Our little bear',
    'a boy in front of a school': 'a boy | a school',
    'Tag a friend who needs this cake': 'this cake',
    'Click to shop! New candles': 'New candles',
    'our 8 week old golden retriever': 'our 8 week old golden retriever',
    'Smiling female dentist with patient': 'Smiling female dentist | patient',
    'Cybersecurity concept: padlock': 'padlock',
    'Watercolor hand drawn illustration': '',
    'Modern living room interior with sofa': 'Modern living room | sofa',
  })
})
