/**
 * The items of two lists side by side.
 *
 * @throws Error where one list is longer than the other
 */
export function zip<A, B>(a: readonly A[], b: readonly B[]): [A, B][] {
  if (a.length !== b.length) throw new Error(`${a.length} items were to be matched with ${b.length}`)
  return a.map((item, index) => [item, b[index] as B])
}
