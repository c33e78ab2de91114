/** Statistics of a shard that add up: those of a dataset are the sums of its shards'. */

export interface Histogram {
  /** Limits of the bins, ascending. */
  readonly edges: readonly number[]
  /** One more than `edges`: under the first, between each two, from the last upwards. */
  readonly counts: readonly number[]
}

export interface ShardStats {
  readonly counts: Readonly<Record<string, number>>
  readonly histograms: Readonly<Record<string, Histogram>>
  /** How often each word came, such as heads of phrases. */
  readonly tallies: Readonly<Record<string, Readonly<Record<string, number>>>>
}

export const emptyStats: ShardStats = { counts: {}, histograms: {}, tallies: {} }

export interface StatsBuilder {
  count(name: string, by?: number): void
  observe(name: string, edges: readonly number[], value: number): void
  tally(name: string, word: string, by?: number): void
  build(): ShardStats
}

/** Collects statistics while rows go by. */
export function statsBuilder(): StatsBuilder {
  const counts: Record<string, number> = {}
  const histograms: Record<string, { edges: readonly number[]; counts: number[] }> = {}
  // Maps, since a word may be "__proto__".
  const tallies = new Map<string, Map<string, number>>()
  return {
    count(name, by = 1) {
      counts[name] = (counts[name] ?? 0) + by
    },
    observe(name, edges, value) {
      histograms[name] ??= { edges, counts: new Array<number>(edges.length + 1).fill(0) }
      let bin = 0
      while (bin < edges.length && value >= edges[bin]) bin++
      histograms[name].counts[bin]++
    },
    tally(name, word, by = 1) {
      const words = tallies.get(name) ?? new Map<string, number>()
      tallies.set(name, words.set(word, (words.get(word) ?? 0) + by))
    },
    build: () => ({
      counts,
      histograms,
      tallies: Object.fromEntries([...tallies].map(([name, words]) => [name, sorted(words)])),
    }),
  }
}

export function mergeStats(a: ShardStats, b: ShardStats): ShardStats {
  const histograms: Record<string, Histogram> = { ...a.histograms }
  for (const [name, histogram] of Object.entries(b.histograms)) {
    const other = histograms[name]
    histograms[name] = other
      ? { edges: other.edges, counts: other.counts.map((count, bin) => count + histogram.counts[bin]) }
      : histogram
  }
  const tallies: Record<string, Readonly<Record<string, number>>> = { ...a.tallies }
  for (const [name, words] of Object.entries(b.tallies)) tallies[name] = addCounts(tallies[name] ?? {}, words)
  return { counts: addCounts(a.counts, b.counts), histograms, tallies }
}

/** Sums two tables of counts. */
export function addCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = new Map(Object.entries(a))
  for (const [name, count] of Object.entries(b)) sum.set(name, (sum.get(name) ?? 0) + count)
  return sorted(sum)
}

const sorted = (words: ReadonlyMap<string, number>) =>
  Object.fromEntries([...words].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
