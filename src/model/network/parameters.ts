import { random } from '../../base/random.js'
import { type Init, type Shape, sizeOf, type Tensor } from '../../graph/ops/tensor.js'
import { topologicalOrder } from '../../graph/topological-order.js'

export interface Parameter {
  readonly name: string
  readonly shape: Shape
  readonly init: Init
  /** Training leaves it as it starts. */
  readonly frozen: boolean
  readonly tensor: Tensor
}

/** The parameters that `outputs` depend on, in the order in which the graph first reads them. */
export function parametersOf(outputs: readonly Tensor[]): Parameter[] {
  const found = new Map<string, Parameter>()
  for (const node of topologicalOrder(outputs, ({ inputs }) => inputs)) {
    for (const tensor of node.inputs) {
      if (tensor?.source.kind !== 'parameter') continue
      const { name, init, frozen } = tensor.source
      const known = found.get(name)
      if (known && known.tensor !== tensor) throw new Error(`two parameters are named ${name}`)
      found.set(name, { name, shape: tensor.shape, init, frozen, tensor })
    }
  }
  return [...found.values()]
}

/** A parameter's first values; the seed and the name decide them. */
export function initialValue({ name, shape, init }: Parameter, seed: number): Float32Array {
  const values = new Float32Array(sizeOf(shape))
  const draw = random(seed, name)
  if (init.kind === 'constant') return values.fill(init.value)
  return values.map(() =>
    init.kind === 'normal' ? draw.normal() * init.std : draw.between(-init.bound, init.bound),
  )
}
