import { expect, it } from 'vitest'
import { plainJson, plainLines, plainText } from '../../src/base/plain-text.js'

/** What terminals obey: C0, DEL, C1, marks of direction; half a character; ends of lines that are none. */
const obeyed = [
  ...Array.from({ length: 0x20 }, (_, code) => code),
  ...Array.from({ length: 0x21 }, (_, at) => 0x7f + at),
  ...[0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069, 0xd800, 0xdfff],
].map((code) => String.fromCharCode(code))

it('nothing that a terminal obeys is left of a text, and nothing else is changed', () => {
  for (const sign of obeyed) {
    expect(plainText(`a${sign}b`), JSON.stringify(sign)).toBe('a\ufffdb')
    if (sign === '\n' || sign === '\t') continue
    expect(plainLines(`a${sign}b\nc`), JSON.stringify(sign)).toBe('a\ufffdb\nc')
  }
  const harmless = 'a "dog" — Hündin 犬 🐕‍🦺 שלום ✓ │\u00a0\u200d'
  expect(plainText(harmless)).toBe(harmless)
  expect(plainLines('a\tb\r\nc\n')).toBe('a b\nc\n')
})

it('JSON is the same value to the letter, and obeyed by no terminal', () => {
  const value = { [`k${obeyed.join('')}`]: [`v${obeyed.join('')}`, 1.5, null], plain: 'é"\\' }
  const text = plainJson(value)
  expect(JSON.parse(text)).toEqual(value)
  expect(plainText(text)).toBe(text)
  expect(plainJson({ plain: 'é"\\' })).toBe(JSON.stringify({ plain: 'é"\\' }))
})
