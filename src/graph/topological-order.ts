import type { Node, Tensor } from './ops/tensor.js'

/**
 * The nodes that `outputs` are made by, each after the nodes that `readsOf` says it reads from.
 *
 * @param resolve tensors to take in the place of others
 */
export function topologicalOrder(
  outputs: readonly Tensor[],
  readsOf: (node: Node) => readonly (Tensor | undefined)[],
  resolve: (tensor: Tensor) => Tensor = (tensor) => tensor,
): Node[] {
  const order: Node[] = []
  const seen = new Set<Node>()
  // An explicit stack: graphs of real networks are deeper than the call stack.
  const stack: { node: Node; reads: readonly (Tensor | undefined)[]; next: number }[] = []
  const visit = (read: Tensor | undefined) => {
    const tensor = read && resolve(read)
    if (tensor?.source.kind !== 'node' || seen.has(tensor.source.node)) return
    seen.add(tensor.source.node)
    stack.push({ node: tensor.source.node, reads: readsOf(tensor.source.node), next: 0 })
  }
  for (const output of outputs) {
    visit(output)
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      if (top.next < top.reads.length) visit(top.reads[top.next++])
      else {
        order.push(top.node)
        stack.pop()
      }
    }
  }
  return order
}
