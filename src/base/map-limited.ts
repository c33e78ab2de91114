import { orderedMap } from './ordered-map.js'

/** Small reads that are under way at once: what a store answers side by side, and few answers in memory. */
export const readsAtOnce = 32

/**
 * The results of `work` in the order of the items, with at most `concurrency` calls at once; none begins
 * after one has failed, but for those that wait already. For as many items as a dataset has shards: `work`
 * returns what is needed of a record, not the record, since all results are held.
 */
export async function mapLimited<T, R>(
  items: Iterable<T>,
  work: (item: T) => Promise<R>,
  concurrency = readsAtOnce,
): Promise<R[]> {
  const results: R[] = []
  for await (const result of orderedMap(items, concurrency, work)) results.push(result)
  return results
}
