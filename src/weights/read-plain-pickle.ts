import { UserError } from '../base/user-error.js'

/** What a pickle of plain data holds; a dict with keys that are texts or numbers is an object. */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }

const mark = Symbol('mark')

/**
 * Reads a Python pickle that holds nothing but None, booleans, numbers, texts, lists, tuples and dicts, of protocol 0
 * (the text that Python 2 wrote) to 5. A pickle is a program for a stack machine (Python's `pickletools` describes it);
 * opcodes that import or call anything are refused, so nothing of the file is ever run.
 *
 * @param where the file, for messages
 * @throws UserError where it is damaged or asks for more
 */
export function readPlainPickle(bytes: Uint8Array, where: string): PlainValue {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const stack: unknown[] = []
  const memo = new Map<number, unknown>()
  let at = 0
  let begin = 0

  const bad = (what: string) =>
    new UserError(`${where} is not a pickle of plain data: byte ${begin}: ${what}.`)
  const take = (size: number): number => {
    if (!(size >= 0 && at + size <= buffer.length)) throw bad('it is cut short')
    at += size
    return at - size
  }
  const uint = (size: number) =>
    size === 8 ? Number(buffer.readBigUInt64LE(take(8))) : buffer.readUIntLE(take(size), size)
  const text = (size: number) => buffer.toString('utf8', take(size), at)
  const line = () => {
    const end = buffer.indexOf(10, at)
    if (end === -1) throw bad('it is cut short')
    const found = buffer.toString('latin1', at, end)
    at = end + 1
    return found
  }
  const exact = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
  const whole = (digits: string) => {
    if (!/^-?\d{1,400}$/.test(digits)) throw bad(`"${digits.slice(0, 40)}" is not a whole number`)
    return exact(BigInt(digits))
  }
  const long = (size: number) => {
    if (size > 128) throw bad(`a whole number of ${size} bytes`)
    const from = take(size)
    let value = 0n
    for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(buffer[from + index])
    return exact(BigInt.asIntN(8 * size, value))
  }
  const push = (value: unknown) => void stack.push(value)
  const peek = () => {
    const value = stack.at(-1)
    if (stack.length === 0 || value === mark) throw bad('its stack is empty')
    return value
  }
  const pop = () => {
    const value = peek()
    stack.pop()
    return value
  }
  const popMany = (count: number) => Array.from({ length: count }, pop).reverse()
  const toMark = () => {
    const from = stack.lastIndexOf(mark)
    if (from === -1) throw bad('it ends a group that it never began')
    return stack.splice(from).slice(1)
  }
  const append = (items: readonly unknown[]) => {
    const list = peek()
    if (!Array.isArray(list)) throw bad('it appends to what is no list')
    for (const item of items) list.push(item)
  }
  const setItems = (items: readonly unknown[]) => {
    const dict = peek() as Record<string, unknown>
    if (typeof dict !== 'object' || dict === null || Array.isArray(dict) || items.length % 2 !== 0)
      throw bad('it sets items of what is no dict')
    for (let index = 0; index < items.length; index += 2) {
      const key = items[index]
      if (typeof key !== 'string' && typeof key !== 'number')
        throw bad('a key is neither a text nor a number')
      Object.defineProperty(dict, String(key), {
        value: items[index + 1],
        enumerable: true,
        writable: true,
        configurable: true,
      })
    }
  }
  const dictOf = (items: readonly unknown[]) => {
    push({})
    setItems(items)
  }
  const recall = (index: number) => {
    if (!memo.has(index)) throw bad(`it recalls ${index}, which it never stored`)
    push(memo.get(index))
  }

  const opcodes: Readonly<Record<string, () => void>> = {
    '\x80': () => void uint(1),
    '\x95': () => void uint(8),
    '(': () => push(mark),
    '0': () => void stack.pop(),
    '1': () => void toMark(),
    '2': () => push(peek()),
    N: () => push(null),
    '\x88': () => push(true),
    '\x89': () => push(false),
    // Protocol 0 writes True and False as the numbers 01 and 00.
    I: () => {
      const digits = line()
      push(digits === '01' ? true : digits === '00' ? false : whole(digits))
    },
    L: () => push(whole(line().replace(/L$/, ''))),
    F: () => push(Number(line())),
    J: () => push(buffer.readInt32LE(take(4))),
    K: () => push(uint(1)),
    M: () => push(uint(2)),
    '\x8a': () => push(long(uint(1))),
    '\x8b': () => push(long(uint(4))),
    G: () => push(buffer.readDoubleBE(take(8))),
    S: () => push(quoted(line(), bad)),
    V: () => push(unescaped(line())),
    T: () => push(text(uint(4))),
    U: () => push(text(uint(1))),
    X: () => push(text(uint(4))),
    '\x8c': () => push(text(uint(1))),
    '\x8d': () => push(text(uint(8))),
    ']': () => push([]),
    ')': () => push([]),
    '}': () => push({}),
    l: () => push(toMark()),
    t: () => push(toMark()),
    d: () => dictOf(toMark()),
    '\x85': () => push(popMany(1)),
    '\x86': () => push(popMany(2)),
    '\x87': () => push(popMany(3)),
    a: () => append([pop()]),
    e: () => append(toMark()),
    s: () => setItems(popMany(2)),
    u: () => setItems(toMark()),
    p: () => void memo.set(Number(line()), peek()),
    q: () => void memo.set(uint(1), peek()),
    r: () => void memo.set(uint(4), peek()),
    '\x94': () => void memo.set(memo.size, peek()),
    g: () => recall(Number(line())),
    h: () => recall(uint(1)),
    j: () => recall(uint(4)),
  }

  for (;;) {
    begin = at
    const opcode = String.fromCharCode(uint(1))
    if (opcode === '.') return pop() as PlainValue
    const run = Object.hasOwn(opcodes, opcode) ? opcodes[opcode] : undefined
    if (!run) {
      const code = `0x${opcode.charCodeAt(0).toString(16).padStart(2, '0')}`
      throw bad(`opcode ${code} is refused: plain data have no use for it, and nothing of the file was run`)
    }
    run()
  }
}

/** A text as Python 2's repr wrote it: its escapes are bytes, and the bytes UTF-8. */
function quoted(repr: string, bad: (what: string) => UserError): string {
  const quote = repr[0]
  if (repr.length < 2 || (quote !== "'" && quote !== '"') || !repr.endsWith(quote))
    throw bad('a text has no quotes')
  const signs: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\n': '' }
  const latin1 = repr
    .slice(1, -1)
    .replace(/\\(x[0-9a-fA-F]{2}|[\s\S])/g, (_, sign: string) =>
      sign.length === 3 ? String.fromCharCode(Number.parseInt(sign.slice(1), 16)) : (signs[sign] ?? sign),
    )
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

/** A text as Python wrote it with raw-unicode-escape. */
function unescaped(raw: string): string {
  return raw.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, long?: string) =>
    String.fromCodePoint(Number.parseInt((short ?? long) as string, 16)),
  )
}
