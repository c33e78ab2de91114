import pLimit from 'p-limit'

/**
 * Maps with at most `concurrency` calls at once and yields the results in the order of the items.
 *
 * @param window items under way or waiting to be yielded at most, so that memory stays bounded behind a slow
 * one
 */
export async function* orderedMap<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<R>,
  window = 4 * concurrency,
): AsyncGenerator<R> {
  const limit = pLimit(concurrency)
  const pending: Promise<R>[] = []
  for await (const item of items) {
    const promise = limit(work, item)
    // Its failure is thrown when its turn comes; until then it must not count as unhandled.
    promise.catch(() => {})
    pending.push(promise)
    if (pending.length >= window) yield pending.shift() as Promise<R>
  }
  while (pending.length > 0) yield pending.shift() as Promise<R>
}
