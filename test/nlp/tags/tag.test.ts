import { describe, expect, it } from 'vitest'
import { tokenize } from '../../../src/nlp/lexicon/tokenize.js'
import { repairTags } from '../../../src/nlp/tags/repair-tags.js'
import { tag } from '../../../src/nlp/tags/tag.js'

const tags = (caption: string) => repairTags(tag(tokenize(caption))).map((token) => token.tag)

describe('tags', () => {
  it('are strings for words that an object has without being asked', () => {
    const words = '__proto__ constructor toString hasOwnProperty valueOf'
    expect(tag(tokenize(words)).every(({ tag }) => typeof tag === 'string')).toBe(true)
  })

  it('are FW for words of another script, which the tagger does not know', () => {
    expect(tags('中文 кот dog')).toEqual(['FW', 'FW', 'NN'])
  })

  it('look accents over', () => {
    expect(tags('a naïve dog')).toEqual(tags('a naive dog'))
  })

  const repaired: Readonly<Record<string, string>> = {
    'two dogs chase a cat': 'CD NNS VBP DT NN',
    'a bus stop': 'DT NN NN',
    'parking meters': 'NN NNS',
    'a beautiful butterfly': 'DT JJ NN',
    'a man jumps over a bench': 'DT NN VBZ IN DT NN',
    'a few sports cars': 'DT JJ NNS NNS',
    'the left half': 'DT JJ NN',
    'a dog can run': 'DT NN MD VB',
  }
  for (const [caption, expected] of Object.entries(repaired)) {
    it(`${caption}: ${expected}`, () => expect(tags(caption).join(' ')).toBe(expected))
  }
})
