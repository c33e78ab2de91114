import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { type PickleOpcode, pickleOpcodes } from '../../src/weights/pickle-opcodes.js'
import { readPlainPickle } from '../../src/weights/read-plain-pickle.js'

const read = (base64: string) => readPlainPickle(Buffer.from(base64, 'base64'), 'refs.p')

// Of Python 3: pickle.dumps({'a': [1, -2, 300, 70000, 2**40, 2**70, 1.5, True, None], 'é"\n': ('x', ('y',
// 'z'), {})}, protocol=N)
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

  const refused: readonly PickleOpcode[] = [
    ...([
      'GLOBAL',
      'STACK_GLOBAL',
      'REDUCE',
      'BUILD',
      'INST',
      'OBJ',
      'NEWOBJ',
      'NEWOBJ_EX',
      'PERSID',
    ] as const),
    ...(['BINPERSID', 'EXT1', 'EXT2', 'EXT4', 'NEXT_BUFFER', 'READONLY_BUFFER', 'BINBYTES'] as const),
    ...(['SHORT_BINBYTES', 'BINBYTES8', 'BYTEARRAY8', 'EMPTY_SET', 'ADDITEMS', 'FROZENSET'] as const),
  ]
  const known = Object.values(pickleOpcodes) as number[]
  const unknown = Array.from({ length: 256 }, (_, code) => code).filter((code) => !known.includes(code))
  it.each([...refused.map((name) => pickleOpcodes[name]), ...unknown])(
    'that has opcode %i is refused',
    (code) => {
      // Behind two values and a group, so that none is refused for want of them.
      const bytes = Uint8Array.from([...Buffer.from('N(I1\nI2\n'), code, ...Buffer.from('os\nsystem\n.')])
      const hex = code.toString(16).padStart(2, '0')
      expect(() => readPlainPickle(bytes, 'refs.p')).toThrow(`byte 8: opcode 0x${hex} is refused`)
    },
  )

  it.each([
    ['a number of more bytes than are read', '\x8a\x81', /a whole number of 129 bytes/],
    ['a text of more bytes than there are', 'X\xff\xff\xff\xffabc.', /it is cut short/],
    ['a text of 2^63 bytes', '\x8d\x00\x00\x00\x00\x00\x00\x00\x80abc.', /it is cut short/],
    ['a number of letters', 'Iabc\n.', /"abc" is not a whole number/],
    ['a text without quotes', 'Sabc\n.', /a text has no quotes/],
    ['a character that is none', 'V\\U00ffffff\n.', /code point/],
    ['what it never stored', 'h\x05.', /recalls 5, which it never stored/],
    ['a key that is a list', '}]Ns.', /a key is neither a text nor a number/],
    ['an empty stack', '.', /its stack is empty/],
    ['a value behind its end', '(.', /its stack is empty/],
    ['no end', 'N', /it is cut short/],
  ])('is refused for %s', (_, text, message) => {
    const hostile = () => readPlainPickle(Buffer.from(text, 'latin1'), 'refs.p')
    expect(hostile).toThrow(UserError)
    expect(hostile).toThrow(message)
  })

  it('has an end, though lists be named again', () => {
    // Each list holds the one before twice, forty times over.
    const twice = Array.from(
      { length: 40 },
      (_, at) => `](h${String.fromCharCode(at)}h${String.fromCharCode(at)}eq${String.fromCharCode(at + 1)}`,
    )
    const refused = (text: string) => () => readPlainPickle(Buffer.from(text, 'latin1'), 'refs.p')
    expect(refused(`]q\0${twice.join('')}.`)).toThrow(
      'refs.p is not a pickle of plain data: it stands for more than',
    )
    expect(refused(']q\0h\0a.')).toThrow('nested deeper than 200, or holds itself')
    expect(refused(`${'('.repeat(5000)}${'l'.repeat(5000)}.`)).toThrow('nested deeper than 200')
    expect(refused(']q\0](h\0h\0e.')()).toEqual([[], []])
  })

  it('sets no prototype', () => {
    const value = readPlainPickle(Buffer.from("(dS'__proto__'\n(dS'x'\nI1\nss."), 'p') as object
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })
})
