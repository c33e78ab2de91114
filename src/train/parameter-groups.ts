import { concat, reshape, slice } from '../graph/ops/shape.js'
import { input, type Shape, sizeOf, type Tensor } from '../graph/tensor.js'

export interface ParameterSlot {
  readonly name: string
  readonly shape: Shape
  /** First element in its group's vector. */
  readonly offset: number
}

/** A part of a group's vector that the optimiser works on at once: some slots, or a part of a large one. */
export interface VectorPiece {
  readonly offset: number
  readonly size: number
  /** The slots that lie in it whole, or the one that it is a part of. */
  readonly slots: readonly ParameterSlot[]
}

/** Parameters that share a learning rate and a decay lie in one flat vector. */
export interface ParameterGroup {
  readonly name: 'weights' | 'biases' | 'frozen'
  readonly size: number
  readonly slots: readonly ParameterSlot[]
  /** The whole vector in order. */
  readonly pieces: readonly VectorPiece[]
  readonly decay: boolean
  /** What is not trained has neither moments nor an average. */
  readonly trained: boolean
}

/**
 * Elements of a piece: 1 MB, so that what the optimiser computes of it stays in the processor's cache, and enough for the work to outweigh
 * the calls.
 */
const pieceSize = 2 ** 18

/** Biases and scalars are not decayed, as in the official solver. Frozen parameters, where there are any, come last. */
export function groupParameters(
  parameters: readonly { readonly name: string; readonly shape: Shape; readonly frozen?: boolean }[],
): ParameterGroup[] {
  const groupOf = ({ name, frozen }: (typeof parameters)[number]): ParameterGroup['name'] =>
    frozen ? 'frozen' : name.endsWith('bias') ? 'biases' : 'weights'
  const group = (name: ParameterGroup['name']): ParameterGroup => {
    let size = 0
    const slots = parameters
      .filter((parameter) => groupOf(parameter) === name)
      .map(({ name: own, shape }) => {
        const slot = { name: own, shape, offset: size }
        size += sizeOf(shape)
        return slot
      })
    return {
      name,
      size,
      slots,
      pieces: piecesOf(slots),
      decay: name === 'weights',
      trained: name !== 'frozen',
    }
  }
  const frozen = group('frozen')
  return [group('weights'), group('biases'), ...(frozen.size > 0 ? [frozen] : [])]
}

/** Small slots together, as many as fit; large ones cut. */
function piecesOf(slots: readonly ParameterSlot[]): VectorPiece[] {
  const pieces: { offset: number; size: number; slots: ParameterSlot[] }[] = []
  let open: (typeof pieces)[number] | undefined
  for (const slot of slots) {
    const size = sizeOf(slot.shape)
    if (size > pieceSize) {
      open = undefined
      for (let from = 0; from < size; from += pieceSize)
        pieces.push({ offset: slot.offset + from, size: Math.min(pieceSize, size - from), slots: [slot] })
    } else if (open && open.size + size <= pieceSize) {
      open.size += size
      open.slots.push(slot)
    } else {
      open = { offset: slot.offset, size, slots: [slot] }
      pieces.push(open)
    }
  }
  return pieces
}

export type StateKind = 'value' | 'moment1' | 'moment2' | 'average'
export const stateKinds: readonly StateKind[] = ['value', 'moment1', 'moment2', 'average']

/** The name under which a step reads a piece of a vector, and with `next.` before it writes it. */
export const pieceName = (kind: StateKind, group: ParameterGroup, piece: VectorPiece): string =>
  `${kind}.${group.name}.${group.pieces.indexOf(piece)}`

/** The name under which a step reads a parameter that is larger than a piece. */
export const wholeName = (slot: ParameterSlot): string => `whole.${slot.name}`

export const isLarge = ({ shape }: ParameterSlot): boolean => sizeOf(shape) > pieceSize

/**
 * A group's parameters in their own shapes: large ones as inputs of their own, so that nothing is copied, small ones cut out of their
 * piece.
 */
export function parameterTensors(group: ParameterGroup): ReadonlyMap<string, Tensor> {
  const tensors = new Map<string, Tensor>()
  for (const piece of group.pieces) {
    const vector = input(pieceName('value', group, piece), [piece.size])
    for (const slot of piece.slots) {
      const { name, shape } = slot
      if (isLarge(slot)) tensors.set(name, input(wholeName(slot), shape))
      else {
        const from = slot.offset - piece.offset
        tensors.set(name, reshape(slice(vector, 0, from, from + sizeOf(shape)), shape))
      }
    }
  }
  return tensors
}

/** What lies in a piece of values that each parameter has one of, such as its gradient. */
export function pieceOf(values: ReadonlyMap<string, Tensor>, { offset, size, slots }: VectorPiece): Tensor {
  const flat = slots.map(({ name, shape }) => reshape(values.get(name) as Tensor, [sizeOf(shape)]))
  const [first] = slots
  if (!isLarge(first)) return concat(flat, 0)
  const from = offset - first.offset
  return slice(flat[0], 0, from, from + size)
}
