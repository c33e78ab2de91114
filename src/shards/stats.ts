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
  const counts: Counts = new Map()
  const histograms = new Map<string, { edges: readonly number[]; counts: number[] }>()
  const tallies = new Map<string, Counts>()
  return {
    count: (name, by = 1) => add(counts, name, by),
    observe(name, edges, value) {
      let histogram = histograms.get(name)
      if (!histogram) {
        histogram = { edges, counts: new Array<number>(edges.length + 1).fill(0) }
        histograms.set(name, histogram)
      }
      let bin = 0
      while (bin < edges.length && value >= edges[bin]) bin++
      histogram.counts[bin]++
    },
    tally: (name, word, by = 1) => add(entry(tallies, name), word, by),
    build: () => ({
      counts: sorted(counts),
      histograms: Object.fromEntries(histograms),
      tallies: Object.fromEntries([...tallies].map(([name, words]) => [name, sorted(words)])),
    }),
  }
}

/** Adds up the statistics of two parts; the order of adding does not matter, and `emptyStats` changes nothing. */
export function mergeStats(a: ShardStats, b: ShardStats): ShardStats {
  return sumStats([a, b])
}

/** Adds up the statistics of any number of parts. */
export function sumStats(parts: Iterable<ShardStats>): ShardStats {
  const counts: Counts = new Map()
  const histograms = new Map<string, Histogram>()
  const tallies = new Map<string, Counts>()
  for (const part of parts) {
    for (const [name, count] of Object.entries(part.counts)) add(counts, name, count)
    for (const [name, histogram] of Object.entries(part.histograms)) {
      const sum = histograms.get(name)
      histograms.set(name, sum ? mergeHistograms(sum, histogram) : histogram)
    }
    for (const [name, words] of Object.entries(part.tallies)) {
      const sum = entry(tallies, name)
      for (const [word, count] of Object.entries(words)) add(sum, word, count)
    }
  }
  return {
    counts: sorted(counts),
    histograms: Object.fromEntries(histograms),
    tallies: Object.fromEntries([...tallies].map(([name, words]) => [name, sorted(words)])),
  }
}

/** Sums two tables of counts. */
export function addCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Counts = new Map(Object.entries(a))
  for (const [name, count] of Object.entries(b)) add(sum, name, count)
  return sorted(sum)
}

/**
 * Histograms of shards that different versions of a program made may have different edges: the sum has those that
 * both have, and each of its bins is exact.
 */
function mergeHistograms(a: Histogram, b: Histogram): Histogram {
  const edges = a.edges.filter((edge) => b.edges.includes(edge))
  const counts = new Array<number>(edges.length + 1).fill(0)
  for (const histogram of [a, b]) {
    let bin = 0
    histogram.counts.forEach((count, index) => {
      if (index > 0 && bin < edges.length && histogram.edges[index - 1] === edges[bin]) bin++
      counts[bin] += count
    })
  }
  return { edges, counts }
}

/** Maps, since a word may be "__proto__". */
type Counts = Map<string, number>

const add = (counts: Counts, name: string, by: number) => {
  counts.set(name, (counts.get(name) ?? 0) + by)
}

function entry(tallies: Map<string, Counts>, name: string): Counts {
  const words = tallies.get(name) ?? new Map()
  tallies.set(name, words)
  return words
}

const sorted = (words: ReadonlyMap<string, number>) =>
  Object.fromEntries([...words].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
