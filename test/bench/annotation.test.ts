import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { worstLines } from '../../bench/phrase-report.js'
import { readBracketed, readEntities, type Span } from '../../bench/read-annotation.js'
import { f1Metric, spanErrors, spanScores } from '../../bench/span-scores.js'

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

  it.each([
    ['web-phrases-dev.tsv', 169, 518],
    ['web-phrases-held-out.tsv', 169, 487],
    ['web-phrases-more.tsv', 611, 1132],
  ])(
    'in the manner of the web (%s) say their kind, each mark round whole words',
    (file, captions, phrases) => {
      const marked = read(file)
      expect(marked.length).toBe(captions)
      expect(new Set(marked.map(({ text }) => text)).size).toBe(captions)
      for (const { id, text, spans } of marked) {
        expect(id).toMatch(/^[a-z]+-x?\d{2,3}$/)
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

const span = (start: number, end: number): Span => ({ start, end })

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

  it('are an F1 of any multiset of the captions, and tell captions with the same outcome by it', () => {
    const [a, b, c] = [span(0, 2), span(3, 5), span(3, 6)]
    const pairs = [
      { found: [a, b], true: [a, c] },
      { found: [], true: [b] },
      { found: [c], true: [c] },
    ]
    const { over, seen } = f1Metric(pairs)
    expect(over(Int32Array.of(1, 1, 1))).toBeCloseTo(spanScores(pairs).f1, 15)
    expect(over(Int32Array.of(2, 0, 1))).toBeCloseTo((2 * 3) / (5 + 5), 15)
    expect(over(Int32Array.of(0, 0, 0))).toBe(0)
    expect(seen).toEqual(['1 2 2', '0 0 1', '1 1 1'])
  })

  it('name what was missed and what was wrong, captions with most of it first', () => {
    const [a, b, c] = [span(0, 2), span(3, 5), span(3, 6)]
    expect(spanErrors({ found: [a, b], true: [a, c] })).toEqual({ missed: [c], wrong: [b] })
    const captions = [
      { id: 'x-01', text: 'é a dog', spans: [span(2, 7)] },
      { id: 'x-02', text: 'a cat', spans: [span(0, 5)] },
      { id: 'x-03', text: 'a red hat', spans: [span(0, 9)] },
    ]
    const found: Record<string, Span[]> = { 'é a dog': [], 'a cat': [span(0, 5)], 'a red hat': [span(6, 9)] }
    expect(worstLines(captions, (text) => found[text]!)).toBe(
      [
        'x-03  a red hat',
        '    missed [a red hat]',
        '    wrong [hat]',
        'x-01  é a dog',
        '    missed [a dog]',
      ].join('\n'),
    )
  })
})
