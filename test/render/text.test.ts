import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { palette, phraseColours } from '../../src/render/phrase-colours.js'
import { placeLabels } from '../../src/render/place-labels.js'
import { fitColumns, textColumns } from '../../src/render/text-columns.js'
import { wrapCaption } from '../../src/render/wrap-caption.js'

const words = fc
  .array(fc.constantFrom('a', 'red', 'zebra', '🦓', '老虎', 'naïve', 'incomprehensibilities'), {
    maxLength: 20,
  })
  .map((list) => list.join(' '))

describe('captions in lines', () => {
  it('keep every character but the spaces between lines, and fit', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 40 }), (text, columns) => {
        const lines = wrapCaption(text, [], columns).map((line) => line.map((run) => run.text).join(''))
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
        for (const line of lines) expect(textColumns(line)).toBeLessThanOrEqual(columns)
      }),
    )
  })

  it('colour a span through the end of a line, in code points', () => {
    const text = '🦓 a red zebra here'
    const lines = wrapCaption(text, [{ start: 2, end: 13, colour: 'red' }], 9)
    expect(lines).toEqual([
      [
        { text: '🦓 ', colour: undefined },
        { text: 'a red', colour: 'red' },
      ],
      [{ text: 'zebra', colour: 'red' }],
      [{ text: 'here', colour: undefined }],
    ])
  })

  it('are cut off where they must fit one line', () => {
    expect(fitColumns('a red zebra', 11)).toBe('a red zebra')
    expect(fitColumns('a red zebra', 6)).toBe('a red…')
    expect(fitColumns('🦓🦓🦓', 5)).toBe('🦓🦓…')
    expect(textColumns('e\u0301')).toBe(1)
  })
})

describe('colours', () => {
  it('have a contrast of 4.5 to white', () => {
    // WCAG 2.1, relative luminance.
    const luminance = (colour: string) =>
      [0.2126, 0.7152, 0.0722].reduce((sum, weight, channel) => {
        const value = Number.parseInt(colour.slice(1 + 2 * channel, 3 + 2 * channel), 16) / 255
        return sum + weight * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
      }, 0)
    for (const colour of palette) expect(1.05 / (luminance(colour) + 0.05)).toBeGreaterThanOrEqual(4.5)
    expect(new Set(palette).size).toBe(palette.length)
  })

  it('go by the text of the phrase', () => {
    const colourOf = phraseColours(['a dog', 'a cat', 'A dog', 'an owl'])
    expect(['A DOG', 'a cat', 'an owl'].map(colourOf)).toEqual(palette.slice(0, 3))
  })
})

describe('labels', () => {
  const label = (text: string, x: number, y: number, side = 40) => ({
    text,
    box: [x, y, x + side, y + side] as const,
    width: 50,
    height: 15,
  })

  it('stay inside, and apart from those with other words where there is room', () => {
    const placed = placeLabels(
      [label('dog', 100, 100), label('cat', 104, 102), label('owl', 0, 0), label('hat', 190, 160)],
      240,
      200,
    )
    expect(placed).toHaveLength(4)
    for (const one of placed) {
      expect(one.x >= 0 && one.x + 50 <= 240 && one.y >= 0 && one.y + 15 <= 200).toBe(true)
      for (const other of placed) {
        if (one === other) continue
        expect(Math.abs(one.x - other.x) >= 50 || Math.abs(one.y - other.y) >= 15).toBe(true)
      }
    }
  })

  it('are left out in a crowd of the same words, never where the words differ', () => {
    const crowd = Array.from({ length: 40 }, (_, at) => label('book', 100 + at, 100))
    expect(placeLabels(crowd, 240, 200).length).toBeLessThan(12)
    const different = Array.from({ length: 40 }, (_, at) => label(`book ${at}`, 100 + at, 100))
    expect(placeLabels(different, 240, 200)).toHaveLength(40)
  })
})
