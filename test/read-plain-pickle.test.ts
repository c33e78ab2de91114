import { describe, expect, it } from 'vitest'
import { readPlainPickle } from '../src/read-plain-pickle.js'
import { UserError } from '../src/user-error.js'

const read = (base64: string) => readPlainPickle(Buffer.from(base64, 'base64'), 'refs.p')

// Of Python 3: pickle.dumps({'a': [1, -2, 300, 70000, 2**40, 2**70, 1.5, True, None], 'é"\n': ('x', ('y', 'z'), {})}, protocol=N)
const pickles = {
  0: 'KGRwMApWYQpwMQoobHAyCkkxCmFJLTIKYUkzMDAKYUk3MDAwMAphTDEwOTk1MTE2Mjc3NzZMCmFMMTE4MDU5MTYyMDcxNzQxMTMwMzQyNEwKYUYxLjUKYUkwMQphTmFzVukiXHUwMDBhCnAzCihWeApwNAooVnkKcDUKVnoKcDYKdHA3CihkcDgKdHA5CnMu',
  2: 'gAJ9cQAoWAEAAABhcQFdcQIoSwFK/v///00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAQEc/+AAAAAAAAIhOZVgEAAAAw6kiCnEDWAEAAAB4cQRYAQAAAHlxBVgBAAAAenEGhnEHfXEIh3EJdS4=',
  4: 'gASVUwAAAAAAAAB9lCiMAWGUXZQoSwFK/v///00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAQEc/+AAAAAAAAIhOZYwEw6kiCpSMAXiUjAF5lIwBepSGlH2Uh5R1Lg==',
}

describe('a pickle of plain data', () => {
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
