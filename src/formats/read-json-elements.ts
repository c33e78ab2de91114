import { isUtf8 } from 'node:buffer'
import { notUtf8 } from '../base/files/read-file.js'
import { isUnusual, jsonProblem, lfsMark, lfsPointer, parseJson } from '../base/parse-json.js'
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
/** 1 for the bytes that begin or end a string, a list or an object. */
const isBorder = isStructural.map((is, byte) => (byte === comma || byte === backslash ? 0 : is))
const isByteOrderMark = (byte: number) => byte === 0xef || byte === 0xbb || byte === 0xbf

/**
 * The elements of the array at the top of a JSON file, or of arrays under the keys of an object at its top,
 * few in memory at a time: such files are often larger than a string may be.
 *
 * @throws UserError where the file is not JSON, is neither UTF-8 nor UTF-16, or neither an array nor an object
 */
export async function* readJsonElements(
  path: string,
  options: ElementOptions = {},
): AsyncGenerator<JsonElement> {
  for await (const elements of readJsonParts(path, options)) yield* elements
}

/**
 * As `readJsonElements`, those at once that end in one piece of the file: of millions of small ones, to wait for
 * each takes longer than to read it.
 */
export async function* readJsonParts(
  path: string,
  { wanted = () => true, from, onArray }: ElementOptions = {},
): AsyncGenerator<readonly JsonElement[]> {
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
    /** Where elements begin and end that lie whole in the chunk and are not parsed yet. */
    const starts: number[] = []
    const ends: number[] = []
    const parseWhole = () => {
      const values =
        parseTogether(chunk, starts, ends) ??
        starts.map((start, place) => parseValue(chunk.subarray(start, ends[place]), base + start, bad))
      const first = index - starts.length
      starts.forEach((start, place) => {
        found.push({ key, at: base + start, index: first + place, value: values[place] })
      })
      starts.length = 0
      ends.length = 0
    }
    /** Of two faults the first is told. */
    const broken = (what: string) => {
      parseWhole()
      return bad(what)
    }
    /** Ends the value before `end`. */
    const take = (end: number) => {
      if (!inValue) return
      inValue = false
      if (kind === 'key') {
        lastString = String(collector.parse(chunk, end))
        return
      }
      if (isWanted) {
        const start = collector.firstByte() - base
        if (start >= 0) {
          starts.push(start)
          ends.push(end)
        } else found.push({ key, at: base + start, index, value: collector.parse(chunk, end) })
      }
      index++
    }
    const begin = (what: typeof kind, at: number) => {
      kind = what
      isWanted = what === 'key' || key === null || wanted(key)
      inValue = true
      collector.begin(base, at)
    }
    for (let at = 0; at < chunk.length; at++) {
      // Most bytes are within brackets of an element: they are passed over in a loop of their own.
      if (inValue && !inString && depth > elementDepth()) {
        const passed = passNested(chunk, at, depth, elementDepth())
        depth = passed.depth
        at = passed.at
        if (at === chunk.length) break
      }
      const byte = chunk[at]!
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
        throw broken(`there is more behind its end, at byte ${base + at}${hint}`)
      }
      if (depth === 0 && !isOpening(byte)) {
        if (base + at < 3 && isByteOrderMark(byte)) continue
        throw broken(beginning(chunk))
      }
      const isFirstKey = depth === 1 && inObject && lastString === undefined && !inValue
      if (isFirstKey && byte !== quote && !isClosing(byte))
        throw broken(`its first key, at byte ${base + at}, is not in double quotes`)
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
        if (++depth > mostNested) throw broken(`it is nested deeper than ${mostNested}`)
      } else if (isClosing(byte)) {
        if (depth === elementDepth()) {
          take(at)
          parseWhole()
          arrayOpen = false
        }
        depth--
        if (depth < 0) throw broken(`a bracket too many at byte ${base + at}`)
        if (depth === 0) done = true
        else if (depth === elementDepth() && kind === 'element') take(at + 1)
      } else if (byte === comma && depth === elementDepth()) take(at)
    }
    parseWhole()
    if (inValue && isWanted) collector.keep(chunk)
    base += chunk.length
    if (found.length > 0) yield found
  }
  if (!done) throw bad(depth === 0 ? 'it is empty' : `it is cut short, after ${base} bytes`)
}

/**
 * Passes over what lies within the brackets of an element, from outside of a string on.
 *
 * @param start how deep the first byte is nested
 * @param floor how deep the element is
 * @returns the first byte that is not passed, and how deep it is: the element's last bracket, one that is nested
 *   too deep, a string that the chunk does not end, or the end of the chunk
 */
function passNested(chunk: Buffer, from: number, start: number, floor: number) {
  let depth = start
  let at = from
  for (; at < chunk.length; at++) {
    const byte = chunk[at]!
    if (isBorder[byte] === 0) continue
    if (byte === quote) {
      const begin = at++
      while (at < chunk.length && chunk[at] !== quote) at += chunk[at] === backslash ? 2 : 1
      // What is escaped may lie in the next chunk: the string is read by single bytes.
      if (at >= chunk.length) return { at: begin, depth }
    } else if (isOpening(byte)) {
      if (depth === mostNested) break
      depth++
    } else if (depth === floor + 1) break
    else depth--
  }
  return { at, depth }
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
      return parseValue(bytes, first, bad)
    },
  }
}

/** The value of some bytes, the first of which is byte `at` of the file. */
function parseValue(bytes: Buffer, at: number, bad: (what: string) => UserError): unknown {
  if (!isUtf8(bytes)) throw bad(`the value at byte ${at} is ${notUtf8}`)
  const text = bytes.toString('utf8')
  try {
    return parseJson(text)
  } catch (error) {
    throw bad(`byte ${at}: ${jsonProblem(text, error)}`)
  }
}

/** The values of a chunk that follow each other, parsed as one list; undefined where one of them wants a look of its own. */
function parseTogether(
  chunk: Buffer,
  starts: readonly number[],
  ends: readonly number[],
): readonly unknown[] | undefined {
  const bytes = chunk.subarray(starts[0], ends.at(-1))
  if (starts.length < 2 || !isUtf8(bytes)) return undefined
  const text = bytes.toString('utf8')
  if (isUnusual(text)) return undefined
  try {
    const values: readonly unknown[] = JSON.parse(`[${text}]`)
    return values.length === starts.length ? values : undefined
  } catch {
    return undefined
  }
}
