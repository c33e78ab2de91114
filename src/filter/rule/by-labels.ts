import type { Candidate, FilterImage } from './rule.js'

const none: readonly string[] = []

/**
 * Makes something of the labels of a detector once for each list of them, which all pictures of a shard share;
 * of none where nobody told.
 */
export function byLabels<T>(
  make: (labels: readonly string[]) => T,
): (labels: readonly string[] | undefined) => T {
  const made = new WeakMap<readonly string[], { readonly value: T }>()
  return (labels = none) => {
    const entry = made.get(labels) ?? { value: make(labels) }
    made.set(labels, entry)
    return entry.value
  }
}

/** What the detector that gave a box can call one. */
export const labelsFor = (
  { labels, sources }: Pick<FilterImage, 'labels' | 'sources'>,
  { source = 0 }: Pick<Candidate, 'source'>,
): readonly string[] | undefined => (sources ? sources[source]?.labels : labels)
