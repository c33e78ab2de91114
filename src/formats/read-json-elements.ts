import { UserError } from '../base/user-error.js'
import { readBytes } from './read-bytes.js'

/** An element of an array in a JSON file. */
export interface JsonElement {
  /** The key of the array in the object at the top; null where the array is at the top. */
  readonly key: string | null
  /** Byte where the element begins. */
  readonly at: number
  /** Place in its array, from 0; from where reading began if that was within the array. */
  readonly index: number
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

/** No row of a dataset is that long, and a file without an end would fill the memory. */
const longest = 256 << 20

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const isOpening = (byte: number) => byte === 0x7b || byte === 0x5b
const isClosing = (byte: number) => byte === 0x7d || byte === 0x5d
const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
/** 1 for the bytes that begin, end or part values. */
const isSign = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number('"\\{}[],'.includes(String.fromCharCode(byte))),
)
const isByteOrderMark = (byte: number) => byte === 0xef || byte === 0xbb || byte === 0xbf

/**
 * The elements of the array at the top of a JSON file, or of arrays under the keys of an object at its top,
 * one in memory at a time: such files are often larger than a string may be.
 *
 * @throws UserError where the file is not JSON, or neither an array nor an object
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
  let lastString = ''
  let index = 0
  let inString = false
  let escaped = false
  /** Where the value being read began; -1 between values. */
  let begin = -1
  let parts: Buffer[] = []
  let length = 0
  let isWanted = false
  let kind: 'key' | 'element' = 'element'
  let done = false

  const elementDepth = () => (inObject ? 2 : 1)
  const parse = (bytes: Buffer): unknown => {
    try {
      return JSON.parse(bytes.toString('utf8'))
    } catch (error) {
      throw bad(`byte ${begin}: ${(error as Error).message}`)
    }
  }
  for await (const chunk of readBytes(path, base)) {
    let start = 0
    const found: JsonElement[] = []
    /** Ends the value before `end`. */
    const take = (end: number) => {
      if (begin < 0) return
      const piece = chunk.subarray(start, end)
      if (kind === 'key') lastString = String(parse(Buffer.concat([...parts, piece])))
      else if (isWanted) {
        found.push({ key, at: begin, index, value: parse(Buffer.concat([...parts, piece])) })
      }
      if (kind === 'element') index++
      begin = -1
      parts = []
      length = 0
    }
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      // Within a value most bytes are of this kind.
      if (isSign[byte] === 0 && (begin >= 0 || inString)) {
        escaped = false
        continue
      }
      if (inString) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) {
          inString = false
          if (kind === 'key' && begin >= 0) take(at + 1)
        }
        continue
      }
      if (isSpace(byte)) continue
      if (done) throw bad(`there is more behind its end, at byte ${base + at}`)
      if (begin < 0 && depth === elementDepth() && arrayOpen && !isClosing(byte) && byte !== comma) {
        kind = 'element'
        isWanted = key === null || wanted(key)
        begin = base + at
        start = at
      } else if (begin < 0 && inObject && depth === 1 && byte === quote) {
        kind = 'key'
        isWanted = true
        begin = base + at
        start = at
      }
      if (byte === quote) inString = true
      else if (isOpening(byte)) {
        if (depth === 0) {
          inObject = byte === 0x7b
          arrayOpen = !inObject
          if (arrayOpen) onArray?.(null)
        } else if (depth === 1 && inObject && byte === 0x5b && begin < 0) {
          arrayOpen = true
          key = lastString
          index = 0
          onArray?.(key)
        }
        depth++
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
      else if (depth === 0 && !(base + at < 3 && isByteOrderMark(byte)))
        throw bad('it begins with neither [ nor {')
    }
    if (begin >= 0 && (isWanted || kind === 'key')) {
      const rest = chunk.subarray(start)
      length += rest.length
      if (length > longest) throw bad(`the value at byte ${begin} is over ${longest >> 20} MiB`)
      parts.push(rest)
    }
    base += chunk.length
    yield* found
  }
  if (!done) throw bad(`it is cut short, after ${base} bytes`)
}
