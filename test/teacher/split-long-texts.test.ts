import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partsOf, splitLongTexts } from '../../src/teacher/split-long-texts.js'
import type { Query, Teacher } from '../../src/teacher/teacher.js'

const picture = { width: 1, height: 1, scale: 1, data: new Uint8Array(3) }
/** A token a word, and two more, as of a tokenizer with a start and an end. */
const tokensOf = (text: string) => text.split(/\s+/u).filter(Boolean).length + 2

const word = fc.constantFrom('a', 'dog', 'große', '🐈', 'on', 'the', 'table')
const captions = fc
  .tuple(
    fc.array(word, { minLength: 1, maxLength: 30 }),
    fc.array(fc.tuple(fc.nat(29), fc.nat(3)), { maxLength: 8 }),
    fc.integer({ min: 5, max: 12 }),
  )
  .map(([words, phrases, maxTokens]) => {
    const starts = words.map((_, at) => [...words.slice(0, at).join(' ')].length + (at > 0 ? 1 : 0))
    const spans = phrases.map(([at, more]) => {
      const first = at % words.length
      const last = Math.min(words.length - 1, first + more)
      return [starts[first], starts[last] + [...words[last]].length] as const
    })
    return { query: { picture, text: words.join(' '), phrases: spans } satisfies Query, maxTokens }
  })

const slice = (text: string, [start, end]: readonly [number, number]) => [...text].slice(start, end).join('')

describe('a long text', () => {
  it('is asked in parts that fit, each phrase whole and once', () => {
    fc.assert(
      fc.property(captions, ({ query, maxTokens }) => {
        const parts = partsOf(query, { tokensOf, maxTokens })
        const asked = parts.flatMap(({ phrases }) => phrases)
        const isShort = tokensOf(query.text) <= maxTokens
        if (!isShort) expect([...asked].sort((a, b) => a - b)).toEqual([...query.phrases.keys()])
        for (const part of parts) {
          expect(query.text).toContain(part.query.text)
          part.phrases.forEach((phrase, at) => {
            expect(slice(part.query.text, part.query.phrases[at])).toBe(
              slice(query.text, query.phrases[phrase]),
            )
          })
          const isLoneLong =
            part.phrases.length === 1 && part.query.text === slice(query.text, query.phrases[part.phrases[0]])
          if (!isLoneLong) expect(tokensOf(part.query.text)).toBeLessThanOrEqual(maxTokens)
        }
        if (isShort) expect(parts).toEqual([{ query, phrases: [...query.phrases.keys()] }])
      }),
    )
  })

  it('keeps as many of the words around its phrases as there is room for', () => {
    const text = 'far away and long ago a dog sat on the table in a house by the sea'
    const start = text.indexOf('a dog')
    const [part] = partsOf({ picture, text, phrases: [[start, start + 5]] }, { tokensOf, maxTokens: 8 })
    expect(part.query.text).toBe('long ago a dog sat on')
  })

  it('gives the answers back under the phrases of the whole', async () => {
    const seen: string[] = []
    const teacher: Teacher = {
      name: 't',
      hash: '',
      pictureSide: 1,
      batch: 1,
      parallel: 1,
      tokensOf,
      maxTokens: 6,
      async detect(queries) {
        seen.push(...queries.map(({ text }) => text))
        return queries.map(({ text, phrases }) =>
          phrases.map((span, phrase) => ({
            phrase,
            xyxy: [0, 0, 1, 1] as const,
            score: slice(text, span).length / 10,
          })),
        )
      },
      async close() {},
    }
    const text = 'a dog and a cat and a bird and a horse and a cow'
    const words = ['a dog', 'a bird', 'a cow', 'a horse']
    const phrases = words.map((words) => [text.indexOf(words), text.indexOf(words) + words.length] as const)
    const [found] = await splitLongTexts(teacher).detect([{ picture, text, phrases }], {
      floor: 0,
      nms: 1,
      max_boxes: 9,
    })
    expect(seen.length).toBeGreaterThan(1)
    expect(new Map(found.map(({ phrase, score }) => [words[phrase], Math.round(score * 10)]))).toEqual(
      new Map(words.map((words) => [words, words.length])),
    )
    expect(found.map(({ score }) => score)).toEqual(
      [...found.map(({ score }) => score)].sort((a, b) => b - a),
    )
  })
})
