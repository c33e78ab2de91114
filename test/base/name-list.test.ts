import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { nameList, pathList, shortLine, shownName, shownValue } from '../../src/base/name-list.js'
import { firstIssue, inWords } from '../../src/base/schema-words.js'

describe('names in a message', () => {
  it('stand as they are, and in quotation marks where what they hold would not be seen', () => {
    expect(shownName('a name')).toBe('a name')
    expect(['a, b', ' a', 'a\nb', ''].map((name) => shownName(name))).toEqual([
      '"a, b"',
      '" a"',
      '"a\\nb"',
      '""',
    ])
    expect(shownName('x'.repeat(61))).toBe(`${'x'.repeat(60)}…`)
    expect(nameList(['a', 'b c', 'd,'])).toBe('a, b c, "d,"')
    expect(nameList([])).toBe('')
  })

  it('are forty at most, and of long ones as many as somebody reads', () => {
    const many = Array.from({ length: 999 }, (_, at) => String(at))
    expect(nameList(many.slice(0, 40))).toBe(many.slice(0, 40).join(', '))
    expect(nameList(many)).toBe(`${many.slice(0, 40).join(', ')} and 959 more`)
    const long = Array.from({ length: 20 }, (_, at) => String(at % 10).repeat(50))
    expect(nameList(long)).toBe(`${long.slice(0, 11).join(', ')} and 9 more`)
    // A few are named whatever their length: of a path only the whole is of use.
    const paths = Array.from({ length: 5 }, () => 'p'.repeat(400))
    expect(pathList(paths)).toBe(`${paths.slice(0, 4).join(', ')} and 1 more`)
  })
})

describe('a value in a message', () => {
  it('is JSON, cut where it is long, and said to be missing where it is', () => {
    expect([null, 1, 'a', { a: [1] }, undefined].map((value) => shownValue(value))).toEqual([
      'null',
      '1',
      '"a"',
      '{"a":[1]}',
      'missing',
    ])
    expect(shownValue('}'.repeat(99))).toBe(`"${'}'.repeat(59)}…`)
    expect(shownValue({ a: '\n' })).toBe('{"a":"\\n"}')
    const own: unknown[] = []
    own.push(own)
    expect([5n, [2n ** 70n], own].map((value) => shownValue(value))).toEqual([
      '"5"',
      '["1180591620717411303424"]',
      'a value that holds itself',
    ])
  })
})

describe('a line of a message', () => {
  it('is one line, in which no word fills the screen', () => {
    expect(shortLine(`a "${'b'.repeat(80)}"\r\nc`)).toBe(`a "${'b'.repeat(60)}…"\\r\\nc`)
    expect(shortLine('b'.repeat(79))).toBe('b'.repeat(79))
    expect(shortLine('ab '.repeat(999))).toHaveLength(1000)
    const parsed = z.strictObject({ a: z.number() }).safeParse({ a: 1, ['k\n'.repeat(99)]: 2 }, inWords)
    expect(firstIssue(parsed.error!)).toMatch(/^no such key: "k\\nk\\n.*…/)
    expect(firstIssue(z.number().safeParse('', inWords).error!, 'the file')).toMatch(
      /^the file: expected a number/,
    )
  })
})
