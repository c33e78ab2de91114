import type { TaggedToken } from './tag.js'

/**
 * What is true of a whole caption, found once for all of its phrases: a caption takes time in proportion to its
 * length only if no phrase looks through all of it.
 *
 * @param find is given tokens that stay as they are
 */
export function captionFact<Fact>(
  find: (tokens: readonly TaggedToken[]) => Fact,
): (tokens: readonly TaggedToken[]) => Fact {
  const known = new WeakMap<readonly TaggedToken[], { readonly fact: Fact }>()
  return (tokens) => {
    let found = known.get(tokens)
    if (!found) {
      found = { fact: find(tokens) }
      known.set(tokens, found)
    }
    return found.fact
  }
}
