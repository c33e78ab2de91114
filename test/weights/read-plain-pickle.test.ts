import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { readPlainPickle } from '../../src/weights/read-plain-pickle.js'

const read = (base64: string) => readPlainPickle(Buffer.from(base64, 'base64'), 'refs.p')

// Of Python 3: pickle.dumps({'a': [1, -2, 300, 70000, 2**40, 2**70, 1.5, True, None], 'é"\n': ('x', ('y', 'z'), {})}, protocol=N)
const pickles = {
  0: 'KGRwMApWYQpwMQoobHAyCkkxCmFJLTIKYUkzMDAKYUk3MDAwMAphTDEwOTk1MTE2Mjc3NzZMCmFMMTE4MDU5MTYyMDcxNzQxMTMwMzQyNEwKYUYxLjUKYUkwMQphTmFzVukiXHUwMDBhCnAzCihWeApwNAooVnkKcDUKVnoKcDYKdHA3CihkcDgKdHA5CnMu',
  2: 'gAJ9cQAoWAEAAABhcQFdcQIoSwFK/v///00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAQEc/+AAAAAAAAIhOZVgEAAAAw6kiCnEDWAEAAAB4cQRYAQAAAHlxBVgBAAAAenEGhnEHfXEIh3EJdS4=',
  4: 'gASVUwAAAAAAAAB9lCiMAWGUXZQoSwFK/v///00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAQEc/+AAAAAAAAIhOZYwEw6kiCpSMAXiUjAF5lIwBepSGlH2Uh5R1Lg==',
}

// Written by bench/parity/pickle_fixture.py.
const written = JSON.parse(readFileSync(new URL('./fixtures/pickles.json', import.meta.url), 'utf8')) as {
  readonly pickles: Readonly<Record<string, string>>
  readonly evil: readonly string[]
  readonly value: unknown
}

describe('a pickle of plain data', () => {
  it.each(Object.entries(written.pickles))(
    'of protocol %s is read whole and in no part of it',
    (_, base64) => {
      const bytes = Buffer.from(base64, 'base64')
      expect(readPlainPickle(bytes, 'refs.p')).toEqual(written.value)
      for (let end = 0; end < bytes.length; end += 7) {
        const short = () => readPlainPickle(bytes.subarray(0, end), 'refs.p')
        expect(short).toThrow(UserError)
        expect(short).toThrow(/^refs\.p is not a pickle of plain data: byte \d+: it is cut short\.$/)
      }
    },
  )

  it.each(written.evil)('that would run something is refused: %s', (base64) => {
    expect(() => read(base64)).toThrow(UserError)
    expect(() => read(base64)).toThrow(
      /^refs\.p is not a pickle of plain data: byte \d+: opcode 0x[0-9a-f]{2} is refused: .* nothing of the file was run\.$/,
    )
  })

  it.each(Object.entries(pickles))('of protocol %s is read', (_, base64) => {
    expect(read(base64)).toEqual({
      a: [1, -2, 300, 70_000, 2 ** 40, 2n ** 70n, 1.5, true, null],
      'é"\n': ['x', ['y', 'z'], {}],
    })
  })

  it('of Python 2 has texts with escapes', () => {
    const text = "(lp1\n(dp2\nS'sent'\np3\nS'caf\\xc3\\xa9 \\'dog\\'\\n'\np4\nsS\"it's\"\nI00\nsag2\na."
    const dict = { sent: "café 'dog'\n", "it's": false }
    expect(readPlainPickle(Buffer.from(text), 'refs.p')).toEqual([dict, dict])
  })

  it.each([
    ['an import', 'gAJjX19idWlsdGluX18KcHJpbnQKcQAu', /byte 2: opcode 0x63 is refused/],
    ['its end', pickles[2].slice(0, 40), /is cut short/],
    ['a group', Buffer.from('t.').toString('base64'), /ends a group that it never began/],
    ['a list', Buffer.from('}I1\na.').toString('base64'), /appends to what is no list/],
  ])('is refused for %s', (_, base64, message) => {
    expect(() => read(base64)).toThrow(message)
    expect(() => read(base64)).toThrow(UserError)
  })

  it('sets no prototype', () => {
    const value = readPlainPickle(Buffer.from("(dS'__proto__'\n(dS'x'\nI1\nss."), 'p') as object
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })
})
