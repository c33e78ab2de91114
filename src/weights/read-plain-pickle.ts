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
 * @throws UserError where it is damaged or asks for more
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
  return value as PlainValue
}
