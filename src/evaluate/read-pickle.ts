import { UserError } from '../user-error.js'

/** What a pickle of plain data may hold. */
export type Plain = null | boolean | number | string | readonly Plain[] | Map<Plain, Plain>

/**
 * Reads a Python pickle of plain data: None, numbers, texts, lists, tuples and dicts, in protocols 0 to 2 as Python 2 wrote
 * the files of REFER, and in 4 as Python 3 writes them. It is a reader, not the machine that pickles are programs for: an
 * opcode that names or calls anything is refused.
 *
 * @throws UserError that names the file and the byte
 */
export function readPickle(bytes: Uint8Array, where: string): Plain {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const stack: (Plain | typeof mark)[] = []
  const memo = new Map<number, Plain>()
  let at = 0
  const fault = (what: string) => new UserError(`${where}, byte ${at}: ${what}.`)
  const take = (count: number) => {
    if (count < 0 || at + count > bytes.length) throw fault('the pickle is cut short')
    at += count
    return bytes.subarray(at - count, at)
  }
  const line = () => {
    const end = bytes.indexOf(0x0a, at)
    if (end < 0) throw fault('the pickle is cut short')
    const text = latin1(bytes.subarray(at, end))
    at = end + 1
    return text
  }
  const u8 = () => take(1)[0]
  const u32 = () => view.getUint32(take(4).byteOffset - bytes.byteOffset, true)
  const pop = (): Plain => {
    const value = stack.pop()
    if (value === undefined || value === mark) throw fault('a value was expected on the stack')
    return value
  }
  const toMark = (): Plain[] => {
    const from = stack.lastIndexOf(mark)
    if (from < 0) throw fault('a mark was expected on the stack')
    return stack.splice(from).slice(1) as Plain[]
  }
  const list = (): Plain[] => {
    const value = stack[stack.length - 1]
    if (!Array.isArray(value)) throw fault('a list was expected')
    return value
  }
  const set = (items: readonly Plain[]) => {
    const value = stack[stack.length - 1]
    if (!(value instanceof Map)) throw fault('a dict was expected')
    for (let item = 0; item + 1 < items.length; item += 2) value.set(items[item], items[item + 1])
  }
  const dict = (items: readonly Plain[]) => {
    stack.push(new Map<Plain, Plain>())
    set(items)
  }
  const store = (place: number) => {
    memo.set(place, stack[stack.length - 1] as Plain)
  }
  const recall = (place: number) => {
    const value = memo.get(place)
    if (value === undefined) throw fault(`nothing was stored as ${place}`)
    stack.push(value)
  }
  for (;;) {
    const opcode = String.fromCharCode(u8())
    switch (opcode) {
      case '.':
        return pop()
      case '(':
        stack.push(mark)
        break
      case '0':
        pop()
        break
      case '2':
        stack.push(stack[stack.length - 1])
        break
      case 'N':
        stack.push(null)
        break
      case '\x88':
      case '\x89':
        stack.push(opcode === '\x88')
        break
      case 'I': {
        const text = line()
        stack.push(text === '00' || text === '01' ? text === '01' : Number(text))
        break
      }
      case 'L':
        stack.push(Number(line().replace(/L$/, '')))
        break
      case 'F':
        stack.push(Number(line()))
        break
      case 'K':
        stack.push(u8())
        break
      case 'M':
        stack.push(u8() + 256 * u8())
        break
      case 'J':
        stack.push(u32() | 0)
        break
      case '\x8a':
        stack.push(
          take(u8()).reduceRight(
            (sum, byte, place, all) =>
              sum * 256 + (place === all.length - 1 && byte > 127 ? byte - 256 : byte),
            0,
          ),
        )
        break
      case 'G':
        stack.push(view.getFloat64(take(8).byteOffset - bytes.byteOffset, false))
        break
      case 'S':
        stack.push(unquoted(line()))
        break
      case 'V':
        stack.push(
          line().replace(/\\u([\da-f]{4})/gi, (_, code: string) =>
            String.fromCharCode(Number.parseInt(code, 16)),
          ),
        )
        break
      case 'T':
      case 'X':
        stack.push(utf8(take(u32())))
        break
      case 'U':
      case '\x8c':
        stack.push(utf8(take(u8())))
        break
      case ']':
        stack.push([])
        break
      case ')':
        stack.push([])
        break
      case '}':
        stack.push(new Map())
        break
      case 'l':
      case 't':
        stack.push(toMark())
        break
      case '\x85':
      case '\x86':
      case '\x87':
        stack.push(Array.from({ length: opcode.charCodeAt(0) - 0x84 }, pop).reverse())
        break
      case 'd':
        dict(toMark())
        break
      case 'a': {
        const item = pop()
        list().push(item)
        break
      }
      case 'e': {
        const items = toMark()
        list().push(...items)
        break
      }
      case 's': {
        const value = pop()
        const key = pop()
        set([key, value])
        break
      }
      case 'u':
        set(toMark())
        break
      case 'p':
        store(Number(line()))
        break
      case 'q':
        store(u8())
        break
      case 'r':
        store(u32())
        break
      case '\x94':
        store(memo.size)
        break
      case 'g':
        recall(Number(line()))
        break
      case 'h':
        recall(u8())
        break
      case 'j':
        recall(u32())
        break
      case '\x80':
        take(1)
        break
      case '\x95':
        take(8)
        break
      default:
        throw fault(`opcode ${JSON.stringify(opcode)} is not one of plain data`)
    }
  }
}

const mark = Symbol('mark')
const decoder = new TextDecoder()
const utf8 = (bytes: Uint8Array) => decoder.decode(bytes)
/** A byte a character: lines escape what is not ASCII, or give it as Latin-1. */
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

/** A text as the `repr` of Python 2 writes it, whose bytes are UTF-8. */
function unquoted(text: string): string {
  const inner = text.trim().slice(1, -1)
  const bytes = inner.replace(/\\(?:x([\da-f]{2})|(.))/gis, (_, code: string | undefined, sign: string) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
    return { n: '\n', t: '\t', r: '\r' }[sign] ?? sign
  })
  return utf8(Buffer.from(bytes, 'latin1'))
}
