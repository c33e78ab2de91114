/** Statistics of a shard. They can be added: those of a dataset are the sums of its shards'. */
import { binOf, type Measure } from './measures.js'
import { recordWords, type Tally, type TallySum, type TallyTail, tallySum } from './tally.js'

export interface Histogram {
  /** Limits of the bins, ascending. */
  readonly edges: readonly number[]
  /** One more than `edges`: under the first, between each two, from the last upwards. */
  readonly counts: readonly number[]
  /** Absent where an older version, which did not record them, made a part of it. */
  readonly moments?: Moments
}

/**
 * Of the values themselves. For the sums each is rounded to a multiple of 2^-32, so that sums of up to 2^21
 * are exact, and the same in whatever order they are added; larger ones may differ in their last digits.
 */
export interface Moments {
  readonly sum: number
  readonly squares: number
  /** null where there is no value. */
  readonly min: number | null
  readonly max: number | null
}

export interface ShardStats {
  readonly counts: Readonly<Record<string, number>>
  readonly histograms: Readonly<Record<string, Histogram>>
  /** How often each word came, such as heads of phrases. */
  readonly tallies: Readonly<Record<string, Tally['words']>>
  /** Of tallies that were cut; the others are exact. */
  readonly tails?: Readonly<Record<string, TallyTail>>
}

export const emptyStats: ShardStats = { counts: {}, histograms: {}, tallies: {} }

/** A tally of statistics with what they know of its tail; undefined where it was not recorded. */
export function tallyOf({ tallies, tails }: ShardStats, name: string): Tally | undefined {
  const words = Object.hasOwn(tallies, name) ? tallies[name] : undefined
  return words && { words, tail: tails?.[name] }
}

export interface StatsBuilder<M extends string> {
  count(name: string, by?: number): void
  observe(name: M, value: number): void
  tally(name: string, word: string, by?: number): void
  build(): ShardStats
}

/**
 * Collects statistics while rows go by. What is declared is recorded even where no row has it, so that "none"
 * can be told from "not recorded"; other tallies are recorded where there is something to tally.
 *
 * @param limits how many words are recorded of a tally, and at least sampled of what is left out, where that is not
 * `recordWords`
 */
export function statsBuilder<M extends string = never>(
  measured: Readonly<Record<M, Pick<Measure, 'edges'>>> = {} as Record<M, Measure>,
  tallied: readonly string[] = [],
  limits: Readonly<Record<string, number>> = {},
): StatsBuilder<M> {
  const counts: Counts = new Map()
  const histograms = new Map<string, GrowingHistogram>()
  for (const [name, { edges }] of Object.entries<Pick<Measure, 'edges'>>(measured)) {
    const bins = new Array<number>(edges.length + 1).fill(0)
    histograms.set(name, { edges, counts: bins, moments: { sum: 0, squares: 0, min: null, max: null } })
  }
  const tallies = new Map<string, Counts>(tallied.map((name) => [name, new Map()]))
  return {
    count: (name, by = 1) => add(counts, name, by),
    observe(name, value) {
      const { edges, counts: bins, moments } = histograms.get(name) as GrowingHistogram
      const bin = binOf(edges, value)
      bins[bin] = (bins[bin] ?? 0) + 1
      moments.sum += toGrid(value)
      moments.squares += toGrid(value * value)
      if (moments.min === null || value < moments.min) moments.min = value
      if (moments.max === null || value > moments.max) moments.max = value
    },
    tally(name, word, by = 1) {
      const words = tallies.get(name) ?? new Map()
      tallies.set(name, words)
      add(words, word, by)
    },
    build: () => ({
      counts: sorted(counts),
      histograms: Object.fromEntries(histograms),
      ...tabled(
        [...tallies].map(([name, words]) => {
          const cut = Object.hasOwn(limits, name)
            ? tallySum(limits[name], limits[name])
            : tallySum(recordWords)
          cut.add({ words: sorted(words) })
          return [name, cut.result()]
        }),
      ),
    }),
  }
}

const grid = 2 ** 32
const toGrid = (value: number) => Math.round(value * grid) / grid

interface GrowingHistogram {
  readonly edges: readonly number[]
  readonly counts: number[]
  readonly moments: { sum: number; squares: number; min: number | null; max: number | null }
}

/** Tallies as statistics hold them. */
export function tabled(
  tallies: readonly (readonly [string, Tally])[],
): Pick<ShardStats, 'tallies' | 'tails'> {
  const tails = tallies.flatMap(([name, { tail }]) => (tail ? [[name, tail] as const] : []))
  return {
    tallies: Object.fromEntries(tallies.map(([name, { words }]) => [name, words])),
    ...(tails.length > 0 && { tails: Object.fromEntries(tails) }),
  }
}

/**
 * Adds up the statistics of two parts; the order of adding does not matter, and `emptyStats` changes nothing.
 */
export function mergeStats(a: ShardStats, b: ShardStats): ShardStats {
  return sumStats([a, b])
}

/**
 * Adds the statistics of later rows to recorded ones. What an older version did not record stays unrecorded:
 * a sum of the later rows alone would be taken for one of all rows.
 */
export function amendStats(recorded: ShardStats, later: ShardStats): ShardStats {
  const pick = <T>(values: Readonly<Record<string, T>>, names: object) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(names, name)))
  return mergeStats(recorded, {
    ...later,
    histograms: pick(later.histograms, recorded.histograms),
    tallies: pick(later.tallies, recorded.tallies),
  })
}

/** Adds up the statistics of any number of parts. */
export function sumStats(parts: Iterable<ShardStats>): ShardStats {
  const sum = statsSum()
  for (const part of parts) sum.add(part)
  return sum.result()
}

/** Adds statistics up as they come, in memory that does not grow with their number. */
export interface StatsSum {
  add(part: ShardStats): void
  result(): ShardStats
}

export function statsSum(): StatsSum {
  const counts: Counts = new Map()
  const histograms = new Map<string, Histogram>()
  const tallies = new Map<string, TallySum>()
  return {
    add(part) {
      for (const [name, count] of Object.entries(part.counts)) add(counts, name, count)
      for (const [name, histogram] of Object.entries(part.histograms)) {
        const sum = histograms.get(name)
        histograms.set(name, sum ? mergeHistograms(sum, histogram) : histogram)
      }
      for (const name of Object.keys(part.tallies)) {
        const sum = tallies.get(name) ?? tallySum()
        tallies.set(name, sum)
        sum.add(tallyOf(part, name) as Tally)
      }
    },
    result: () => ({
      counts: sorted(counts),
      histograms: Object.fromEntries(histograms),
      ...tabled([...tallies].map(([name, sum]) => [name, sum.result()])),
    }),
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
 * Histograms of shards that different versions of a program made may have different edges: the sum has those
 * that both have, and each of its bins is exact.
 */
function mergeHistograms(a: Histogram, b: Histogram): Histogram {
  const edges = a.edges.filter((edge) => b.edges.includes(edge))
  const counts = new Array<number>(edges.length + 1).fill(0)
  for (const histogram of [a, b]) {
    let bin = 0
    histogram.counts.forEach((count, index) => {
      if (index > 0 && bin < edges.length && histogram.edges[index - 1] === edges[bin]) bin++
      counts[bin]! += count
    })
  }
  const moments = a.moments && b.moments && mergeMoments(a.moments, b.moments)
  return moments ? { edges, counts, moments } : { edges, counts }
}

function mergeMoments(a: Moments, b: Moments): Moments {
  const extreme = (values: readonly (number | null)[], choose: (...values: number[]) => number) => {
    const present = values.filter((value) => value !== null)
    return present.length > 0 ? choose(...present) : null
  }
  return {
    sum: a.sum + b.sum,
    squares: a.squares + b.squares,
    min: extreme([a.min, b.min], Math.min),
    max: extreme([a.max, b.max], Math.max),
  }
}

/** Maps, since a word may be "__proto__". */
type Counts = Map<string, number>

const add = (counts: Counts, name: string, by: number) => {
  counts.set(name, (counts.get(name) ?? 0) + by)
}

const sorted = (words: ReadonlyMap<string, number>) =>
  Object.fromEntries([...words].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
