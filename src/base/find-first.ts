import { readsAtOnce } from './map-limited.js'

/**
 * What `look` finds of the first item, in their order, of which it finds anything. One item is looked at, then
 * two at once, then four, up to `concurrency`: what the first item has costs one call, and a search through
 * many that have nothing does not wait for each.
 */
export async function findFirst<T, R>(
  items: readonly T[],
  look: (item: T) => Promise<R | undefined>,
  concurrency = readsAtOnce,
): Promise<R | undefined> {
  for (let start = 0, count = 1; start < items.length; ) {
    const found = await Promise.all(items.slice(start, start + count).map(look))
    const first = found.find((one) => one !== undefined)
    if (first !== undefined) return first
    start += count
    count = Math.min(2 * count, concurrency)
  }
  return undefined
}
