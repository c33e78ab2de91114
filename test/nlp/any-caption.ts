import fc from 'fast-check'

const words = [
  ...[
    'a',
    'the',
    'two',
    'red',
    'big',
    'dogs',
    'dog',
    'stand',
    'bus',
    'stop',
    'parking',
    'meter',
    'no',
    'right',
  ],
  ...[
    'of',
    'a group of',
    'lots of',
    'and',
    'on',
    'top',
    'next',
    'to',
    'very',
    'left',
    'is',
    'his',
    'covered',
  ],
  ...[
    "dog's",
    'dogs’',
    "O'Neil’s",
    'T-shirt',
    'well-known',
    'U.S.',
    '1,200',
    '3rd',
    "'s",
    "'",
    '’',
    '-',
    '—',
  ],
  ...['café', 'cafe\u0301', 'naïve', 'İstanbul', 'STRASSE', 'straße', 'ﬁsh', 'ｄｏｇ', 'x\u0338', '\u0301'],
  ...['🦓', '👨‍👩‍👧', '❤\ufe0f', '1\ufe0f\u20e3', '🇫🇷', '👍🏽', '𝒹ℴℊ', '\ud83e', '\udd93'],
  ...['中文', 'こんにちは', '한국어', 'שלום', 'مرحبا', 'नमस्ते', 'кот', 'σκύλος', 'ไทย'],
  ...[
    '\u200b',
    '\u200d',
    '\u00ad',
    '\ufeff',
    '\u202e',
    'so\u00adfa',
    're\u200bd',
    '\u2066dog\u2069',
    '\u0000',
  ],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '<PERSON>', '<b>', '&amp;', '#tag', '@you'],
  ...['https://a.example/b', 'img_1.jpg', ',', '.', '(', ')', '"', '&', '/', '\n', '\t', '\u00a0', '  '],
]

/** Captions of English and anything else, and strings of any code units. */
export const anyCaption = fc.oneof(
  fc
    .array(fc.tuple(fc.constantFrom(...words), fc.constantFrom(' ', ' ', ' ', '', '\u3000')), {
      maxLength: 14,
    })
    .map((parts) => parts.flat().join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
)
