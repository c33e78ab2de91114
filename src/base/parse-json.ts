/**
 * JSON as people's programs write it, and as Python reads it: beside the standard `NaN`, `Infinity` and
 * `-Infinity` are numbers, and whole numbers over 2^53 keep all their digits: they come as `bigint`. Ids of
 * that size are no rarity (hashes, tweets), and `JSON.parse` would make two of them one.
 *
 * @param big what becomes of such a whole number: `nearest` gives a number all the same, as configurations
 * want it, in which it means "no limit"
 * @throws SyntaxError with the place in the text, where it is not JSON
 */
export function parseJson(text: string, big: 'exact' | 'nearest' = 'exact'): unknown {
  if (!isUnusual(text)) return JSON.parse(text)
  return new Parser(text, big === 'exact').whole()
}

/**
 * JSON text of a value as `parseJson` gives it: `bigint` in digits, and as null, as `JSON.stringify` has it,
 * what JSON has no number for.
 */
export function stringifyJson(value: unknown): string {
  try {
    // Without a function for every value it takes a fraction of the time; of `bigint` it throws.
    return JSON.stringify(value)
  } catch {
    return stringifyBig(value)
  }
}

function stringifyBig(value: unknown): string {
  const text = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${bigMark}${part}` : part))
  return text?.replace(markedBig, '$1')
}

/**
 * What is wrong with a text that is not JSON, in one line: an engine's message quotes the text, line ends and
 * all.
 *
 * @param error what `parseJson` has thrown
 */
export function jsonProblem(text: string, error: unknown): string {
  if (text.trim() === '') return 'it is empty'
  if (text.startsWith(lfsMark)) return lfsPointer
  return (error as Error).message.replace(/\s+/g, ' ')
}

/** How a file begins that Git LFS has put in the place of a large one. */
export const lfsMark = 'version https://git-lfs'
export const lfsPointer =
  'it is a pointer of Git LFS, not the file itself: run `git lfs pull` where it is from'

/** In the place of a number that `JSON.stringify` cannot write; no text of a dataset begins so. */
const bigMark = '\u0000bigint:'
const markedBig = /"\\u0000bigint:(-?\d+)"/g

/**
 * Whether a text may hold what `JSON.parse` does not read, or reads as another number. Strings that look like
 * it are only parsed more slowly; the decimals of a number, of which Python writes sixteen, do not.
 */
export const isUnusual = (text: string): boolean =>
  text.includes('NaN') || text.includes('Infinity') || longNumber.test(text)
/** Sixteen digits, not of decimals; written out, it is found in half the time. */
const longNumber = new RegExp(`(?:^|[^.\\d])${'\\d'.repeat(16)}`)

/** Deeper than any file of annotations, and far from the end of the stack. */
const maxDepth = 2000

/** A parser of JSON by recursive descent; strings and plain numbers are left to `JSON.parse`. */
class Parser {
  #at = 0
  #depth = 0
  readonly #text: string

  readonly #isExact: boolean

  constructor(text: string, isExact: boolean) {
    this.#text = text
    this.#isExact = isExact
  }

  whole(): unknown {
    const value = this.#value()
    this.#space()
    if (this.#at < this.#text.length) throw this.#unexpected()
    return value
  }

  #value(): unknown {
    this.#space()
    const first = this.#text[this.#at]
    if (first === '{') return this.#nested(() => this.#object())
    if (first === '[') return this.#nested(() => this.#array())
    if (first === '"') return this.#string()
    return this.#scalar()
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > maxDepth) throw new SyntaxError(`nested deeper than ${maxDepth} at ${this.#at}`)
    this.#at++
    const value = read()
    this.#depth--
    return value
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    if (this.#take('}')) return object
    do {
      this.#space()
      if (this.#text[this.#at] !== '"') throw this.#unexpected()
      const key = this.#string()
      if (!this.#take(':')) throw this.#unexpected()
      const value = this.#value()
      // As JSON.parse has it, a key may be `__proto__` and means nothing.
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
      else object[key] = value
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#unexpected()
    return object
  }

  #array(): unknown[] {
    const array: unknown[] = []
    if (this.#take(']')) return array
    do array.push(this.#value())
    while (this.#take(','))
    if (!this.#take(']')) throw this.#unexpected()
    return array
  }

  #string(): string {
    const start = this.#at
    for (let end = this.#text.indexOf('"', start + 1); end >= 0; end = this.#text.indexOf('"', end + 1)) {
      let slashes = 0
      while (this.#text[end - 1 - slashes] === '\\') slashes++
      if (slashes % 2 === 1) continue
      this.#at = end + 1
      return JSON.parse(this.#text.slice(start, end + 1))
    }
    throw new SyntaxError(`Unterminated string in JSON at position ${start}`)
  }

  /** A number, `true`, `false` or `null`. */
  #scalar(): unknown {
    word.lastIndex = this.#at
    const [text = ''] = word.exec(this.#text) ?? []
    if (text === '') throw this.#unexpected()
    const start = this.#at
    this.#at += text.length
    if (text === 'NaN') return Number.NaN
    if (text === 'Infinity') return Number.POSITIVE_INFINITY
    if (text === '-Infinity') return Number.NEGATIVE_INFINITY
    if (this.#isExact && /^-?[1-9]\d{15,}$/.test(text)) return exactInteger(text)
    try {
      return JSON.parse(text)
    } catch {
      this.#at = start
      throw this.#unexpected()
    }
  }

  #take(mark: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== mark) return false
    this.#at++
    return true
  }

  #space() {
    space.lastIndex = this.#at
    this.#at += space.exec(this.#text)?.[0].length ?? 0
  }

  #unexpected(): SyntaxError {
    const found = this.#text[this.#at]
    if (found === undefined) return new SyntaxError('Unexpected end of JSON input')
    return new SyntaxError(`Unexpected token ${JSON.stringify(found)} in JSON at position ${this.#at}`)
  }
}

const word = /[-+.\w]+/y
const space = /[ \t\n\r]*/y

const exactInteger = (digits: string): number | bigint =>
  Number.isSafeInteger(Number(digits)) ? Number(digits) : BigInt(digits)
