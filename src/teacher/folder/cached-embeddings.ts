import { LruCache } from '../../base/lru-cache.js'

export interface EmbeddingCacheOptions {
  /** Embeddings that are kept. */
  readonly capacity: number
  /** Texts that are embedded at once. */
  readonly batch: number
  /** The order in which texts that are not cached are embedded; as they come where not given. */
  readonly compare?: (a: string, b: string) => number
}

/**
 * Embeds texts of which many come again: those that the cache lacks are embedded in batches.
 *
 * @param embed the embeddings of some texts, in their order
 * @returns the embeddings of texts, by text
 */
export function cachedEmbeddings(
  embed: (texts: readonly string[]) => Promise<readonly Float32Array[]>,
  { capacity, batch, compare }: EmbeddingCacheOptions,
): (texts: readonly string[]) => Promise<ReadonlyMap<string, Float32Array>> {
  const cache = new LruCache<string, Float32Array>({ maxSize: capacity })
  return async (texts) => {
    // Held here as well, since one call may ask for more texts than the cache keeps.
    const embedded = new Map<string, Float32Array>()
    const missing: string[] = []
    for (const text of new Set(texts)) {
      const embedding = cache.get(text)
      if (embedding) embedded.set(text, embedding)
      else missing.push(text)
    }
    if (compare) missing.sort(compare)
    for (let start = 0; start < missing.length; start += batch) {
      const chunk = missing.slice(start, start + batch)
      const embeddings = await embed(chunk)
      for (const [index, text] of chunk.entries()) {
        const embedding = embeddings[index]
        if (!embedding) throw new Error(`${embeddings.length} embeddings of ${chunk.length} texts`)
        embedded.set(text, embedding)
        cache.set(text, embedding)
      }
    }
    return embedded
  }
}
