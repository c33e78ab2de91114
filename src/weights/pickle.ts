/**
 * Reads Python pickles as data. A pickle is a program for a stack machine (Python's `pickletools` describes
 * it) that may import any name and call it; this machine has no such power. It knows the opcodes that hold
 * data, of which a caller says which may occur, hands imports and calls to the caller's own tables, and
 * refuses all others by name.
 */
import { shownName } from '../base/name-list.js'
import { type PickleBytes, pickleBytes } from './pickle-bytes.js'
import { opcodeName, type PickleOpcode } from './pickle-opcodes.js'
import { createPickleStack, type PickleStack } from './pickle-stack.js'
import { unescaped, unquoted, wholeNumber } from './pickle-text.js'
import { PickleGlobal, PickleObject, type PickleValue } from './pickle-value.js'

/**
 * What a kind of pickle may hold, and how it is read. What these functions throw is told with the place in
 * the pickle.
 */
export interface PickleKind {
  /** The opcodes that may occur. */
  readonly opcodes: ReadonlySet<PickleOpcode>
  /** Says why another is refused: its number as text, and its name if it has one. */
  readonly refusal: (code: string, name: PickleOpcode | undefined) => string
  /** Protocols that may be named. */
  readonly protocols: readonly [least: number, most: number]
  /** How a dict is kept. */
  readonly dict: {
    make(): object
    is(value: unknown): boolean
    set(dict: object, key: unknown, value: unknown): void
  }
  /** How many opcodes it may have; 20 million by default. */
  readonly mostOpcodes?: number
  /** The most bytes of a whole number: to read one takes the square of its length. */
  readonly longestNumber: number
  /** The error for something at an opcode's place. */
  readonly error: (what: string, at: number) => Error
  /** The error where the bytes end within the pickle: at an opcode, whose bytes would go beyond `size`. */
  readonly cut: (at: number, size: number) => Error
  /** What an imported name stands for; throws where it is refused. */
  readonly global?: (name: string) => PickleGlobal
  /** What a persistent id stands for. */
  readonly persistent?: (id: PickleValue) => PickleValue
}

/** A byte may stand for a list of its own: memory goes by opcodes. References of RefCOCO have some millions. */
const mostOpcodes = 20_000_000

/**
 * Reads one pickle.
 *
 * @returns its value, and the byte behind its STOP
 * @throws whatever `kind.error` and `kind.cut` make, where it is damaged or asks for what it may not
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  kind: PickleKind,
): { readonly value: PickleValue; readonly end: number } {
  let opcodeAt = start
  const error = (what: string) => kind.error(what, opcodeAt)
  const read = pickleBytes(bytes, start, () => kind.cut(opcodeAt, bytes.length))
  const stack = createPickleStack(error, kind.dict)
  const machine = { read, stack, kind, error }
  const operations = {
    ...constants(machine),
    ...texts(machine),
    ...containers(machine),
    ...memory(machine),
    ...calls(machine),
  } satisfies Partial<Record<PickleOpcode, () => void>>
  const { mostOpcodes: most = mostOpcodes } = kind
  for (let count = 0; ; count++) {
    opcodeAt = read.at
    if (count === most) throw error(`it has more than ${most} opcodes, which no such file needs`)
    const code = read.uint(1)
    const name = opcodeName(code)
    if (name === 'STOP') return { value: stack.pop() as PickleValue, end: read.at }
    const run =
      name && kind.opcodes.has(name) && (operations as Partial<Record<PickleOpcode, () => void>>)[name]
    if (!run) throw error(kind.refusal(`0x${code.toString(16).padStart(2, '0')}`, name))
    run()
  }
}

interface Machine {
  readonly read: PickleBytes
  readonly stack: PickleStack
  readonly kind: PickleKind
  readonly error: (what: string) => Error
}

/** Numbers and what there is one of; and what only says how the pickle is written. */
function constants(machine: Machine) {
  const {
    read,
    stack: { push },
    kind,
    error,
  } = machine
  const long = (size: number) => {
    if (size > kind.longestNumber) throw error(`a whole number of ${size} bytes is not read`)
    return read.long(size)
  }
  /** Protocol 0 writes True and False as the numbers 01 and 00. */
  const int = (digits: string) => (digits === '01' ? true : digits === '00' ? false : wholeNumber(digits))
  return {
    PROTO: () => {
      const protocol = read.uint(1)
      const [least, most] = kind.protocols
      if (protocol < least || protocol > most) throw error(`protocol ${protocol} is not ${least} to ${most}`)
    },
    // The length of a part, of no use to a reader that has the whole.
    FRAME: () => void read.uint(8),
    NONE: () => push(null),
    NEWTRUE: () => push(true),
    NEWFALSE: () => push(false),
    BININT: () => push(read.int32()),
    BININT1: () => push(read.uint(1)),
    BININT2: () => push(read.uint(2)),
    LONG1: () => push(long(read.uint(1))),
    LONG4: () => push(long(read.uint(4))),
    BINFLOAT: () => push(read.float64()),
    INT: line(machine, int),
    LONG: line(machine, (digits) => wholeNumber(digits.replace(/L$/, ''))),
    FLOAT: () => push(Number(read.line('latin1'))),
  }
}

/** Texts and bytes. Those of Python 2, STRING and its like, are read as UTF-8. */
function texts(machine: Machine) {
  const {
    read,
    stack: { push },
  } = machine
  return {
    SHORT_BINUNICODE: () => push(read.text(read.uint(1))),
    BINUNICODE: () => push(read.text(read.uint(4))),
    BINUNICODE8: () => push(read.text(read.uint(8))),
    SHORT_BINSTRING: () => push(read.text(read.uint(1))),
    BINSTRING: () => push(read.text(read.uint(4))),
    STRING: line(machine, unquoted),
    UNICODE: line(machine, unescaped),
    SHORT_BINBYTES: () => push(read.data(read.uint(1))),
    BINBYTES: () => push(read.data(read.uint(4))),
    BINBYTES8: () => push(read.data(read.uint(8))),
    BYTEARRAY8: () => push(read.data(read.uint(8))),
  }
}

function containers({ stack, kind: { dict } }: Machine) {
  const { push, pop, popMany, toMark, append, setItems, addItems } = stack
  return {
    EMPTY_LIST: () => push([]),
    EMPTY_TUPLE: () => push([]),
    EMPTY_DICT: () => push(dict.make()),
    EMPTY_SET: () => push(new Set()),
    LIST: () => push(toMark()),
    TUPLE: () => push(toMark()),
    TUPLE1: () => push(popMany(1)),
    TUPLE2: () => push(popMany(2)),
    TUPLE3: () => push(popMany(3)),
    DICT: () => {
      const items = toMark()
      push(dict.make())
      setItems(items)
    },
    FROZENSET: () => push(new Set(toMark())),
    APPEND: () => append([pop()]),
    APPENDS: () => append(toMark()),
    SETITEM: () => setItems(popMany(2)),
    SETITEMS: () => setItems(toMark()),
    ADDITEMS: () => addItems(toMark()),
  }
}

/** The stack's own order, and values that are stored to be used again. */
function memory({ read, stack }: Machine) {
  const { push, peek, store, recall } = stack
  return {
    MARK: stack.mark,
    POP: stack.drop,
    POP_MARK: () => void stack.toMark(),
    DUP: () => push(peek()),
    PUT: () => store(Number(read.line('latin1'))),
    BINPUT: () => store(read.uint(1)),
    LONG_BINPUT: () => store(read.uint(4)),
    MEMOIZE: () => store(),
    GET: () => push(recall(Number(read.line('latin1')))),
    BINGET: () => push(recall(read.uint(1))),
    LONG_BINGET: () => push(recall(read.uint(4))),
  }
}

/** What names and calls something: the caller's tables say what stands for it. */
function calls({ read, stack: { push, peek, pop, popMany }, kind, error }: Machine) {
  const named = (name: string) =>
    push(
      asked(error, () => {
        if (!kind.global) throw new Error(`it asks for ${shownName(name)}`)
        return kind.global(name)
      }),
    )
  const call = () => {
    const [callee, args] = popMany(2)
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args))
      throw error('it calls something that is not an imported name')
    const { name, call: give } = callee
    if (!give) throw error(`it calls ${shownName(name)}, which may only be named`)
    push(asked(error, () => give(args)))
  }
  return {
    GLOBAL: () => named(`${read.line('utf8')}.${read.line('utf8')}`),
    STACK_GLOBAL: () => {
      const parts = popMany(2)
      if (!parts.every((part) => typeof part === 'string')) throw error('it asks for a name that is no text')
      named(parts.join('.'))
    },
    REDUCE: call,
    NEWOBJ: call,
    BUILD: () => {
      pop()
      const target = peek()
      // The attributes of an OrderedDict, such as a state dict's `_metadata`, are no weights.
      if (!(target instanceof PickleObject) && !kind.dict.is(target))
        throw error('it sets the state of something that has none')
    },
    BINPERSID: () => {
      const id = pop() as PickleValue
      push(
        asked(error, () => {
          if (!kind.persistent) throw new Error('it has a persistent id')
          return kind.persistent(id)
        }),
      )
    },
  }
}

/** An operation that pushes what a line of text stands for. */
function line({ read, stack, error }: Machine, parse: (text: string) => unknown): () => void {
  return () => {
    const text = read.line('latin1')
    stack.push(asked(error, () => parse(text)))
  }
}

/** What a function gives; what it throws is told with the place in the pickle. */
function asked<Value>(error: (what: string) => Error, give: () => Value): Value {
  try {
    return give()
  } catch (cause) {
    throw error((cause as Error).message)
  }
}
