import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readBracketed } from '../../bench/read-annotation.js'
import { isEnglish } from '../../src/nlp/language.js'
import { tokenize } from '../../src/nlp/lexicon/tokenize.js'

const english = (caption: string) => isEnglish(tokenize(caption))

describe('a caption is taken for another language', () => {
  const lines = readFileSync(new URL('fixtures/other-languages.tsv', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const captions = lines.map((line) => line.split('\t'))

  it('where it is in one', () => {
    const missed = captions.filter(([, caption]) => english(caption)).map(([language]) => language)
    // The rest has hardly a word that is of one language alone.
    expect(captions.length).toBe(84)
    expect(missed.length).toBeLessThanOrEqual(6)
  })

  it('in every script', () => {
    for (const [language, caption] of captions) {
      if (!/\p{Script=Latin}/u.test(caption)) expect(english(caption), language).toBe(false)
    }
  })

  it('and never an English one, a name or a title', () => {
    const file = readFileSync(new URL('../../bench/data/coco-phrases.tsv', import.meta.url), 'utf8')
    for (const { text } of readBracketed(file)) expect(english(text), text).toBe(true)
    for (const title of [
      ...['Los Angeles, California', 'café au lait', 'Le Corbusier Villa Savoye', 'El Capitan Yosemite'],
      ...['São Paulo skyline', 'Pokémon Pikachu', 'Eine kleine Nachtmusik CD cover', 'Toyota Corolla Altis'],
      ...[
        'Zdzisław Beksiński painting',
        'Beyoncé at the Grammys',
        'dog',
        '',
        '2010',
        '🐶',
        '一只猫 on a mat',
      ],
    ]) {
      expect(english(title), title).toBe(true)
    }
  })
})

describe('of a caption of few or unknown words', () => {
  it.each([
    // Three words prove nothing, the fourth may.
    ['zyx qvar und', true],
    ['zyx qvar plim und', false],
    ['zyx qvar plim dran', true],
    // Half of the words are known: one foreign one is not enough, two are.
    ['zyx qvar dog house und', true],
    ['zyxar qvim plen drok strop und dog house', true],
    ['zyxar qvim plen drok und dog eine house', false],
    // An English word is worth a foreign one.
    ['zyx qvar the house und', true],
    ['zyxar und with eine qvim plen', false],
    // Letters of another language, with an accent and of their own.
    ['zyx qvâr plîm dran', false],
    ['zyx qværen plim dran', false],
    ['the zyx qvâr plîm of dran', true],
    ['cafe naïve résumé fiancée', true],
    // Words that are in several languages.
    ['i a o me no la', true],
    ['i a o me no la und zyx', true],
    // Plurals and forms of verbs are known by their stem.
    ['hoodies selfies zyxar und eine', false],
    ['dogs cats houses und', true],
    // Scripts by their letters.
    ['一只猫在桌子上', false],
    ['一只猫 dog', true],
    ['кот dog', true],
    ['коты dog', false],
    ['1234 567 zyx und', true],
  ] as const)('%j: %s', (caption, expected) => expect(english(caption)).toBe(expected))
})
