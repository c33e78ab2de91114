import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePrompt, tokensOf } from '../../src/model/prompt.js'
import { buildVocabulary, createTokenizer, tokenizerJson } from '../../src/model/word-piece.js'

const corpus = [
  'a red zebra next to a blue car',
  'two zebras, one car',
  "the dog's café is naïve",
  'a red car 🦓',
]
const vocabulary = buildVocabulary(corpus, 200)
const tokenizer = createTokenizer(vocabulary)
const reference = new HuggingFaceTokenizer(JSON.parse(tokenizerJson(vocabulary)), {})

describe('WordPiece', () => {
  it('gives the ids that Hugging Face tokenizers gives', () => {
    const unit = fc.constantFrom(
      ...'abcdezr é ÀßŁ,.!?-_\'"$+ 中文 🦓\u0301\u200b\t\n12'.split(''),
      'zebra',
      ' car ',
      'red ',
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 20 }), (units) => {
        const text = units.join('')
        expect(tokenizer.encode(text).map(({ id }) => id)).toEqual(reference.encode(text).ids)
      }),
      { numRuns: 500 },
    )
  })

  it('says where in the text each piece is', () => {
    const text = '🦓 A Red  zebras, CAFÉ'
    const points = [...text]
    const pieces = tokenizer.encode(text).slice(1, -1)
    expect(pieces.map(({ start, end }) => points.slice(start, end).join('')).join('')).toBe(
      text.replace(/\s/g, ''),
    )
  })

  it('puts the frequent words into the vocabulary whole', () => {
    expect(vocabulary.has('red')).toBe(true)
    expect(vocabulary.has('zebras')).toBe(false)
    expect(tokenizer.encode('zebras').length).toBeGreaterThan(3)
  })
})

describe('a prompt', () => {
  it('knows the tokens of a phrase, and none of one that was cut off', () => {
    const text = 'a red zebra, a car'
    const prompt = encodePrompt(text, tokenizer, 32)
    expect(tokensOf(prompt, [2, 5])).toEqual([2])
    expect(tokensOf(prompt, [0, 5])).toEqual([1, 2])
    const cut = encodePrompt(text, tokenizer, 4)
    expect([...cut.mask]).toEqual([1, 1, 1, 1])
    expect(tokensOf(cut, [13, 18])).toEqual([])
  })
})
