import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readBracketed, readEntities, type Span } from '../../bench/read-annotation.js'
import { spanScores } from '../../bench/span-scores.js'

const read = (file: string) =>
  readBracketed(readFileSync(new URL(`../../bench/data/${file}`, import.meta.url), 'utf8'))

function expectWholeWords(text: string, spans: readonly Span[]): void {
  const points = [...text]
  let last = -1
  for (const { start, end } of spans) {
    expect(start).toBeGreaterThan(last)
    expect(points.slice(start, end).join('').trim().length).toBe(end - start)
    expect(points[start - 1] ?? ' ').not.toMatch(/\w/)
    expect(points[end] ?? ' ').not.toMatch(/\w/)
    last = end
  }
}

describe('the marked captions', () => {
  it('are 300 of different pictures, each mark round whole words of its caption', () => {
    const marked = read('coco-phrases.tsv')
    expect(marked.length).toBe(300)
    expect(new Set(marked.map(({ id }) => id)).size).toBe(300)
    for (const { id, text, spans } of marked) {
      expect(id).toMatch(/^\d+$/)
      expect(text).not.toMatch(/[[\]]/)
      expect(spans.length).toBeGreaterThan(0)
      expectWholeWords(text, spans)
    }
    expect(marked.flatMap(({ spans }) => spans).length).toBe(813)
  })

  it.each([['web-phrases-dev.tsv', 169, 520]])(
    'in the manner of the web (%s) say their kind, each mark round whole words',
    (file, captions, phrases) => {
      const marked = read(file)
      expect(marked.length).toBe(captions)
      expect(new Set(marked.map(({ text }) => text)).size).toBe(captions)
      for (const { id, text, spans } of marked) {
        expect(id).toMatch(/^[a-z]+-\d\d$/)
        expect(text).not.toMatch(/[[\]]/)
        expectWholeWords(text, spans)
      }
      expect(marked.flatMap(({ spans }) => spans).length).toBe(phrases)
    },
  )

  it('of Flickr30k Entities lose their markup', () => {
    const [{ text, spans }] = readEntities(
      '[/EN#1/people A man] sees [/EN#0/notvisual him] by [/EN#2/scene a bar] .',
      'x',
    )
    expect(text).toBe('A man sees him by a bar .')
    expect(spans.map(({ start, end }) => text.slice(start, end))).toEqual(['A man', 'a bar'])
  })
})

describe('scores of spans', () => {
  it('count exact spans over all captions', () => {
    const a = { start: 0, end: 2 }
    const b = { start: 3, end: 5 }
    const c = { start: 3, end: 6 }
    expect(
      spanScores([
        { found: [a, b], true: [a, c] },
        { found: [], true: [b] },
      ]),
    ).toEqual({ precision: 1 / 2, recall: 1 / 3, f1: 2 / 5 })
    expect(spanScores([])).toEqual({ precision: 0, recall: 0, f1: 0 })
  })
})
