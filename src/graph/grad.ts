import { add } from './ops/elementwise.js'
import type { Node, Tensor } from './ops/tensor.js'
import { scalar, sizeOf } from './ops/tensor.js'
import { topologicalOrder } from './topological-order.js'

/**
 * Reverse-mode gradients: d loss / d each of `wrt`, as tensors of the same graph.
 *
 * @param loss scalar tensor (one element)
 * @returns one tensor for each of `wrt`, of its shape; throws when the loss does not depend on one of them
 */
export function grad(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (sizeOf(loss.shape) !== 1)
    throw new Error(`grad: the loss has shape [${loss.shape.join(', ')}], not one element`)
  const order = nodesOf([loss])
  const needed = dependents(order, new Set(wrt))
  const gradients = new Map<Tensor, Tensor>()
  gradients.set(loss, { ...scalar(1), shape: loss.shape })

  for (const node of order.toReversed()) {
    if (!needed.has(node)) continue
    const outgoing = node.outputs.map((output) => gradients.get(output))
    if (outgoing.every((gradient) => gradient === undefined)) continue
    if (!node.vjp) continue
    const incoming = node.vjp(outgoing)
    node.inputs.forEach((input, index) => {
      const gradient = incoming[index]
      if (!input || !gradient) return
      if (gradient.shape.join() !== input.shape.join()) {
        throw new Error(
          `${node.op}: gradient of input ${index} has shape [${gradient.shape}], the input has [${input.shape}]`,
        )
      }
      const sum = gradients.get(input)
      gradients.set(input, sum ? add(sum, gradient) : gradient)
    })
  }
  return wrt.map((tensor) => {
    const gradient = gradients.get(tensor)
    if (!gradient) throw new Error(`grad: the loss does not depend on ${describe(tensor)}`)
    return gradient
  })
}

/** The nodes that `outputs` are made by, each after the nodes it reads from; composites count as one node. */
function nodesOf(outputs: readonly Tensor[]): Node[] {
  return topologicalOrder(outputs, (node) => node.inputs)
}

/** Nodes through which a gradient can reach one of `targets`: others need no backward graph. */
function dependents(order: readonly Node[], targets: ReadonlySet<Tensor>): Set<Node> {
  const reached = new Set<Node>()
  for (const node of order) {
    const depends = node.inputs.some(
      (input) =>
        input && (targets.has(input) || (input.source.kind === 'node' && reached.has(input.source.node))),
    )
    if (depends) reached.add(node)
  }
  return reached
}

function describe(tensor: Tensor): string {
  return tensor.source.kind === 'parameter'
    ? `parameter ${tensor.source.name}`
    : `a ${tensor.source.kind} tensor`
}
