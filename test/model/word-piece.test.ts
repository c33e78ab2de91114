import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { encodePrompt, tokensOf } from '../../src/model/encode-prompt.js'
import { buildVocabulary } from '../../src/model/vocabulary-builder.js'
import { createTokenizer, readTokenizer, tokenizerJson } from '../../src/model/word-piece.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

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

/** Tokens and spans of Hugging Face's own tokenizers, in Rust: bench/parity/word_piece.py. */
const { vocabulary: tokens, texts } = JSON.parse(
  readFileSync(new URL('./fixtures/word-piece.json', import.meta.url), 'utf8'),
) as {
  readonly vocabulary: readonly string[]
  readonly texts: readonly { readonly text: string; readonly ids: number[]; readonly spans: number[][] }[]
}

describe('the uncased BERT', () => {
  const bert = createTokenizer(new Map(tokens.map((token, id) => [token, id])))

  it('splits every kind of text as its authors do, at the same code points', () => {
    expect(texts.length).toBeGreaterThan(300)
    for (const { text, ids, spans } of texts) {
      const pieces = bert.encode(text)
      expect({ text, ids: pieces.map(({ id }) => id) }).toEqual({ text, ids })
      expect({ text, spans: pieces.map(({ start, end }) => [start, end]) }).toEqual({ text, spans })
    }
  })

  it('is read from vocab.txt and tokenizer.json alike', async () => {
    const folder = await temporaryFolder()
    const lines = join(folder, 'vocab.txt')
    const json = join(folder, 'tokenizer.json')
    const text = tokenizerJson(bert.vocabulary)
    await writeFile(lines, tokens.map((token) => `${token}\n`).join(''))
    await writeFile(json, text)
    for (const path of [lines, json]) {
      const { vocabulary, encode } = await readTokenizer(path)
      expect(vocabulary).toEqual(bert.vocabulary)
      expect(encode('Café zebras')).toEqual(bert.encode('Café zebras'))
    }

    const refused = async (path: string, content: string, message: RegExp) => {
      await writeFile(path, content)
      const refusal = await readTokenizer(path).catch((error: unknown) => error)
      expect(refusal).toBeInstanceOf(UserError)
      expect((refusal as Error).message).toMatch(message)
    }
    await refused(lines, 'a\nb\na\n', /has a token twice/)
    await refused(lines, 'a\nb\n', /has no \[PAD\]/)
    await refused(
      json,
      text.replace('"lowercase": true', '"lowercase": false'),
      /not the tokenizer of an uncased/,
    )
    await refused(json, text.replace('_prefix": "##"', '_prefix": "@@"'), /prefix "@@"/)
    await refused(json, '{"model":{"type":"BPE"}}', /is not a WordPiece tokenizer\.json/)
    await refused(json, 'null', /is not a WordPiece tokenizer\.json/)
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
