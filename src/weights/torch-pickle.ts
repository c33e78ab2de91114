/** The few names that a checkpoint of PyTorch needs in its pickle, and what stands for them here. */

import { shownName, shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { type Shape, sizeOf } from '../graph/ops/tensor.js'
import type { PickleKind } from './pickle.js'
import type { PickleOpcode } from './pickle-opcodes.js'
import { PickleGlobal, PickleObject, type PickleValue } from './pickle-value.js'
import { type ElementType, elementBytes, isCounts, isShape } from './weight-file.js'

/** The pickle is damaged or asks for what is not allowed; the message says which opcode, at which byte. */
export class PickleError extends UserError {}

/** The bytes end in the middle of the pickle. */
export class PickleCutError extends PickleError {}

/** A storage: a run of values in the file that tensors are views of. */
export class TorchStorage extends PickleObject {
  constructor(
    readonly key: string,
    readonly type: ElementType,
    /** Elements. */
    readonly size: number,
  ) {
    super()
  }

  get bytes(): number {
    return this.size * elementBytes[this.type]
  }
}

/** A view of a storage: element (i, j, …) lies at offset + i stride[0] + j stride[1] + …. */
export class TorchTensor extends PickleObject {
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: Shape,
    readonly strides: readonly number[],
  ) {
    super()
  }

  /** Elements of the storage from the first that it views to the last; 0 where it has none. */
  get span(): number {
    if (sizeOf(this.shape) === 0) return 0
    return 1 + this.shape.reduce((sum, side, axis) => sum + (side - 1) * this.strides[axis]!, 0)
  }
}

/** An object that is no weight: nothing is known of it but the name of its class. */
export class SkippedObject extends PickleObject {
  constructor(readonly type: string) {
    super()
  }
}

const storageTypes: Readonly<Record<string, ElementType>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
}

/** Classes that training states hold beside weights. They are passed over. */
const skipped = new Set([
  'argparse.Namespace',
  'yacs.config.CfgNode',
  'datetime.datetime',
  'pathlib.PosixPath',
  'torch.device',
  '_codecs.encode',
  'numpy.dtype',
  'numpy.core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy.core.numeric._frombuffer',
  'numpy._core.multiarray.scalar',
  'numpy._core.multiarray._reconstruct',
  'numpy._core.numeric._frombuffer',
  'mmengine.logging.history_buffer.HistoryBuffer',
])

/**
 * Names that stand for themselves: element types, and the classes that a defaultdict or an array refers to.
 */
const nameable =
  /^(torch\.(float|double|half|bfloat|int|long|short|uint|bool)\d*|(builtins|__builtin__)\.(list|dict|int|float|str|tuple)|numpy\.ndarray)$/

const calls: Readonly<Record<string, (args: readonly PickleValue[]) => PickleValue>> = {
  'collections.OrderedDict': dictionary,
  'collections.Counter': dictionary,
  'collections.defaultdict': () => new Map(),
  'builtins.set': asSet,
  'builtins.frozenset': asSet,
  '__builtin__.set': asSet,
  '__builtin__.frozenset': asSet,
  'torch.Size': ([sides]) => sides ?? [],
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_parameter': ([data]) => {
    if (!(data instanceof TorchTensor)) throw new Error('a Parameter has no tensor')
    return data
  },
}

/** Opcodes of protocol 2 to 5, and of those before what they still write. */
const opcodes: ReadonlySet<PickleOpcode> = new Set<PickleOpcode>([
  ...(['PROTO', 'FRAME', 'STOP', 'MARK', 'POP', 'POP_MARK', 'DUP', 'NONE', 'NEWTRUE', 'NEWFALSE'] as const),
  ...(['BININT', 'BININT1', 'BININT2', 'LONG1', 'LONG4', 'BINFLOAT'] as const),
  ...(['SHORT_BINUNICODE', 'BINUNICODE', 'BINUNICODE8', 'SHORT_BINSTRING', 'BINSTRING'] as const),
  ...(['SHORT_BINBYTES', 'BINBYTES', 'BINBYTES8', 'BYTEARRAY8'] as const),
  ...(['EMPTY_LIST', 'EMPTY_TUPLE', 'EMPTY_DICT', 'EMPTY_SET', 'FROZENSET'] as const),
  ...([
    'TUPLE',
    'TUPLE1',
    'TUPLE2',
    'TUPLE3',
    'APPEND',
    'APPENDS',
    'SETITEM',
    'SETITEMS',
    'ADDITEMS',
  ] as const),
  ...(['BINPUT', 'LONG_BINPUT', 'MEMOIZE', 'BINGET', 'LONG_BINGET'] as const),
  ...(['GLOBAL', 'STACK_GLOBAL', 'REDUCE', 'NEWOBJ', 'BUILD', 'BINPERSID'] as const),
])

const dict: PickleKind['dict'] = {
  make: () => new Map(),
  is: (value) => value instanceof Map,
  set(target, key, value) {
    const map = target as Map<unknown, unknown>
    if (map.has(key))
      throw new Error(
        `it sets the key ${typeof key === 'string' ? shownValue(key) : 'of another kind'} twice`,
      )
    map.set(key, value)
  },
}

/** How to read the pickle of a checkpoint; storages that it mentions are put into `storages`. */
export function torchPickle(where: string, storages: Map<string, TorchStorage>): PickleKind {
  return {
    opcodes,
    refusal: (code, name) => `opcode ${code} (${name ?? 'unknown'}) is not one that saved weights need`,
    protocols: [2, 5],
    dict,
    // Numbers of training states have a few bytes.
    longestNumber: 1024,
    error: (what, at) => new PickleError(`${where}, byte ${at}: ${what}.`),
    cut: (_, size) => new PickleCutError(`${where}: the pickle is cut short at byte ${size}.`),
    global(name) {
      if (Object.hasOwn(calls, name)) return new PickleGlobal(name, calls[name])
      if (skipped.has(name)) return new PickleGlobal(name, () => new SkippedObject(name))
      if (nameable.test(name) || storageType(name)) return new PickleGlobal(name, undefined)
      throw new Error(
        `it asks for ${shownName(name)}, which is not among the names that saved weights need. Nothing of it was run. ` +
          'If you trust the file, load it in Python and save its state_dict() alone, best as safetensors',
      )
    },
    persistent(id) {
      const [kind, type, key, , size, view] = Array.isArray(id) ? id : []
      const element = type instanceof PickleGlobal ? storageType(type.name) : undefined
      if (kind !== 'storage' || !element || typeof key !== 'string' || !isShape([size]))
        throw new Error('a persistent id is not that of a storage')
      if (view) throw new Error('a storage is a view of another, as PyTorch wrote before 0.4')
      const known = storages.get(key)
      const storage = new TorchStorage(key, element, size as number)
      if (known && (known.type !== element || known.size !== size))
        throw new Error(`storage ${shownName(key)} has two types or sizes`)
      storages.set(key, known ?? storage)
      return known ?? storage
    },
  }
}

function storageType(name: string): ElementType | undefined {
  const [, type] = /^torch\.(?:cuda\.)?(\w+Storage)$/.exec(name) ?? []
  return type && Object.hasOwn(storageTypes, type) ? storageTypes[type] : undefined
}

function dictionary([items]: readonly PickleValue[]): PickleValue {
  if (items instanceof Map) return new Map(items)
  return new Map((items ?? []) as [PickleValue, PickleValue][])
}

function asSet([items]: readonly PickleValue[]): PickleValue {
  return new Set((items ?? []) as PickleValue[])
}

/** `_rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks, metadata)`. */
function rebuildTensor([storage, offset, shape, strides, , , metadata]: readonly PickleValue[]): PickleValue {
  if (!(storage instanceof TorchStorage)) throw new Error('a tensor has no storage')
  if (!isCounts([offset]) || !isShape(shape) || !isCounts(strides) || shape.length !== strides.length)
    throw new Error('a tensor has an impossible shape, stride or offset')
  if (metadata instanceof Map && metadata.size > 0)
    throw new Error(
      'a tensor is a lazy conjugate or negative; save it after resolve_conj() and resolve_neg()',
    )
  return new TorchTensor(storage, offset as number, shape, strides)
}
