import { UserError } from '../base/user-error.js'
import { readPickle } from './pickle.js'
import { type PickleOpcode, pickleOpcodes } from './pickle-opcodes.js'

/** What a pickle of plain data holds; a dict with keys that are texts or numbers is an object. */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }

/** What names or calls something, and what holds bytes or sets. All else may occur. */
const refused: readonly PickleOpcode[] = [
  ...(['GLOBAL', 'STACK_GLOBAL', 'REDUCE', 'BUILD', 'INST', 'OBJ', 'NEWOBJ', 'NEWOBJ_EX'] as const),
  ...(['PERSID', 'BINPERSID', 'EXT1', 'EXT2', 'EXT4', 'NEXT_BUFFER', 'READONLY_BUFFER'] as const),
  ...(['SHORT_BINBYTES', 'BINBYTES', 'BINBYTES8', 'BYTEARRAY8'] as const),
  ...(['EMPTY_SET', 'ADDITEMS', 'FROZENSET'] as const),
]

const allowed = new Set(
  (Object.keys(pickleOpcodes) as PickleOpcode[]).filter((name) => !refused.includes(name)),
)

const dict = {
  make: () => ({}),
  is: (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value),
  set(target: object, key: unknown, value: unknown) {
    if (typeof key !== 'string' && typeof key !== 'number')
      throw new Error('a key is neither a text nor a number')
    // Not as an assignment: a key may be the name of the prototype.
    const property = { value, enumerable: true, writable: true, configurable: true }
    Object.defineProperty(target, String(key), property)
  },
}

/**
 * Reads a Python pickle that holds nothing but None, booleans, numbers, texts, lists, tuples and dicts, of
 * protocol 0 (the text that Python 2 wrote) to 5. Opcodes that import or call anything are refused, so
 * nothing of the file is run.
 *
 * @param where the file, for messages
 * @throws UserError where it is damaged or asks for more, or stands for values without end
 */
export function readPlainPickle(bytes: Uint8Array, where: string): PlainValue {
  const error = (what: string, at: number) =>
    new UserError(`${where} is not a pickle of plain data: byte ${at}: ${what}.`)
  const { value } = readPickle(bytes, 0, {
    opcodes: allowed,
    refusal: (code) =>
      `opcode ${code} is refused: plain data have no use for it, and nothing of the file was run`,
    protocols: [0, 255],
    dict,
    longestNumber: 128,
    error,
    cut: (at) => error('it is cut short', at),
  })
  checkTree(value as PlainValue, (what) => new UserError(`${where} is not a pickle of plain data: ${what}.`))
  return value as PlainValue
}

/** Deeper than any data: whoever goes through a value goes down into each level, and the stack may end there. */
const mostNested = 200
/** References of RefCOCO have some millions. */
const mostValues = 10_000_000

/**
 * Holds that a value has an end. A pickle may name a list again and again, also within itself: a few hundred bytes
 * are ten lists of ten lists, and so on, which nobody comes to the end of.
 */
function checkTree(value: PlainValue, error: (what: string) => Error): void {
  let values = 0
  const visit = (inner: PlainValue, depth: number) => {
    if (++values > mostValues) throw error(`it stands for more than ${mostValues} values`)
    if (typeof inner !== 'object' || inner === null) return
    if (depth === mostNested) throw error(`it is nested deeper than ${mostNested}, or holds itself`)
    if (Array.isArray(inner)) for (const item of inner) visit(item, depth + 1)
    else for (const key in inner) visit((inner as Readonly<Record<string, PlainValue>>)[key]!, depth + 1)
  }
  visit(value, 0)
}
