/**
 * Reads Python pickles as data. A pickle is a program for a stack machine (Python's `pickletools` describes it) that
 * may import any name and call it; this machine has no such power. It knows the opcodes that hold data, hands imports
 * and calls to a table that the caller gives, and refuses all others by name.
 */
import { PickleError, pickleBytes } from './pickle-bytes.js'

/** What a pickle may hold: Python's None, bool, int, float, str, bytes, list or tuple, dict, set, and the caller's own. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleGlobal
  | PickleObject

/** A name that the pickle imports, such as `torch.float32`; never more than the name. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    /** What a call of it gives; undefined where it may be named but not called. */
    readonly call: ((args: readonly PickleValue[]) => PickleValue) | undefined,
  ) {}
}

/** Something that the caller's table made of a call or of a persistent id. Items and state given to it are dropped. */
export abstract class PickleObject {}

/** The names and ids that a pickle may use. What these functions throw is reported with the place in the pickle. */
export interface PickleOptions {
  /** What an imported name stands for; undefined refuses it. */
  readonly global: (name: string) => PickleGlobal | undefined
  /** What a persistent id stands for. */
  readonly persistent: (id: PickleValue) => PickleValue
  /** The file, for messages. */
  readonly where: string
}

const stop = 0x2e

/** Opcodes that are known and refused, by their names in `pickletools`. */
const refused: Readonly<Record<number, string>> = {
  70: 'FLOAT',
  73: 'INT',
  76: 'LONG',
  80: 'PERSID',
  83: 'STRING',
  86: 'UNICODE',
  100: 'DICT',
  103: 'GET',
  105: 'INST',
  108: 'LIST',
  111: 'OBJ',
  112: 'PUT',
  130: 'EXT1',
  131: 'EXT2',
  132: 'EXT4',
  146: 'NEWOBJ_EX',
  151: 'NEXT_BUFFER',
  152: 'READONLY_BUFFER',
}

const mark = Symbol('mark')

/**
 * Reads one pickle of protocol 2 to 5.
 *
 * @returns its value, and the byte behind its STOP
 * @throws PickleError; PickleCutError where more bytes are needed
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  options: PickleOptions,
): { readonly value: PickleValue; readonly end: number } {
  const read = pickleBytes(bytes, start, options.where)
  const stack: (PickleValue | typeof mark)[] = []
  const memo = new Map<number, PickleValue>()
  let opcodeAt = start

  const error = (what: string) => new PickleError(`${options.where}, byte ${opcodeAt}: ${what}.`)
  const push = (value: PickleValue) => {
    stack.push(value)
  }
  const peek = (): PickleValue => {
    const value = stack[stack.length - 1]
    if (value === undefined || value === mark) throw error('its stack is empty')
    return value as PickleValue
  }
  const pop = (): PickleValue => {
    const value = peek()
    stack.pop()
    return value
  }
  const popMany = (count: number) => Array.from({ length: count }, pop).reverse()
  const toMark = (): PickleValue[] => {
    const from = stack.lastIndexOf(mark)
    if (from < 0) throw error('it ends a group that it never began')
    return stack.splice(from).slice(1) as PickleValue[]
  }
  const recall = (index: number): PickleValue => {
    const value = memo.get(index)
    if (value === undefined) throw error(`it recalls ${index}, which it never stored`)
    return value
  }
  const append = (items: readonly PickleValue[]) => {
    const list = peek()
    if (list instanceof PickleObject) return
    if (!Array.isArray(list)) throw error('it appends to something that is no list')
    for (const item of items) list.push(item)
  }
  const setItems = (items: readonly PickleValue[]) => {
    const map = peek()
    if (map instanceof PickleObject) return
    if (!(map instanceof Map) || items.length % 2 !== 0)
      throw error('it sets items of something that is no dict')
    for (let index = 0; index < items.length; index += 2) {
      const key = items[index]
      if (map.has(key)) throw error(`it sets the key "${String(key)}" twice`)
      map.set(key, items[index + 1])
    }
  }
  const addItems = (items: readonly PickleValue[]) => {
    const set = peek()
    if (set instanceof PickleObject) return
    if (!(set instanceof Set)) throw error('it adds to something that is no set')
    for (const item of items) set.add(item)
  }
  const asked = (give: () => PickleValue): PickleValue => {
    try {
      return give()
    } catch (cause) {
      throw error((cause as Error).message)
    }
  }
  const named = (name: string) => {
    const found = options.global(name)
    if (!found)
      throw error(
        `it asks for ${name}, which is not among the names that saved weights need. Nothing of it was run. ` +
          'If you trust the file, load it in Python and save its state_dict() alone, best as safetensors',
      )
    push(found)
  }
  const call = () => {
    const [callee, args] = popMany(2)
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args))
      throw error('it calls something that is not an imported name')
    const { name, call: give } = callee
    if (!give) throw error(`it calls ${name}, which may only be named`)
    push(asked(() => give(args)))
  }
  const build = () => {
    pop()
    const target = peek()
    // The attributes of an OrderedDict, such as a state dict's `_metadata`, are no weights.
    if (!(target instanceof PickleObject) && !(target instanceof Map))
      throw error('it sets the state of something that has none')
  }

  const opcodes: Readonly<Record<number, () => void>> = {
    // PROTO
    128: () => {
      const protocol = read.uint(1)
      if (protocol < 2 || protocol > 5) throw error(`protocol ${protocol} is not 2 to 5`)
    },
    // FRAME: the length of a part, of no use to a reader that has the whole
    149: () => void read.uint(8),
    // MARK, POP, POP_MARK, DUP
    40: () => void stack.push(mark),
    48: () => void stack.pop(),
    49: () => void toMark(),
    50: () => push(peek()),
    // NONE, NEWTRUE, NEWFALSE
    78: () => push(null),
    136: () => push(true),
    137: () => push(false),
    // BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
    74: () => push(read.int32()),
    75: () => push(read.uint(1)),
    77: () => push(read.uint(2)),
    138: () => push(read.long(read.uint(1))),
    139: () => push(read.long(read.uint(4))),
    71: () => push(read.float64()),
    // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8, and Python 2's SHORT_BINSTRING and BINSTRING
    140: () => push(read.text(read.uint(1))),
    88: () => push(read.text(read.uint(4))),
    141: () => push(read.text(read.uint(8))),
    85: () => push(read.text(read.uint(1))),
    84: () => push(read.text(read.uint(4))),
    // SHORT_BINBYTES, BINBYTES, BINBYTES8, BYTEARRAY8
    67: () => push(read.data(read.uint(1))),
    66: () => push(read.data(read.uint(4))),
    142: () => push(read.data(read.uint(8))),
    150: () => push(read.data(read.uint(8))),
    // EMPTY_LIST, EMPTY_TUPLE, EMPTY_DICT, EMPTY_SET, FROZENSET
    93: () => push([]),
    41: () => push([]),
    125: () => push(new Map()),
    143: () => push(new Set()),
    145: () => push(new Set(toMark())),
    // TUPLE, TUPLE1, TUPLE2, TUPLE3
    116: () => push(toMark()),
    133: () => push(popMany(1)),
    134: () => push(popMany(2)),
    135: () => push(popMany(3)),
    // APPEND, APPENDS, SETITEM, SETITEMS, ADDITEMS
    97: () => append([pop()]),
    101: () => append(toMark()),
    115: () => setItems(popMany(2)),
    117: () => setItems(toMark()),
    144: () => addItems(toMark()),
    // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
    113: () => void memo.set(read.uint(1), peek()),
    114: () => void memo.set(read.uint(4), peek()),
    148: () => void memo.set(memo.size, peek()),
    104: () => push(recall(read.uint(1))),
    106: () => push(recall(read.uint(4))),
    // GLOBAL, STACK_GLOBAL
    99: () => named(`${read.line()}.${read.line()}`),
    147: () => named(popMany(2).join('.')),
    // REDUCE, NEWOBJ, BUILD, BINPERSID
    82: call,
    129: call,
    98: build,
    81: () => {
      const id = pop()
      push(asked(() => options.persistent(id)))
    },
  }

  for (;;) {
    opcodeAt = read.at
    const opcode = read.uint(1)
    if (opcode === stop) return { value: pop(), end: read.at }
    const run = opcodes[opcode]
    if (!run) {
      const code = `0x${opcode.toString(16).padStart(2, '0')}`
      throw error(`opcode ${code} (${refused[opcode] ?? 'unknown'}) is not one that saved weights need`)
    }
    run()
  }
}
