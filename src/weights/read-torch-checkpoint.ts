import { readExactly } from '../base/files/read-exactly.js'
import { unreadable } from '../base/files/read-file.js'
import { openRegularFile } from '../base/files/regular-file.js'
import { nameList, shownName } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { type Shape, sizeOf } from '../graph/ops/tensor.js'
import type { PickleValue } from './pickle-value.js'
import { isLegacyArchive, readLegacyArchive, readZipArchive, type TorchArchive } from './torch-archive.js'
import { TorchTensor } from './torch-pickle.js'
import { elementBytes, type StoredTensor, toFloats, type WeightFile } from './weight-file.js'

/** Under which key of a training state the weights are; the first that is there counts. */
const weightKeys = ['model', 'state_dict'] as const
const averageKey = 'model_ema'

/** Elements of the largest tensor that is read; word embeddings have tens of millions. */
const largestTensor = 2 ** 31

/**
 * Opens a file of `torch.save` (.pth, .pt, .bin): a state dict, or a training state with one under `model` or
 * `state_dict`. Tensors are read when they are asked for; nothing that the file's pickle asks for is run.
 *
 * @param average take the moving averages under `model_ema` instead
 * @throws UserError where the file is damaged, is none of PyTorch, or its pickle holds more than data
 */
export async function openTorchCheckpoint(path: string, average = false): Promise<WeightFile> {
  const file = await openRegularFile(path).catch(unreadable(path))
  try {
    const { size } = await file.stat()
    const head = await readExactly(file, 0, Math.min(size, 64))
    const archive = isLegacyArchive(head)
      ? await readLegacyArchive(file, path)
      : await readZipArchive(file, path)
    const { weights, others } = weightsOf(archive.value, path, average)
    const read = async (tensor: TorchTensor) => {
      const { storage, offset, span } = tensor
      const width = elementBytes[storage.type]
      const start = (archive.places.get(storage.key)?.start ?? 0) + offset * width
      return gather(tensor, toFloats(storage.type, await readExactly(file, start, span * width)))
    }
    const tensors = new Map<string, StoredTensor>()
    for (const [name, tensor] of weights) {
      checkTensor(name, tensor, archive, path)
      const { shape, storage } = tensor
      tensors.set(name, { name, shape, type: storage.type, read: () => read(tensor) })
    }
    return { tensors, others, metadata: {}, close: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** The state dict in what the file holds, and the names of what is beside it. */
function weightsOf(
  value: PickleValue,
  path: string,
  average: boolean,
): { readonly weights: Map<string, TorchTensor>; readonly others: string[] } {
  if (!(value instanceof Map)) throw new UserError(`${path} holds no state dict: its top is no dict.`)
  const keys = average ? [averageKey] : weightKeys
  const key = keys.find((name) => value.get(name) instanceof Map)
  if (average && key === undefined)
    throw new UserError(
      `${path} has no moving averages: there is no ${averageKey} among ${nameList([...value.keys()].map(String))}.`,
    )
  const others = key === undefined ? [] : [...value.keys()].filter((name) => name !== key).map(String)
  const weights = new Map<string, TorchTensor>()
  for (const [name, item] of key === undefined ? value : (value.get(key) as Map<PickleValue, PickleValue>)) {
    if (typeof name === 'string' && item instanceof TorchTensor) weights.set(name, item)
    else others.push(String(name))
  }
  if (weights.size === 0)
    throw new UserError(
      `${path} holds no weights: no tensor at its top or under ${keys.join(' or ')}. It has: ${nameList(others)}.`,
    )
  return { weights, others }
}

/** Whether all that a tensor views is in the file. */
function checkTensor(name: string, tensor: TorchTensor, { places }: TorchArchive, path: string): void {
  const { storage, offset, shape, span } = tensor
  const place = places.get(storage.key)
  if (!place)
    throw new UserError(
      `${path}: ${shownName(name)} is damaged: its storage ${shownName(storage.key)} is missing.`,
    )
  if (place.length < storage.bytes || offset + span > storage.size)
    throw new UserError(
      `${path}: ${shownName(name)} [${shape.join(', ')}] is damaged: storage ${shownName(storage.key)} is too short for it.`,
    )
  if (sizeOf(shape) > largestTensor)
    throw new UserError(`${path}: ${shownName(name)} [${shape.join(', ')}] is larger than any weight.`)
}

/** The elements of a view in row-major order. `values` begin with its first element. */
function gather({ shape, strides }: TorchTensor, values: Float32Array): Float32Array {
  if (isContiguous(shape, strides)) return values
  const result = new Float32Array(sizeOf(shape))
  const place = shape.map(() => 0)
  let at = 0
  for (let index = 0; index < result.length; index++) {
    result[index] = values[at]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!
      if (++place[axis]! < shape[axis]!) break
      at -= strides[axis]! * shape[axis]!
      place[axis] = 0
    }
  }
  return result
}

function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  return shape.every((side, axis) => side === 1 || strides[axis] === sizeOf(shape.slice(axis + 1)))
}
