import { isUtf8 } from 'node:buffer'
import { notUtf8 } from '../base/files/read-file.js'
import { jsonProblem, lfsMark, lfsPointer, parseJson } from '../base/parse-json.js'
import { UserError } from '../base/user-error.js'
import { readUtf8 } from './read-utf8.js'

/** An element of an array in a JSON file. */
export interface JsonElement {
  /** The key of the array in the object at the top; null where the array is at the top. */
  readonly key: string | null
  /** Byte where the element begins. */
  readonly at: number
  /** Place in its array, from 0; from where reading began if that was within the array. */
  readonly index: number
  /** As `parseJson` gives it: numbers may be NaN, and large whole ones `bigint`. */
  readonly value: unknown
}

export interface ElementOptions {
  /** Which of an object's arrays to read; all by default. */
  readonly wanted?: (key: string) => boolean
  /** Byte where an element of the array at the top begins, to go on from there. */
  readonly from?: number
  /**
   * Told the key of each array as it begins, null of the one at the top: one without elements is told of as
   * well.
   */
  readonly onArray?: (key: string | null) => void
}

/** Deeper than any file of annotations. */
const mostNested = 2000
/** No row of a dataset is that long, and a file without an end would fill the memory. */
const maxValueBytes = 64 << 20

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const isOpening = (byte: number) => byte === 0x7b || byte === 0x5b
const isClosing = (byte: number) => byte === 0x7d || byte === 0x5d
const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
/** 1 for the bytes that begin, end or separate values. */
const isStructural = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number('"\\{}[],'.includes(String.fromCharCode(byte))),
)
const isByteOrderMark = (byte: number) => byte === 0xef || byte === 0xbb || byte === 0xbf

/**
 * The elements of the array at the top of a JSON file, or of arrays under the keys of an object at its top,
 * one in memory at a time: such files are often larger than a string may be.
 *
 * @throws UserError where the file is not JSON, is neither UTF-8 nor UTF-16, or neither an array nor an object
 */
export async function* readJsonElements(
  path: string,
  { wanted = () => true, from, onArray }: ElementOptions = {},
): AsyncGenerator<JsonElement> {
  const bad = (what: string) => new UserError(`${path} is not JSON: ${what}`)
  let base = from ?? 0
  let depth = from === undefined ? 0 : 1
  /** Whether there is an object at the top: then elements are one deeper than in an array. */
  let inObject = false
  /** Whether the array is open whose elements are asked for. */
  let arrayOpen = from !== undefined
  let key: string | null = null
  let lastString: string | undefined
  let index = 0
  let inString = false
  let escaped = false
  /** Whether a value has begun, a key or an element. */
  let inValue = false
  const collector = valueCollector(bad)
  let isWanted = false
  let kind = 'element' as 'key' | 'element'
  let done = false

  const elementDepth = () => (inObject ? 2 : 1)
  for await (const chunk of readUtf8(path, base)) {
    const found: JsonElement[] = []
    /** Ends the value before `end`. */
    const take = (end: number) => {
      if (!inValue) return
      inValue = false
      if (kind === 'key') {
        lastString = String(collector.parse(chunk, end))
        return
      }
      if (isWanted) found.push({ key, at: collector.firstByte(), index, value: collector.parse(chunk, end) })
      index++
    }
    const begin = (what: typeof kind, at: number) => {
      kind = what
      isWanted = what === 'key' || key === null || wanted(key)
      inValue = true
      collector.begin(base, at)
    }
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!
      // Most bytes are within a value and of this kind: they are passed over in a loop of their own.
      if (isStructural[byte] === 0 && (inValue || inString)) {
        escaped = false
        while (at + 1 < chunk.length && isStructural[chunk[at + 1]!] === 0) at++
        continue
      }
      if (inString) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) {
          inString = false
          if (kind === 'key' && inValue) take(at + 1)
        }
        continue
      }
      if (isSpace(byte)) continue
      if (done) {
        const hint = inObject && byte === 0x7b ? ': is it JSON Lines, an object a line?' : ''
        throw bad(`there is more behind its end, at byte ${base + at}${hint}`)
      }
      if (depth === 0 && !isOpening(byte)) {
        if (base + at < 3 && isByteOrderMark(byte)) continue
        throw bad(beginning(chunk))
      }
      const isFirstKey = depth === 1 && inObject && lastString === undefined && !inValue
      if (isFirstKey && byte !== quote && !isClosing(byte))
        throw bad(`its first key, at byte ${base + at}, is not in double quotes`)
      if (!inValue && depth === elementDepth() && arrayOpen && !isClosing(byte) && byte !== comma) {
        begin('element', at)
      } else if (!inValue && inObject && depth === 1 && byte === quote) begin('key', at)
      if (byte === quote) inString = true
      else if (isOpening(byte)) {
        if (depth === 0) {
          inObject = byte === 0x7b
          arrayOpen = !inObject
          if (arrayOpen) onArray?.(null)
        } else if (depth === 1 && inObject && byte === 0x5b && !inValue) {
          arrayOpen = true
          key = lastString ?? ''
          index = 0
          onArray?.(key)
        }
        if (++depth > mostNested) throw bad(`it is nested deeper than ${mostNested}`)
      } else if (isClosing(byte)) {
        if (depth === elementDepth()) {
          take(at)
          arrayOpen = false
        }
        depth--
        if (depth < 0) throw bad(`a bracket too many at byte ${base + at}`)
        if (depth === 0) done = true
        else if (depth === elementDepth() && kind === 'element') take(at + 1)
      } else if (byte === comma && depth === elementDepth()) take(at)
    }
    if (inValue && isWanted) collector.keep(chunk)
    base += chunk.length
    yield* found
  }
  if (!done) throw bad(depth === 0 ? 'it is empty' : `it is cut short, after ${base} bytes`)
}

/** What is wrong with a file whose first bytes begin no JSON that has elements. */
function beginning(chunk: Buffer): string {
  if (chunk[0] === 0x1f && chunk[1] === 0x8b) return 'it is compressed: give its name the ending .gz'
  return chunk.toString('latin1', 0, lfsMark.length) === lfsMark
    ? lfsPointer
    : 'it begins with neither [ nor {'
}

/**
 * Keeps the bytes of one value after another over the borders of chunks, and parses each when it is whole.
 */
function valueCollector(bad: (what: string) => UserError) {
  /** Byte of the file where the value begins. */
  let first = 0
  /** Where in the chunk the part of the value begins that is not kept yet. */
  let start = 0
  let parts: Buffer[] = []
  let length = 0
  return {
    firstByte: () => first,
    /** The value begins at a place in the chunk that is at byte `base` of the file. */
    begin(base: number, at: number) {
      first = base + at
      start = at
      parts = []
      length = 0
    },
    /** The value goes on behind the chunk. */
    keep(chunk: Buffer) {
      const rest = chunk.subarray(start)
      length += rest.length
      if (length > maxValueBytes) throw bad(`the value at byte ${first} is over ${maxValueBytes >> 20} MiB`)
      parts.push(rest)
      start = 0
    },
    /** The value, which ends in the chunk, before `end`. */
    parse(chunk: Buffer, end: number): unknown {
      const last = chunk.subarray(start, end)
      const bytes = parts.length === 0 ? last : Buffer.concat([...parts, last])
      parts = []
      if (!isUtf8(bytes)) throw bad(`the value at byte ${first} is ${notUtf8}`)
      const text = bytes.toString('utf8')
      try {
        return parseJson(text)
      } catch (error) {
        throw bad(`byte ${first}: ${jsonProblem(text, error)}`)
      }
    },
  }
}
