import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson, stringifyJson } from '../../src/base/parse-json.js'
import { withoutNulls } from '../../src/base/without-nulls.js'

describe('parseJson', () => {
  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('', '  ', '\n'), (text, around) => {
        // NaN beside it sends the whole text through the parser for unusual numbers.
        const both = parseJson(`${around}[${text},NaN${around}]`, 'nearest')
        expect(both).toEqual([JSON.parse(text), Number.NaN])
      }),
    )
  })

  test('keeps all digits of whole numbers, and no more than a number can of others', () => {
    expect(parseJson('[9007199254740993, -9007199254740993, 9007199254740991, 1234567890123456.5]')).toEqual([
      9007199254740993n,
      -9007199254740993n,
      9007199254740991,
      1234567890123456.5,
    ])
  })

  test('gives a configuration the nearest number', () => {
    expect(parseJson('{"a": 1000000000000000019884624838656, "b": Infinity}', 'nearest')).toEqual({
      a: 1e30,
      b: Number.POSITIVE_INFINITY,
    })
  })

  test('reads the numbers that Python writes', () => {
    expect(parseJson('{"a": NaN, "b": [Infinity, -Infinity], "c": "NaN, \\" Infinity"}')).toEqual({
      a: Number.NaN,
      b: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      c: 'NaN, " Infinity',
    })
  })

  test.each([
    '{"a": NaN',
    '[NaN,]',
    '[NaN] x',
    '{NaN: 1}',
    '["NaN]',
    '[-NaN]',
    '[NaNs]',
    '[01234567890123456789]',
    '{"a" NaN}',
    '[NaN 1]',
    `${'['.repeat(5000)}NaN`,
    '["\u0001", NaN]',
  ])('%s is not JSON', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError)
  })

  test('a key may be __proto__', () => {
    const value = parseJson('{"__proto__": {"a": NaN}}') as object
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  test('is written again with its digits', () => {
    const text = '{"id":9007199254740993,"score":null,"name":"9007199254740993"}'
    expect(stringifyJson(parseJson(text))).toBe(text)
    expect(stringifyJson({ score: Number.NaN })).toBe('{"score":null}')
  })
})

describe('withoutNulls', () => {
  test('leaves out keys that are null, not elements', () => {
    expect(withoutNulls({ a: null, b: [null, { c: null, d: 0 }], e: { f: null } })).toEqual({
      b: [null, { d: 0 }],
      e: {},
    })
    const whole = { a: [1, null], b: 'x' }
    expect(withoutNulls(whole)).toBe(whole)
  })
})
